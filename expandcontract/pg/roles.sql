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
