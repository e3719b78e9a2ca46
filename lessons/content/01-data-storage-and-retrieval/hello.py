import sys

print('Hello, storeroom!')
print('This is Python', sys.version.split()[0])
