import redis

# Connecting to Redis
r = redis.Redis(host='localhost', port=6379, db=0)

# Setting a key-value
r.set('foo', 'bar')

# Retrieving the value
print(r.get('foo'))
