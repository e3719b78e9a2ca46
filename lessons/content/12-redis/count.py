r.delete('visits')

for page in ['start', 'prices', 'start']:
    total = r.incr('visits')
    print(page, 'is visit number', total)
