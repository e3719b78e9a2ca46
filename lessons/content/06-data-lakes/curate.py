import csv

target = Path('lake/curated/sales')
target.mkdir(parents=True, exist_ok=True)
with open(target / 'day=2026-11-21.csv', 'w', newline='') as file:
    table = csv.DictWriter(file, ['user', 'price'],
                           extrasaction='ignore', lineterminator='\n')
    table.writeheader()
    table.writerows(sales)

print((target / 'day=2026-11-21.csv').read_text(), end='')
