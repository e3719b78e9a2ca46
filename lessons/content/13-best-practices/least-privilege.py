cursor.execute("""
    DO $$ BEGIN
        CREATE ROLE reader LOGIN PASSWORD 'only-reading';
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$;
    GRANT SELECT ON recipes TO reader;
""")

reader = psycopg2.connect(
    host='localhost', database='testdb',
    user='reader', password='only-reading')
reader.autocommit = True
with reader.cursor() as limited:
    limited.execute('SELECT count(*) FROM recipes')
    print('may read:', limited.fetchone()[0], 'rows')
    try:
        limited.execute('DELETE FROM recipes')
    except psycopg2.errors.InsufficientPrivilege as error:
        print('may not delete:', error.diag.message_primary)
reader.close()
