try:
    with open('numbers.txt', 'w') as file:
        file.write('1 2 3\n')
        1 / 0
except ZeroDivisionError:
    print('an error came in between')

print('closed:', file.closed)
print('on the disk:', open('numbers.txt').read().strip())
