-- The learner: owner of all, but no superuser. What a superuser's rights are commonly
-- needed for in a course comes by PostgreSQL's own predefined roles.
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD 'secret';
GRANT pg_monitor, pg_signal_backend, pg_checkpoint, pg_maintain TO postgres WITH ADMIN OPTION;
ALTER DATABASE postgres OWNER TO postgres;

-- Who counts the rows for the page. It is not the superuser, because reading a table may
-- run functions that the table's owner wrote.
CREATE ROLE %[1]s LOGIN BYPASSRLS PASSWORD '%[2]s';
GRANT pg_read_all_data, pg_use_reserved_connections TO %[1]s;
