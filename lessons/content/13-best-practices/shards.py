from collections import Counter
from zlib import crc32

users = [f'user{n}' for n in range(10_000)]
by_hash = Counter(crc32(user.encode()) % 4 for user in users)
by_country = Counter({'shard of a large country': 9_200, 'shard of three small ones': 800})

print('by hash of the name:', [round(share / 100) for _, share in sorted(by_hash.items())], 'percent')
print('by country:         ', [share // 100 for share in by_country.values()], 'percent')
