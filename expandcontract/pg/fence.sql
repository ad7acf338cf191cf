-- name: may_login
SELECT rolcanlogin FROM pg_roles WHERE rolname = :role;

-- name: end
SELECT a.pid, pg_terminate_backend(a.pid, :wait_ms) AS ended FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.usename = :role AND a.pid <> pg_backend_pid() ORDER BY a.backend_start;
