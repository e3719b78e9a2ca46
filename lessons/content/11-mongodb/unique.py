from pymongo.errors import DuplicateKeyError

db.accounts.drop()
db.accounts.create_index('email', unique=True)
db.accounts.insert_one({'email': 'ada@example.com'})
try:
    db.accounts.insert_one({'email': 'ada@example.com'})
except DuplicateKeyError as error:
    print('refused:', error.details['keyValue'])
print(db.accounts.count_documents({}), 'account')
