import io

cursor.execute("""
    DROP TABLE IF EXISTS recipes;
    CREATE TABLE recipes (id int, dish text);
    INSERT INTO recipes VALUES (1, 'soup'), (2, 'bread');
""")

backup = io.StringIO()
cursor.copy_expert('COPY recipes TO STDOUT', backup)
open('recipes.backup', 'w').write(backup.getvalue())

cursor.execute('DROP TABLE recipes')                 # the accident

cursor.execute('CREATE TABLE recipes (id int, dish text)')
with open('recipes.backup') as file:
    cursor.copy_expert('COPY recipes FROM STDIN', file)
cursor.execute('SELECT * FROM recipes ORDER BY id')
print('restored:', cursor.fetchall())
