with open('visitors.csv', 'w') as file:
    for day in range(1, 10_001):
        file.write(f'{day},{day % 7 * 10}\n')

total = 0
with open('visitors.csv') as file:
    for line in file:
        day, visitors = line.split(',')
        total += int(visitors)
print(total, 'visitors')
