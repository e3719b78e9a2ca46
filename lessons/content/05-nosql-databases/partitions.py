import hashlib

def machine(partition_key, machines=4):
    digest = hashlib.md5(partition_key.encode()).digest()
    return int.from_bytes(digest[:8], 'big') % machines

for sensor in ['kitchen', 'cellar', 'roof', 'garden', 'attic']:
    print(sensor, '-> machine', machine(sensor))

print('the same key always goes to the same place:',
      machine('roof') == machine('roof'))
