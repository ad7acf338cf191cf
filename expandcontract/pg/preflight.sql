-- One query a check: no row where all is well, else what was found, how much it weighs and what to do about it.
-- Names that begin with ``table_`` are asked of each table of the change, ``statements_`` only where pg_stat_statements
-- is installed ({statements} is its view). Every row says what, with the measured value.

-- name: server_version
SELECT format('PostgreSQL %s is older than 14.4', current_setting('server_version')) AS what, 'refuse' AS severity,
       'upgrade the server' AS fix
WHERE current_setting('server_version_num')::int < 140004;

-- name: server_standby
SELECT 'the server is a standby' AS what, 'refuse' AS severity, 'give ec the address of the primary' AS fix
WHERE pg_is_in_recovery();

-- name: server_durability
SELECT format('%s is off: a crash of the server loses what was acknowledged', string_agg(name, ' and ' ORDER BY name)) AS what,
       'warn' AS severity, format('ALTER SYSTEM SET %s = on', min(name)) AS fix
FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' HAVING count(*) > 0;

-- name: server_old_snapshots
SELECT format('%s keeps rows of the last %s transactions alive, and the backfill''s dead rows with them', who, age) AS what,
       'warn' AS severity, fix FROM (
    SELECT format('replication slot %s', slot_name) AS who, greatest(age(xmin), age(catalog_xmin)) AS age,
           format('SELECT pg_drop_replication_slot(%L), if nobody needs it', slot_name) AS fix
    FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
    UNION ALL
    SELECT format('standby %s (hot_standby_feedback)', coalesce(nullif(application_name, ''), client_addr::text)),
           age(backend_xmin), 'end its long queries'
    FROM pg_stat_replication WHERE backend_xmin IS NOT NULL
) AS kept WHERE age > 1000000;

-- name: server_replica_lag
SELECT format('standby %s is %s behind; DDL reaches its readers that much later, and makes them wait then',
       coalesce(nullif(application_name, ''), client_addr::text), date_trunc('milliseconds', replay_lag)) AS what,
       'warn' AS severity, 'wait until it has caught up' AS fix
FROM pg_stat_replication WHERE replay_lag > interval '10 seconds';

-- name: server_event_triggers
SELECT format('event trigger %s runs with each DDL statement (%s)', evtname, evtevent) AS what, 'warn' AS severity,
       format('make sure that %s lets the change through', evtfoid::regprocedure) AS fix
FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY evtname;

-- name: server_replication_role
SELECT format('role %s writes with session_replication_role = replica, and no trigger fires for it',
       coalesce(r.rolname, 'of every session here')) AS what, 'refuse' AS severity,
       format('ALTER ROLE %s RESET session_replication_role', coalesce(quote_ident(r.rolname), 'ALL')) AS fix
FROM pg_db_role_setting AS s LEFT JOIN pg_roles AS r ON r.oid = s.setrole
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND EXISTS (SELECT FROM unnest(s.setconfig) AS c WHERE c ILIKE 'session_replication_role=replica');

-- name: server_publication
SELECT format('publication %s is FOR ALL TABLES and carries the ledger to its subscribers', pubname) AS what,
       'warn' AS severity, 'create schema expandcontract there too, or list tables' AS fix
FROM pg_publication WHERE puballtables;

-- name: server_statistics
SELECT format('%I does not see how long the transactions of other roles have been open', current_user) AS what,
       'warn' AS severity, format('GRANT pg_read_all_stats TO %I', current_user) AS fix
WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');

-- name: table_owner
SELECT format('%I.%I belongs to %s, and %s may not alter it', n.nspname, c.relname, pg_get_userbyid(c.relowner), current_user)
       AS what, 'refuse' AS severity, format('GRANT %I TO %I', pg_get_userbyid(c.relowner), current_user) AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND NOT pg_has_role(current_user, c.relowner, 'USAGE');

-- name: table_later_trigger
SELECT format('trigger %s fires after ours and could undo it', t.tgname) AS what, 'refuse' AS severity,
       format('ALTER TRIGGER %I ON %I.%I RENAME TO …', t.tgname, n.nspname, c.relname) AS fix
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND NOT t.tgisinternal AND t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0
  AND t.tgname > 'zz_expandcontract_update';

-- name: table_row_security
SELECT format('%I.%I forces row level security, and %s does not bypass it: rows would stay hidden from the backfill',
       n.nspname, c.relname, current_user) AS what, 'refuse' AS severity,
       format('ALTER ROLE %I BYPASSRLS', current_user) AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND c.relforcerowsecurity
  AND NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user);

-- name: table_published
SELECT format('%I.%I is in publication %s: a subscriber needs the new column before the expand', schemaname, tablename, pubname)
       AS what, 'warn' AS severity, 'expand the subscriber first, contract the publisher first' AS fix
FROM pg_publication_tables WHERE schemaname = :schema AND tablename = :table;

-- name: table_columns
SELECT format('%I.%I has used %s of 1600 column numbers', n.nspname, c.relname, max(a.attnum)) AS what,
       CASE WHEN max(a.attnum) >= 1590 THEN 'refuse' ELSE 'warn' END AS severity, 'copy the table to get them back' AS fix
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table GROUP BY n.nspname, c.relname HAVING max(a.attnum) >= 1200;

-- name: table_wraparound
SELECT format('%I.%I is %s transactions old: an anti-wraparound vacuum will hold off DDL', n.nspname, c.relname, age(c.relfrozenxid))
       AS what, 'refuse' AS severity, format('VACUUM (FREEZE) %I.%I', n.nspname, c.relname) AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND c.relkind = 'r'
  AND age(c.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::bigint * 0.95;

-- name: table_prepared
SELECT format('prepared transaction %s holds a lock on %I.%I', x.gid, n.nspname, c.relname) AS what, 'refuse' AS severity,
       format('COMMIT PREPARED %L, or ROLLBACK PREPARED %L', x.gid, x.gid) AS fix
FROM pg_prepared_xacts AS x JOIN pg_locks AS own ON own.transactionid = x.transaction AND own.pid IS NULL
JOIN pg_locks AS l ON l.virtualtransaction = own.virtualtransaction AND l.pid IS NULL
JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table;

-- name: table_subscribed
SELECT format('rows come into %I.%I by subscription %s, whose apply fires no trigger of ours', n.nspname, c.relname, s.subname)
       AS what, 'refuse' AS severity, format('change the publisher first, and ALTER SUBSCRIPTION %I DISABLE meanwhile', s.subname)
       AS fix
FROM pg_subscription_rel AS r JOIN pg_subscription AS s ON s.oid = r.srsubid JOIN pg_class AS c ON c.oid = r.srrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relname = :table;

-- name: table_inherited
SELECT format('%I.%I has child tables by inheritance (%s), which have rows and triggers of their own', n.nspname, c.relname,
       string_agg(i.inhrelid::regclass::text, ', ' ORDER BY i.inhrelid)) AS what, 'refuse' AS severity,
       'make them partitions, or change each child by itself after ALTER TABLE … NO INHERIT' AS fix
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhparent JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND c.relkind = 'r' GROUP BY n.nspname, c.relname;

-- name: table_inherits
SELECT format('%I.%I inherits its columns from %s', n.nspname, c.relname, i.inhparent::regclass) AS what,
       'refuse' AS severity, format('change %s, which carries its partitions along', i.inhparent::regclass) AS fix
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table;

-- name: table_foreign_partition
SELECT CASE WHEN k.known THEN format('partition %s is a foreign table: its own server must have the new columns before, and'
           ' what is written there passes no trigger of ours', p.relid)
           ELSE format('partition %s is a foreign table, and no setting says by which key it is filled', p.relid) END AS what,
       CASE WHEN k.known THEN 'warn' ELSE 'refuse' END AS severity,
       CASE WHEN k.known THEN format('let nobody write there but through %I.%I', n.nspname, c.relname)
           ELSE format('ALTER TABLE %I.%I DETACH PARTITION %s, or name its key under [backfill.keys]', n.nspname, c.relname, p.relid)
           END AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, pg_partition_tree(c.oid) AS p
JOIN pg_class AS leaf ON leaf.oid = p.relid JOIN pg_namespace AS ln ON ln.oid = leaf.relnamespace
CROSS JOIN LATERAL (SELECT ln.nspname || '.' || leaf.relname = ANY (:keyed) AS known) AS k
WHERE n.nspname = :schema AND c.relname = :table AND leaf.relkind = 'f' ORDER BY leaf.relname;

-- name: table_access_method
SELECT format('%I.%I keeps its rows by access method %s', ln.nspname, leaf.relname, a.amname)
           || CASE WHEN k.known THEN ': it is filled by key, without what passing over heap pages again gains'
              ELSE ', and has no primary key to fill it by' END AS what,
       CASE WHEN k.known THEN 'warn' ELSE 'refuse' END AS severity,
       format(CASE WHEN k.known THEN 'ALTER TABLE %I.%I SET ACCESS METHOD heap makes it faster'
           ELSE 'ALTER TABLE %I.%I ADD PRIMARY KEY …, or name its key under [backfill.keys]' END, ln.nspname, leaf.relname) AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf UNION SELECT c.oid) AS p
JOIN pg_class AS leaf ON leaf.oid = p.relid JOIN pg_namespace AS ln ON ln.oid = leaf.relnamespace
JOIN pg_am AS a ON a.oid = leaf.relam
CROSS JOIN LATERAL (SELECT ln.nspname || '.' || leaf.relname = ANY (:keyed)
    OR EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = leaf.oid AND x.indisprimary) AS known) AS k
WHERE n.nspname = :schema AND c.relname = :table AND leaf.relkind = 'r' AND a.amname <> 'heap' ORDER BY leaf.relname;

-- name: table_rules
SELECT format('rule %s rewrites writes to %I.%I', r.rulename, n.nspname, c.relname) AS what, 'refuse' AS severity,
       format('DROP RULE %I ON %I.%I, and use a trigger', r.rulename, n.nspname, c.relname) AS fix
FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND c.relkind IN ('r', 'p') AND r.ev_type <> '1' AND r.ev_enabled <> 'D';

-- name: table_triggers
SELECT format('trigger %s of %I.%I fires for every row that the backfill writes', t.tgname, n.nspname, c.relname) AS what,
       'warn' AS severity, 'make sure that it may, or let it pass where nothing it looks at has changed' AS fix
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND NOT t.tgisinternal AND t.tgtype & 17 = 17 AND t.tgenabled <> 'D'
  AND t.tgname NOT LIKE 'zz\_expandcontract\_%' AND t.tgattr = ''::int2vector ORDER BY t.tgname;

-- name: table_unlogged
SELECT format('%I.%I is unlogged: a crash empties it, and standbys have no row of it', n.nspname, c.relname) AS what,
       'warn' AS severity, '' AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND c.relpersistence = 'u';

-- name: table_autovacuum_off
SELECT format('autovacuum is off for %I.%I, and the backfill leaves dead rows', n.nspname, c.relname) AS what,
       'warn' AS severity, format('ALTER TABLE %I.%I RESET (autovacuum_enabled)', n.nspname, c.relname) AS fix
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table
  AND EXISTS (SELECT FROM unnest(c.reloptions) AS o WHERE o ~ '^autovacuum_enabled=(off|false|no|0)$');

-- name: table_vacuum_running
SELECT format('%s of %I.%I is running (backend %s)', CASE WHEN wraps THEN 'an anti-wraparound vacuum' ELSE 'a vacuum' END,
       n.nspname, c.relname, v.pid) AS what, CASE WHEN wraps THEN 'refuse' ELSE 'warn' END AS severity,
       CASE WHEN wraps THEN 'wait for its end: it yields to no DDL' ELSE 'an autovacuum yields to DDL by itself' END AS fix
FROM pg_stat_progress_vacuum AS v JOIN pg_stat_activity AS a ON a.pid = v.pid
JOIN pg_class AS c ON c.oid = v.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace,
LATERAL (SELECT a.query LIKE '%(to prevent wraparound)%' AS wraps) AS w
WHERE v.datname = current_database() AND n.nspname = :schema AND c.relname = :table;

-- name: table_idle_in_transaction
SELECT format('backend %s of %s (%s) has been idle in a transaction for %s and holds %s on %I.%I', a.pid, a.usename,
       coalesce(nullif(a.application_name, ''), 'no name'), date_trunc('second', clock_timestamp() - a.state_change),
       string_agg(DISTINCT l.mode, ', '), n.nspname, c.relname) AS what, 'warn' AS severity,
       format('SELECT pg_terminate_backend(%s), if it is nobody''s', a.pid) AS fix
FROM pg_stat_activity AS a JOIN pg_locks AS l ON l.pid = a.pid AND l.granted JOIN pg_class AS c ON c.oid = l.relation
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.state LIKE 'idle in transaction%' AND a.pid <> pg_backend_pid() AND a.state_change < clock_timestamp() - interval '1 second'
  AND n.nspname = :schema AND c.relname = :table
GROUP BY a.pid, a.usename, a.application_name, a.state_change, n.nspname, c.relname;

-- name: statements_star
SELECT format('%s runs a statement on %s that a new column changes or breaks: %s', coalesce(r.rolname, s.userid::text), cast(:table AS text),
       left(regexp_replace(s.query, '\s+', ' ', 'g'), 100)) AS what, 'warn' AS severity,
       'name the columns; a prepared SELECT * fails until the session reconnects' AS fix
FROM {statements} AS s LEFT JOIN pg_roles AS r ON r.oid = s.userid
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND regexp_replace(s.query, '\s+', ' ', 'g') ~* (
      '(select ([a-z_]+\.)?\* from ([^;]* )?"?' || :table || '\M)|(copy ([a-z_"]+\.)?"?' || :table || '"? from)'
      '|(insert into ([a-z_"]+\.)?"?' || :table || '"? (values|select))')
ORDER BY s.calls DESC LIMIT 5;
