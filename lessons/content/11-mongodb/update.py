people = db.people
people.drop()
people.insert_one({'_id': 'ada', 'name': 'Ada', 'age': 36})

result = people.update_one({'_id': 'ada'}, {
    '$inc': {'age': 1},
    '$push': {'languages': 'Python'},
    '$set': {'city': 'London'},
})
print(result.matched_count, 'found,', result.modified_count, 'changed')
print(people.find_one({'_id': 'ada'}))
