import json

def read(day):
    for path in Path(f'lake/raw/events/day={day}').glob('*.jsonl'):
        for line in path.read_text().splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                print('left out:', line)

sales = [e for e in read('2026-11-21') if e['action'] == 'buy']
print(len(sales), 'sales for', sum(e['price'] for e in sales))
