import socket

try:
    socket.create_connection(('localhost', 5999), timeout=2)
except ConnectionRefusedError as error:
    print('plain socket:', error.strerror)

try:
    psycopg2.connect(host='localhost', port=5999,
                     user='postgres', password='secret')
except psycopg2.OperationalError as error:
    print('psycopg2:', str(error).splitlines()[0])
