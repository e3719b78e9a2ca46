from pymongo import MongoClient

# Creating a client connection
client = MongoClient('localhost', 27017)

# Connecting to the database
db = client['database_name']

# Inserting a document into the collection
db.collection_name.insert_one({"name": "John", "age": 30})

# Querying the collection
documents = db.collection_name.find()

for document in documents:
    print(document)
