from collections import Counter
from zlib import crc32

users = [f'user{n}' for n in range(10_000)]
by_hash = Counter(crc32(user.encode()) % 4 for user in users)
by_country = {'a large country': 9_200, 'three small ones': 800}

def percent(shares):
    return [round(share * 100 / len(users)) for share in shares]

print('by hash of the name:', percent(by_hash.values()), 'percent')
print('by country:         ', percent(by_country.values()), 'percent')
