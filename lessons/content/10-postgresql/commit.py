other = psycopg2.connect(
    host='localhost', database='testdb',
    user='postgres', password='secret')
other.autocommit = True
watcher = other.cursor()

def seen_by_others():
    watcher.execute('SELECT count(*) FROM guests')
    return watcher.fetchone()[0]

connection.rollback()
cursor.execute("INSERT INTO guests (name, seats) VALUES ('Ada', 3)")
print('before commit:', seen_by_others())
connection.commit()
print('after commit: ', seen_by_others())

cursor.execute("DELETE FROM guests WHERE name = 'Ada'")
connection.commit()
other.close()
