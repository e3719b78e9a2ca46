people.insert_many([
    {'_id': 'grace', 'name': 'Grace', 'age': 45, 'city': 'New York'},
    {'_id': 'alan', 'name': 'Alan', 'age': 41, 'city': 'London'},
    {'_id': 'edsger', 'name': 'Edsger', 'age': 52},
])

question = {
    'age': {'$gte': 40},
    '$or': [{'city': 'London'}, {'city': {'$exists': False}}],
}
fields = {'_id': 0, 'name': 1, 'age': 1}
for person in people.find(question, fields).sort('age', -1):
    print(person)
print(people.count_documents({'city': 'London'}), 'live in London')
