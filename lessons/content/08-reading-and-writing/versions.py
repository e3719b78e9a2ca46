import psycopg2
import pymongo
import redis

print('psycopg2', psycopg2.__version__.split()[0])
print('pymongo ', pymongo.version)
print('redis   ', redis.__version__)
