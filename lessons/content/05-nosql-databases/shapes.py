from pymongo import MongoClient

shop = MongoClient('localhost', 27017)['shop']
shop.products.drop()
shop.products.insert_many([
    {'_id': 1, 'name': 'Dune', 'kind': 'book', 'pages': 412,
     'tags': ['desert', 'classic']},
    {'_id': 2, 'name': 'Runner', 'kind': 'shoe',
     'sizes': {'smallest': 36, 'largest': 45}},
    {'_id': 3, 'name': 'Fern', 'kind': 'plant', 'light': 'shade',
     'tags': ['green', 'classic']},
])
for product in shop.products.find():
    print(product)
