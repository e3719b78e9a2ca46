from pathlib import Path

Path('reports/2026').mkdir(parents=True, exist_ok=True)
january = Path('reports/2026/january.csv')
january.write_text('day,visitors\n1,120\n2,95\n')
Path('reports/readme.txt').write_text('One file a month.\n')

for path in sorted(Path('reports').rglob('*')):
    kind = 'folder' if path.is_dir() else f'{path.stat().st_size} bytes'
    print(path, '-', kind)
