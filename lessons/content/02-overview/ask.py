print('file:      ', open('ada.json').read())

cursor.execute('SELECT name FROM people WHERE age > 30')
print('PostgreSQL:', cursor.fetchone()[0], 'is over 30')

print('MongoDB:   ', people.count_documents({'age': {'$gt': 30}}), 'document over 30')
print('Redis:     ', redis.Redis(decode_responses=True).get('person:ada'))
