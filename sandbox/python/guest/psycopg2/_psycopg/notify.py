"""Notify: a message that another session sent with NOTIFY."""


class Notify:
    """A notification received from the backend.

    `!Notify` instances are made available upon reception on the `~connection.notifies` member of the listening
    connection. The object can be also accessed as a 2 items tuple returning the members :samp:`({pid},{channel})` for
    backward compatibility.
    """

    __module__ = 'psycopg2.extensions'
    __slots__ = ('pid', 'channel', 'payload')

    def __init__(self, pid, channel, payload=''):
        self.pid, self.channel, self.payload = pid, channel, payload

    def _items(self, length=3):
        return (self.pid, self.channel, self.payload)[:length]

    def __repr__(self):
        return f'Notify({self.pid!r}, {self.channel!r}, {self.payload!r})'

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if isinstance(index, int) and not -2 <= index < 2:
            raise IndexError('index out of range')
        return self._items(2)[index]

    def _compare(self, other, test):
        if isinstance(other, Notify):
            return test(self._items(), other._items())
        return test(self._items(2), other) if isinstance(other, tuple) else NotImplemented

    def __eq__(self, other):
        return self._compare(other, tuple.__eq__)

    def __lt__(self, other):
        return self._compare(other, tuple.__lt__)

    def __le__(self, other):
        return self._compare(other, tuple.__le__)

    def __gt__(self, other):
        return self._compare(other, tuple.__gt__)

    def __ge__(self, other):
        return self._compare(other, tuple.__ge__)

    def __hash__(self):
        # Equal to the pair where nothing but the pair distinguishes it.
        return hash(self._items() if self.payload else self._items(2))
