import psycopg2

connection = psycopg2.connect(
    host='localhost', database='testdb',
    user='postgres', password='secret')
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("""
    DROP TABLE IF EXISTS orders, customers;
    CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (
        id int PRIMARY KEY,
        customer int REFERENCES customers,
        total numeric);
    INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace');
    INSERT INTO orders VALUES
        (10, 1, 12.50), (11, 1, 7.25), (12, 2, 30.00);
""")
cursor.execute("""
    SELECT name, count(*), sum(total)
    FROM customers JOIN orders ON orders.customer = customers.id
    GROUP BY name ORDER BY name
""")
for name, orders, total in cursor.fetchall():
    print(f'{name}: {orders} orders, {total} in all')
