try:
    cursor.execute('SELECT * FROM no_such_table')
except psycopg2.errors.UndefinedTable as error:
    print(error.pgcode, error.diag.message_primary)

try:
    cursor.execute('SELECT 1')
except psycopg2.errors.InFailedSqlTransaction:
    print('the transaction is dead until rollback')

connection.rollback()
cursor.execute('SELECT 1')
print('alive again:', cursor.fetchone())
connection.rollback()
