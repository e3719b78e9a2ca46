from pathlib import Path

events = {
    '2026-11-20': [
        '{"user": "ada", "action": "login"}',
        '{"user": "grace", "action": "buy", "price": 12}',
    ],
    '2026-11-21': [
        '{"user": "ada", "action": "buy", "price": 30}',
        'not json at all',
        '{"user": "alan", "action": "buy", "price": 8}',
    ],
}
for day, lines in events.items():
    folder = Path(f'lake/raw/events/day={day}')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'part-0000.jsonl').write_text('\n'.join(lines) + '\n')

for path in sorted(Path('lake').rglob('*.jsonl')):
    print(path)
