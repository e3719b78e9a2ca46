with open('file.txt', 'r') as file:
    contents = file.read()
    print(contents)

with open('file.txt', 'w') as file:
    file.write('Hello World')
