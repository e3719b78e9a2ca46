import time

import redis

r = redis.Redis(decode_responses=True)

def slow_question(number):
    time.sleep(0.5)                       # imagine a long calculation
    return number * number

def answer(number):
    cached = r.get(f'square:{number}')
    if cached is not None:
        return int(cached)
    result = slow_question(number)
    r.set(f'square:{number}', result, ex=60)
    return result

r.delete('square:12')
for attempt in 'first', 'second':
    began = time.perf_counter()
    result = answer(12)
    slow = time.perf_counter() - began > 0.25
    print(f'{attempt} time: {result},', 'slow' if slow else 'quick')
