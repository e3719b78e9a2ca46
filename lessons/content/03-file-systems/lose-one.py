import shutil

shutil.rmtree('cluster/machine-1', ignore_errors=True)

whole = b''
for number, places in enumerate(catalogue):
    alive = [m for m in places if Path(f'cluster/machine-{m}').exists()]
    block = Path(f'cluster/machine-{alive[0]}/block-{number}')
    whole += block.read_bytes()

print(whole.decode())
