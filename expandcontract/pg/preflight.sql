-- name: server_version
SELECT format('PostgreSQL %s is older than 14.4', current_setting('server_version')) AS what, 'refuse' AS severity,
       'upgrade the server' AS fix
WHERE current_setting('server_version_num')::int < 140004;

-- name: server_standby
SELECT 'the server is a standby' AS what, 'refuse' AS severity, 'give ec the address of the primary' AS fix
WHERE pg_is_in_recovery();

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
FROM pg_prepared_xacts AS x JOIN pg_locks AS l ON l.virtualtransaction = '-1/' || x.transaction
JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table;
