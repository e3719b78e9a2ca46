import redis

r = redis.Redis(host='localhost', port=6379, db=0)
info = r.info('memory')
used = info['used_memory'] / info['maxmemory']
print('Redis uses', info['used_memory_human'],
      'of', info['maxmemory_human'])
print('ALERT: memory is getting short' if used > 0.8 else 'all is well')

cursor.execute("SELECT pg_size_pretty(pg_database_size('testdb'))")
print('PostgreSQL holds', cursor.fetchone()[0])
