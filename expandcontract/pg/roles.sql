-- name: roles_missing
SELECT format('there is no role %I', r) AS what, format('CREATE ROLE %I LOGIN', r) AS fix
FROM unnest(cast(:roles AS text[])) AS r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) ORDER BY r;

-- name: roles_parameter_15
SELECT format('%I may not put expandcontract.speaks on a role', current_user) AS what,
       format('GRANT SET ON PARAMETER expandcontract.speaks TO %I', current_user) AS fix
WHERE NOT has_parameter_privilege('expandcontract.speaks', 'SET');

-- name: roles_createrole
SELECT format('%I may not alter roles', current_user) AS what, format('ALTER ROLE %I CREATEROLE', current_user) AS fix
FROM pg_roles WHERE rolname = current_user AND NOT rolcreaterole AND NOT rolsuper
  AND EXISTS (SELECT FROM unnest(cast(:roles AS text[])) AS r WHERE r <> current_user);

-- name: roles_admin_16
SELECT format('%I may not alter role %I', current_user, r.rolname) AS what,
       format('GRANT %I TO %I WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', r.rolname, current_user) AS fix
FROM pg_roles AS r WHERE r.rolname = ANY (cast(:roles AS text[])) AND r.rolname <> current_user
  AND NOT pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') ORDER BY r.rolname;

-- name: roles_ours
SELECT format('%I is the role that this very command connects as', r) AS what,
       format('connect as another role than %I', r) AS fix
FROM unnest(cast(:roles AS text[])) AS r WHERE r IN (current_user, session_user) ORDER BY r;

-- name: roles_elsewhere
SELECT format('%I is at work in the database %I too, and would be locked out there', a.usename, a.datname) AS what,
       format('end its sessions there, or give that application another role than %I', a.usename) AS fix
FROM pg_stat_activity AS a WHERE a.usename = ANY (cast(:roles AS text[])) AND a.datname <> current_database()
GROUP BY a.usename, a.datname ORDER BY a.usename, a.datname;

-- name: roles_superuser
SELECT format('%I is a superuser, whom only another one can lock out', r.rolname) AS what,
       format('ALTER ROLE %I NOSUPERUSER', r.rolname) AS fix
FROM pg_roles AS r WHERE r.rolname = ANY (cast(:roles AS text[])) AND r.rolsuper
  AND NOT (SELECT me.rolsuper FROM pg_roles AS me WHERE me.rolname = current_user) ORDER BY r.rolname;

-- name: roles_signal
SELECT format('%I may not end sessions of other roles', current_user) AS what,
       format('GRANT pg_signal_backend TO %I', current_user) AS fix
WHERE NOT pg_has_role('pg_signal_backend', 'USAGE')
  AND EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = ANY (cast(:roles AS text[])) AND NOT pg_has_role(r.oid, 'USAGE'));

-- name: statistics
SELECT format('%I does not see how long the transactions of other roles have been open', current_user) AS what,
       format('GRANT pg_read_all_stats TO %I', current_user) AS fix
WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');

-- name: create
SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user) AS fix
WHERE to_regnamespace('expandcontract') IS NULL AND NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT format('GRANT %I TO %I', pg_get_userbyid(nspowner), current_user)
FROM pg_namespace WHERE nspname = 'expandcontract' AND NOT pg_has_role(nspowner, 'USAGE');

-- name: spoken
SELECT substr(item, length('expandcontract.speaks=') + 1) FROM pg_db_role_setting AS s
JOIN pg_roles AS r ON r.oid = s.setrole JOIN pg_database AS d ON d.oid = s.setdatabase
CROSS JOIN unnest(s.setconfig) AS item
WHERE r.rolname = :role AND d.datname = current_database() AND item LIKE 'expandcontract.speaks=%';
