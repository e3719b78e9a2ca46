import json

import psycopg2
import redis
from pymongo import MongoClient

person = {'name': 'Ada', 'age': 36}

with open('ada.json', 'w') as file:
    json.dump(person, file)

connection = psycopg2.connect(
    host='localhost', database='testdb',
    user='postgres', password='secret')
with connection:
    cursor = connection.cursor()
    cursor.execute("""
        CREATE TABLE IF NOT EXISTS people (
            name text PRIMARY KEY, age int);
        INSERT INTO people VALUES (%(name)s, %(age)s)
        ON CONFLICT DO NOTHING
    """, person)

people = MongoClient('localhost', 27017)['overview']['people']
people.replace_one({'name': 'Ada'}, person, upsert=True)

redis.Redis().set('person:ada', json.dumps(person))
print('stored in a file, a table, a collection and a key')
