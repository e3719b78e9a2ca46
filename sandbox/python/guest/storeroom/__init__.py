"""Storeroom's own Python inside a learner's interpreter.

The host enters through two functions: turns() runs snippets, reseed() makes a
fork different from its siblings. boot.py runs once, when the image is made.
"""

from .reseed import reseed
from .runner import turns

__all__ = ["reseed", "turns"]
