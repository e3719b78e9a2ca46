-- What makes a database refuse growth while it is over its limit; %[1]s is the message
-- and %[2]s the hint. Deleting, TRUNCATE, DROP and VACUUM stay possible. The functions
-- are in pg_catalog, the one schema that a learner can't have made before us.

-- On every table: a statement that would add rows or versions of rows. An UPDATE that a
-- foreign key makes (ON DELETE SET NULL) is part of a deletion.
CREATE OR REPLACE FUNCTION pg_catalog.storeroom_refuse_rows() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = %[1]s, HINT = %[2]s;
END $body$;

-- On every other command: what does not drop something would make something, or would
-- switch these triggers off.
CREATE OR REPLACE FUNCTION pg_catalog.storeroom_refuse_objects() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
    IF session_user = 'storeroom' OR TG_TAG = 'REINDEX' OR (TG_TAG LIKE 'DROP %%' AND TG_TAG <> 'DROP TRIGGER') THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = %[1]s, HINT = %[2]s;
END $body$;

DO $body$
DECLARE
    t regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'storeroom_full') THEN
        CREATE EVENT TRIGGER storeroom_full ON ddl_command_start EXECUTE FUNCTION pg_catalog.storeroom_refuse_objects();
    END IF;
    FOR t IN
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgfoid = 'pg_catalog.storeroom_refuse_rows'::regproc)
    LOOP
        EXECUTE format('CREATE TRIGGER storeroom_full BEFORE INSERT OR UPDATE ON %%s FOR EACH STATEMENT EXECUTE FUNCTION pg_catalog.storeroom_refuse_rows()', t);
    END LOOP;
END $body$;
