r.delete('scores')
r.zadd('scores', {'Ada': 310, 'Grace': 295, 'Alan': 120})
r.zincrby('scores', 40, 'Grace')

best = r.zrevrange('scores', 0, 2, withscores=True)
for place, (name, score) in enumerate(best, 1):
    print(place, name, int(score))
