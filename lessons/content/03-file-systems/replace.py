import os

with open('settings.new', 'w') as file:
    file.write('colour = green\n')
    file.flush()
    os.fsync(file.fileno())   # it is on the disk, not only on its way

os.replace('settings.new', 'settings.txt')
print(open('settings.txt').read(), end='')
print('half-written file left over:', os.path.exists('settings.new'))
