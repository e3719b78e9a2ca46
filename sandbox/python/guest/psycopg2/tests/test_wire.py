"""Framing: messages in any pieces, lengths that can't be."""

import random
import unittest

import scripted
from _psycopg import wire


class Framing(unittest.TestCase):
    messages = [(90, b'I'), (68, b''), (84, b'x' * 5000), (67, b'SELECT 1\0'), (68, b'\0' * 70000)]
    stream = b''.join(wire.message(bytes([kind]), payload) for kind, payload in messages)

    def taken(self, pieces):
        frames, found = wire.Frames(), []
        for piece in pieces:
            frames.feed(piece)
            while (message := frames.next()) is not None:
                found.append(message)
        return found

    def test_whole(self):
        self.assertEqual(self.taken([self.stream]), self.messages)

    def test_byte_by_byte(self):
        self.assertEqual(self.taken(bytes([b]) for b in self.stream), self.messages)

    def test_any_pieces(self):
        pick = random.Random(7)
        for _ in range(50):
            cuts = sorted(pick.randrange(len(self.stream)) for _ in range(pick.randrange(12)))
            edges = [0, *cuts, len(self.stream)]
            self.assertEqual(self.taken(self.stream[a:b] for a, b in zip(edges, edges[1:])), self.messages)

    def test_two_feeds_before_a_look(self):
        frames = wire.Frames()
        frames.feed(self.stream[:9])
        frames.feed(self.stream[9:])
        self.assertEqual(frames.next(), self.messages[0])

    def test_impossible_lengths(self):
        for length in (0, 3, 0x40000000, 0xffffffff):
            frames = wire.Frames()
            frames.feed(b'D' + length.to_bytes(4, 'big'))
            with self.assertRaises(wire.BadFrame):
                frames.next()


class Payloads(unittest.TestCase):
    def test_row(self):
        payload = scripted.row(b'a', None, b'')[5:]
        self.assertEqual(wire.data_row(payload), [b'a', None, b''])
        self.assertEqual(wire.data_tuples([payload] * 2, [bytes.decode] * 3), [('a', None, '')] * 2)

    def test_columns(self):
        found = wire.row_description(scripted.columns(('a', 23), ('é', 25))[5:])
        self.assertEqual([(f.name, f.type, f.size) for f in found], [(b'a', 23, -1), ('é'.encode(), 25, -1)])

    def test_query(self):
        self.assertEqual(wire.query(b'select 1'), b'Q\0\0\0\x0dselect 1\0')

    def test_counts_of_a_tag(self):
        for tag, rows, oid in (('INSERT 0 3', 3, 0), ('INSERT 77 1', 1, 77), ('SELECT 5', 5, 0), ('BEGIN', -1, 0),
                               ('CREATE TABLE', -1, 0), ('COPY 2', 2, 0)):
            result = wire.Result()
            result.tag = tag
            self.assertEqual((result.affected(), result.last_oid()), (rows, oid), tag)


if __name__ == '__main__':
    unittest.main()
