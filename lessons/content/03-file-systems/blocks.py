from pathlib import Path

text = (b'A long file is cut into blocks, '
        b'and every block is kept more than once.')
BLOCK, COPIES, MACHINES = 16, 2, 3

catalogue = []
for number, start in enumerate(range(0, len(text), BLOCK)):
    places = [(number + copy) % MACHINES for copy in range(COPIES)]
    for machine in places:
        folder = Path(f'cluster/machine-{machine}')
        folder.mkdir(parents=True, exist_ok=True)
        block = text[start:start + BLOCK]
        (folder / f'block-{number}').write_bytes(block)
    catalogue.append(places)

for number, places in enumerate(catalogue):
    print('block', number, 'is on machines', places)
