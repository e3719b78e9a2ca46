def names(question):
    found = shop.products.find(question, {'name': 1}).sort('name')
    return [product['name'] for product in found]

print(names({'kind': 'book'}))
print(names({'pages': {'$gt': 300}}))
print(names({'sizes.largest': {'$gte': 44}}))
print(names({'tags': 'classic'}))
print(names({'light': {'$exists': False}}))
