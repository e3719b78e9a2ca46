print('file:      ', open('ada.json').read())

cursor.execute('SELECT name FROM people WHERE age > 30')
print('PostgreSQL:', cursor.fetchone()[0], 'is over 30')

over_30 = people.count_documents({'age': {'$gt': 30}})
print('MongoDB:   ', over_30, 'document over 30')
r = redis.Redis(decode_responses=True)
print('Redis:     ', r.get('person:ada'))
