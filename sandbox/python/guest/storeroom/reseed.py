"""What must differ between forks of one image: every source of randomness with a state."""

import os
import sys


def reseed():
    """Runs in each new fork, before the learner's first turn."""
    loaded = sys.modules
    if "random" in loaded:
        loaded["random"].seed()
    if "numpy.random.mtrand" in loaded:
        loaded["numpy.random.mtrand"]._rand.seed()
    if "uuid" in loaded:
        loaded["uuid"]._node = None
        loaded["uuid"]._last_timestamp = None
    if "tempfile" in loaded:
        loaded["tempfile"]._name_sequence = None
    if "bson.objectid" in loaded:
        _reseed_object_ids(loaded["bson.objectid"])


def _reseed_object_ids(objectid):
    """Both the process part and the counter: two forks must not make the same _id."""
    objectid.ObjectId._inc = int.from_bytes(os.urandom(3))
    objectid.ObjectId._ObjectId__random = os.urandom(5)
