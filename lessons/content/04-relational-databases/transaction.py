cursor.execute("""
    DROP TABLE IF EXISTS accounts;
    CREATE TABLE accounts (
        owner text PRIMARY KEY,
        balance int CHECK (balance >= 0));
    INSERT INTO accounts VALUES ('Ada', 100), ('Grace', 50);
""")

connection.autocommit = False
try:
    with connection:    # commits at the end, rolls back on an error
        cursor.execute("""
            UPDATE accounts SET balance = balance + 80
            WHERE owner = 'Ada'
        """)
        cursor.execute("""
            UPDATE accounts SET balance = balance - 80
            WHERE owner = 'Grace'
        """)
except psycopg2.errors.CheckViolation as error:
    print('refused:', error.diag.message_primary)

cursor.execute('SELECT * FROM accounts ORDER BY owner')
print(cursor.fetchall())
connection.rollback()
