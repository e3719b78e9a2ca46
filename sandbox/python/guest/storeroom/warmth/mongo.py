"""pymongo against a pretended MongoDB, a replica set of one."""

import struct

_header = struct.Struct("<iiii")
_REPLY, _QUERY, _MSG = 1, 2004, 2013
_NAME = "localhost:27017"

_HELLO = {
    "isWritablePrimary": True, "ismaster": True, "helloOk": True, "topologyVersion": None,
    "setName": "rs0", "setVersion": 1, "secondary": False, "hosts": [_NAME], "primary": _NAME, "me": _NAME,
    "maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
    "logicalSessionTimeoutMinutes": 30, "connectionId": 1, "minWireVersion": 0, "maxWireVersion": 25,
    "readOnly": False, "ok": 1.0,
}  # fmt: skip


class Server:
    def answer(self, data):
        import bson

        _, request, _, operation = _header.unpack_from(data)
        if operation == _QUERY:
            body = bson.encode({k: v for k, v in _HELLO.items() if k != "topologyVersion"})
            return _message(request, _REPLY, struct.pack("<iqii", 8, 0, 0, 1) + body)
        size = int.from_bytes(data[21:25], "little")
        command = bson.decode(data[21 : 21 + size])
        return _message(request, _MSG, bytes(5) + bson.encode(self._reply(command)))

    def _reply(self, command):
        import bson

        name = next(iter(command))
        if name in ("hello", "ismaster", "isMaster"):
            return {k: v for k, v in _HELLO.items() if k != "topologyVersion"}
        if name in ("find", "aggregate", "listCollections", "listIndexes"):
            batch = [{"_id": bson.ObjectId(), "name": "John", "age": 30, "n": 1, "key": {"_id": 1}}]
            return {"cursor": {"id": 0, "ns": "database_name.collection_name", "firstBatch": batch}, "ok": 1.0}
        if name == "listDatabases":
            return {"databases": [{"name": "database_name", "sizeOnDisk": 1, "empty": False}], "ok": 1.0}
        if name == "findAndModify":
            return {"value": {"name": "John"}, "lastErrorObject": {"n": 1, "updatedExisting": True}, "ok": 1.0}
        if name == "distinct":
            return {"values": [1], "ok": 1.0}
        return {"n": 1, "nModified": 1, "ok": 1.0}


def _message(request, operation, body):
    return _header.pack(_header.size + len(body), 1, request, operation) + body


def use():
    import pymongo

    client = pymongo.MongoClient("localhost", 27017)
    db = client["database_name"]
    db.collection_name.insert_one({"name": "John", "age": 30})
    for document in db.collection_name.find():
        print(document)
    users = db.users
    users.insert_many([{"name": "Ada"}, {"name": "Bob"}])
    users.find_one({"name": "Ada"})
    list(users.find({"age": {"$gt": 1}}, {"name": 1}).sort("name").skip(1).limit(2))
    users.update_one({"name": "Ada"}, {"$set": {"age": 1}}).modified_count
    users.update_many({}, {"$inc": {"age": 1}})
    users.replace_one({"name": "Ada"}, {"name": "Ada"}, upsert=True)
    users.find_one_and_update({}, {"$set": {"a": 1}})
    users.delete_one({"name": "Ada"}), users.delete_many({}).deleted_count
    users.count_documents({}), users.distinct("name")
    list(users.aggregate([{"$group": {"_id": "$name", "n": {"$sum": 1}}}]))
    users.create_index([("name", pymongo.ASCENDING)], unique=True)
    list(users.list_indexes()), db.list_collection_names(), client.list_database_names()
    users.drop()
    client.close()
