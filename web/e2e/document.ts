// The document's snippets as a person copies them from its source, indentation and all.

export const FILES = `
    with open('file.txt', 'r') as file:
        contents = file.read()
        print(contents)
    
    with open('file.txt', 'w') as file:
        file.write('Hello World')
`;

export const POSTGRESQL = `
    import psycopg2
    
    connection = psycopg2.connect(
        host="localhost",
        database="testdb",
        user="postgres",
        password="secret")
    
    cursor = connection.cursor()
    
    # Executing SQL queries
    cursor.execute("SELECT * FROM table_name")
    rows = cursor.fetchall()
    
    for row in rows:
        print(row)
    
    # Closing the connection
    connection.close()
`;

export const MONGODB = `
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
`;

export const REDIS = `
    import redis
    
    # Connecting to Redis
    r = redis.Redis(host='localhost', port=6379, db=0)
    
    # Setting a key-value
    r.set('foo', 'bar')
    
    # Retrieving the value
    print(r.get('foo'))
`;

export const REDIS_AGAIN = `import redis

# Connecting to Redis
r = redis.Redis(host='localhost', port=6379, db=0)

# Setting a key-value
r.set('foo', 'bar')

# Retrieving the value
print(r.get('foo'))`;
