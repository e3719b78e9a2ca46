import psycopg2

connection = psycopg2.connect(
    host='localhost', database='testdb',
    user='postgres', password='secret')
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("""
    DROP TABLE IF EXISTS visits;
    CREATE TABLE visits AS
        SELECT n AS id, 'user' || n % 5000 AS who
        FROM generate_series(1, 50000) n;
    ANALYZE visits;
""")

def plan():
    cursor.execute("""
        EXPLAIN (COSTS OFF) SELECT * FROM visits WHERE who = 'user42'
    """)
    return cursor.fetchone()[0]

print('before:', plan())
cursor.execute('CREATE INDEX visits_who ON visits (who)')
print('after: ', plan())
