import psycopg2

connection = psycopg2.connect(
    host="localhost",
    database="testdb",
    user="postgres",
    password="secret")

cursor = connection.cursor()

# Executing SQL queries
cursor.execute("SELECT * FROM table_name")
rows = cursor.fetchall()

for row in rows:
    print(row)

# Closing the connection
connection.close()
