r.set('session:ada', 'signed in', ex=90)

print(r.get('session:ada'))
print(r.ttl('session:ada'), 'seconds left')
print(r.get('session:nobody'))
