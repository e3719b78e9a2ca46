"""The BSON corpus through the server. pymongo's own test_bson_corpus.py asks only the
driver's codec; here every valid document is stored and read back byte for byte, and a
broken one must be refused and leave nothing.
"""

import json
import os
import pathlib
import socket
import struct

import bson
import pymongo
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

CORPUS = pathlib.Path(os.environ["SUITES_TREE"]) / "test" / "bson_corpus"
FILES = [json.loads(path.read_text()) for path in sorted(CORPUS.glob("*.json"))]


def cases(kind, field):
    return [
        pytest.param(bytes.fromhex(case[field]), id=f"{spec['description']}: {case['description']}".replace(" ", "_"))
        for spec in FILES for case in spec.get(kind, []) if field in case
    ]


@pytest.fixture(scope="module")
def collection():
    client = pymongo.MongoClient(os.environ["DB_IP"], int(os.environ["DB_PORT"]))
    coll = client.corpus.get_collection("c", codec_options=CodecOptions(document_class=RawBSONDocument))
    coll.drop()
    yield coll
    client.close()


def document(elements):
    return struct.pack("<i", len(elements) + 5) + elements + b"\x00"


def around(raw):
    """A document that holds the case in its field d, after _id: 1."""
    return document(b"\x10_id\x00\x01\x00\x00\x00" + b"\x03d\x00" + raw)


@pytest.mark.parametrize("raw", cases("valid", "canonical_bson"))
def test_a_valid_document_comes_back_as_it_was(raw, collection):
    collection.delete_many({})
    collection.insert_one(RawBSONDocument(around(raw)))
    assert collection.find_one().raw == around(raw)


def sent(raw):
    """Sends an insert past the driver, which would look into the document, and answers
    the reply; None when the server hangs up."""
    body = bson.encode({"insert": "c", "$db": "corpus"})
    sequence = b"documents\x00" + around(raw)
    message = b"\x00\x00\x00\x00" + b"\x00" + body + b"\x01" + struct.pack("<i", len(sequence) + 4) + sequence
    with socket.create_connection((os.environ["DB_IP"], int(os.environ["DB_PORT"])), timeout=10) as conn:
        conn.sendall(struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message)
        got = b""
        while len(got) < 4 or len(got) < struct.unpack("<i", got[:4])[0]:
            more = conn.recv(1 << 16)
            if not more:
                return None
            got += more
    return bson.decode(got[21:])


@pytest.mark.parametrize("raw", cases("decodeErrors", "bson"))
def test_a_broken_document_is_refused(raw, collection):
    collection.delete_many({})
    reply = sent(raw)
    assert reply is None or reply["ok"] == 0 or reply["writeErrors"], reply
    assert collection.count_documents({}) == 0
