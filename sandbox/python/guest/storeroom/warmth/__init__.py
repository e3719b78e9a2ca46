"""Does once, in the image, what would otherwise make a learner's first run slow.

Each client library talks to a pretended store, over the real socket modules: so its
modules are loaded and its bytecode specialised. Nothing here is left in the image.
"""

import contextlib
import io
import os

from . import mongo, network, postgres, redis, science


def warm():
    with contextlib.redirect_stdout(io.StringIO()):
        science.use()
    rounds = 4  # CPython specialises a function after a few calls
    with network.pretended({6379: redis.Server, 27017: mongo.Server, 5432: postgres.Server}):
        for _ in range(rounds):
            with contextlib.redirect_stdout(io.StringIO()):
                redis.use()
                mongo.use()
                if os.path.exists("/guest/psycopg2/_psycopg/__init__.py"):
                    postgres.use()
