with open('diary.txt', 'w') as diary:
    diary.write('Day 1: I stored something.\n')

with open('diary.txt') as diary:
    print(diary.read(), end='')
