r = redis.Redis(host='localhost', port=6379, db=0,
                decode_responses=True)

print(r.get('foo'))
r.set('greeting', 'grüß dich')
print(r.get('greeting'), r.strlen('greeting'))
