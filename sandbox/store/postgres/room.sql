-- Takes back full.sql: the triggers on the tables go with their function.
DROP EVENT TRIGGER IF EXISTS storeroom_full;
DROP FUNCTION IF EXISTS pg_catalog.storeroom_refuse_objects();
DROP FUNCTION IF EXISTS pg_catalog.storeroom_refuse_rows() CASCADE;
