with open('menu.txt', 'w', encoding='utf-8') as file:
    file.write('crème brûlée')

print(open('menu.txt', 'rb').read())
print(open('menu.txt', encoding='utf-8').read())
print(open('menu.txt', encoding='latin-1').read())
