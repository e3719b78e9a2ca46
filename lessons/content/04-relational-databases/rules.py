connection.autocommit = True
for attempt in ["INSERT INTO orders VALUES (13, 99, 5)",
                "INSERT INTO customers VALUES (3, NULL)",
                "INSERT INTO orders VALUES (14, 1, 'a lot')"]:
    try:
        cursor.execute(attempt)
    except psycopg2.Error as error:
        print(type(error).__name__, '-', error.diag.message_primary)
