"""Does once, in the image, what would otherwise make a learner's first run slow."""


def warm():
    pass
