with open('log.txt', 'w') as log:
    log.write('started\n')
with open('log.txt', 'a') as log:
    log.write('still running\n')

print(open('log.txt').read(), end='')
