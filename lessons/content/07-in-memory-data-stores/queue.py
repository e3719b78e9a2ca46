r.delete('jobs')
r.rpush('jobs', 'resize photo 1', 'resize photo 2', 'send mail')

while job := r.lpop('jobs'):
    print('doing:', job)
print('jobs left:', r.llen('jobs'))
