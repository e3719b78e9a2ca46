shelves = ['files', 'PostgreSQL', 'MongoDB', 'Redis']
len(shelves)
