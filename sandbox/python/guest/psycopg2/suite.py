"""Runs psycopg2's own test suite over our _psycopg, with the Python of this machine, against a real server.

    python3 suite.py --package DIR [--real] [tests.test_cursor ...]

DIR holds psycopg2/ as unpacked from the wheel psycopg2-binary; only its Python files are used, unless --real asks for
its own C module, to compare. The suite comes from psycopg2's source package, which pip fetches at each first run (pip
asks for a pg_config on PATH); nothing of it is kept in this project. The server is named by the suite's own variables:
PSYCOPG2_TESTDB, PSYCOPG2_TESTDB_HOST, PSYCOPG2_TESTDB_PORT, PSYCOPG2_TESTDB_USER, PSYCOPG2_TEST_REPL_DSN. The user must
be a superuser, and the server have max_prepared_transactions=10 and wal_level=logical.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

VERSION = '2.9.13'
HERE = pathlib.Path(__file__).resolve().parent


def fetch(cache):
    """The folder of psycopg2's source package, fetched if it is not there."""
    folder = cache / f'psycopg2-{VERSION}'
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', 'psycopg2', '-d',
                        str(cache), f'psycopg2=={VERSION}'], check=True)
        with tarfile.open(cache / f'psycopg2-{VERSION}.tar.gz') as archive:
            archive.extractall(cache)
    return folder


def assemble(package, target, real):
    """Makes target/psycopg2: the wheel's files, and in place of its C module ours."""
    keep = None if real else shutil.ignore_patterns('_psycopg*', '__pycache__')
    shutil.copytree(package / 'psycopg2', target / 'psycopg2', ignore=keep)
    if real:
        shutil.copytree(package / 'psycopg2_binary.libs', target / 'psycopg2_binary.libs')
    else:
        (target / 'psycopg2' / '_psycopg').symlink_to(HERE / '_psycopg')


RUN = '''
import sys, unittest
names = sys.argv[1:]
if names:
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
else:
    import tests
    suite = tests.test_suite()
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
bad = result.failures + result.errors
for test, _ in bad:
    print('FAILED', test.id())
good = result.testsRun - len(bad) - len(result.skipped) - len(result.expectedFailures)
print(f'psycopg2 suite: {result.testsRun} run, {good} pass, {len(result.skipped)} skip, {len(bad)} fail')
sys.exit(bool(bad))
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--package', type=pathlib.Path, required=True, help='folder that holds the unpacked wheel')
    parser.add_argument('--cache', type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / 'psycopg2-sdist')
    parser.add_argument('--real', action='store_true', help="run the wheel's own C module instead")
    parser.add_argument('names', nargs='*', help='tests to run, such as tests.test_cursor; all if none')
    chosen = parser.parse_args()
    folder = fetch(chosen.cache)
    with tempfile.TemporaryDirectory() as target:
        assemble(chosen.package, pathlib.Path(target), chosen.real)
        environment = {**os.environ, 'PYTHONPATH': target, 'PYTHONDONTWRITEBYTECODE': '1'}
        command = [sys.executable, '-W', 'ignore::DeprecationWarning', '-c', RUN, *chosen.names]
        sys.exit(subprocess.run(command, cwd=folder, env=environment).returncode)


if __name__ == '__main__':
    main()
