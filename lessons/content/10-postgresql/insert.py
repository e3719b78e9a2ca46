connection = psycopg2.connect(
    host='localhost', database='testdb',
    user='postgres', password='secret')
cursor = connection.cursor()
cursor.execute("""
    DROP TABLE IF EXISTS guests;
    CREATE TABLE guests (id serial PRIMARY KEY, name text, seats int);
""")

guests = [("O'Brien", 2), ("Robert'); DROP TABLE guests;--", 1)]
for name, seats in guests:
    cursor.execute("""
        INSERT INTO guests (name, seats) VALUES (%s, %s) RETURNING id
    """, (name, seats))
    print('stored as', cursor.fetchone()[0])
connection.commit()

cursor.execute('SELECT name FROM guests ORDER BY id')
for (name,) in cursor:
    print(name)
