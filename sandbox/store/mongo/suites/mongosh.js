// What a teacher types into mongosh, each with what has to come back. mongosh.py runs it.
const assert = require('node:assert/strict');
let checked = 0;

const same = (got, want, what) => { assert.deepEqual(EJSON.serialize(got), EJSON.serialize(want), what); checked++; };
const refused = (name, act) => {
  try { act(); } catch (e) { same(e.codeName, name, e.message); return; }
  assert.fail(`not refused with ${name}`);
};
const shown = (what) => show(what).value;

// What it did when it started went well, or it would not be here.
same(db.version().split('.')[0], '8');
same(db.hello().isWritablePrimary, true);
same(db.hello().me, db.getMongo()._uri.match(/\/\/([^/]+)/)[1]);

db = db.getSiblingDB('shop');
db.dropDatabase();
same(db.people.insertOne({ _id: 1, name: 'Ann', age: 30 }), { acknowledged: true, insertedId: 1 });
same(db.people.insertMany([{ _id: 2, name: 'Bob', age: 41 }, { _id: 3, name: 'Cy', age: 25, tags: ['a', 'b'] }]).insertedIds, { 0: 2, 1: 3 });
refused(undefined, () => db.people.insertOne({ _id: 1 }));
same(db.people.find({ age: { $gt: 26 } }, { name: 1, _id: 0 }).sort({ age: -1 }).toArray(), [{ name: 'Bob' }, { name: 'Ann' }]);
same(db.people.findOne({ tags: 'b' }).name, 'Cy');
same([db.people.countDocuments(), db.people.estimatedDocumentCount(), db.people.distinct('age')], [3, 3, [30, 41, 25]]);
same(db.people.updateOne({ name: 'Ann' }, { $inc: { age: 1 } }).modifiedCount, 1);
same(db.people.updateMany({}, { $set: { city: 'Bern' } }).modifiedCount, 3);
same(db.people.replaceOne({ _id: 9 }, { name: 'Di' }, { upsert: true }).insertedId, 9);
same(db.people.deleteOne({ _id: 9 }).deletedCount, 1);
same(db.people.findOneAndUpdate({ _id: 2 }, { $set: { age: 50 } }, { returnDocument: 'after', projection: { age: 1 } }), { _id: 2, age: 50 });
same(db.people.bulkWrite([{ insertOne: { document: { _id: 7 } } }, { updateOne: { filter: { _id: 7 }, update: { $set: { a: 1 } } } }, { deleteOne: { filter: { _id: 7 } } }]).deletedCount, 1);
const bulk = db.people.initializeUnorderedBulkOp();
bulk.insert({ _id: 8 });
bulk.find({ _id: 8 }).deleteOne();
same(bulk.execute().deletedCount, 1);

same(db.people.createIndex({ age: 1 }), 'age_1');
same(db.people.getIndexes().map((i) => i.name), ['_id_', 'age_1']);
const plan = db.people.find({ age: 31 }).explain('executionStats');
same([plan.queryPlanner.winningPlan.inputStage.stage, plan.executionStats.totalDocsExamined], ['IXSCAN', 1]);
same(db.people.explain().aggregate([{ $match: { age: 31 } }, { $group: { _id: '$age' } }]).ok, 1);
same(db.people.getPlanCache().list(), []);
same(db.people.dropIndex('age_1').ok, 1);

same(db.people.aggregate([{ $group: { _id: null, most: { $max: '$age' } } }]).toArray(), [{ _id: null, most: 50 }]);
same(db.createView('names', 'people', [{ $project: { name: 1 } }]).ok, 1);
same(db.names.find({ name: 'Cy' }).toArray(), [{ _id: 3, name: 'Cy' }]);
same(db.createCollection('weather', { timeseries: { timeField: 'at', metaField: 'where', granularity: 'minutes' } }).ok, 1);
db.weather.insertMany([{ at: ISODate('2026-01-01T00:00:00Z'), where: 'Bern', t: 2 }, { at: ISODate('2026-01-01T00:01:00Z'), where: 'Bern', t: 4 }]);
same(db.weather.aggregate([{ $group: { _id: '$where', t: { $avg: '$t' } } }]).toArray(), [{ _id: 'Bern', t: 3 }]);
same(db.createCollection('strict', { validator: { $jsonSchema: { required: ['a'] } } }).ok, 1);
refused('DocumentValidationFailure', () => db.runCommand({ insert: 'strict', documents: [{ b: 1 }] }).writeErrors.forEach((e) => { throw Object.assign(new Error(e.errmsg), { codeName: e.code === 121 ? 'DocumentValidationFailure' : '' }); }));
same(db.getCollectionNames().filter((n) => !n.startsWith('system.')).sort(), ['names', 'people', 'strict', 'weather']);
same(shown('collections').filter((c) => !c.name.startsWith('system.')).length, 4);
same(db.getCollectionInfos({ name: 'names' })[0].type, 'view');

const session = db.getMongo().startSession();
session.startTransaction();
session.getDatabase('shop').people.insertOne({ _id: 99 });
same(db.people.countDocuments({ _id: 99 }), 0);
session.abortTransaction();
session.withTransaction(() => session.getDatabase('shop').people.insertOne({ _id: 98 }));
session.endSession();
same(db.people.find({ _id: { $gte: 98 } }).toArray(), [{ _id: 98 }]);

const watched = db.people.watch([], { fullDocument: 'updateLookup' });
db.people.updateOne({ _id: 98 }, { $set: { x: 1 } });
let event;
while (!(event = watched.tryNext()));
same([event.operationType, event.updateDescription.updatedFields, event.fullDocument], ['update', { x: 1 }, { _id: 98, x: 1 }]);
watched.close();

const values = { _id: UUID('a1b2c3d4-0000-4000-8000-000000000000'), d: Decimal128('1.10'), l: Long('5'), dt: ISODate('2026-01-01T00:00:00Z'), r: /a/i, b: BinData(0, 'aGk='), t: Timestamp(5, 6), k: MinKey() };
db.values.insertOne(values);
same(db.values.findOne(), values);
db.places.insertOne({ _id: 1, at: { type: 'Point', coordinates: [7.4, 46.9] } });
db.places.createIndex({ at: '2dsphere' });
same(db.places.find({ at: { $near: { $geometry: { type: 'Point', coordinates: [7, 47] }, $maxDistance: 100000 } } }).count(), 1);
db.texts.insertOne({ _id: 1, s: 'running cats' });
db.texts.createIndex({ s: 'text' });
same(db.texts.find({ $text: { $search: 'cat' } }, { score: { $meta: 'textScore' } }).toArray(), [{ _id: 1, s: 'running cats', score: 0.75 }]);

same(db.people.renameCollection('persons').ok, 1);
same(db.persons.validate().valid, true);
same(db.persons.convertToCapped(100000).ok, 1);
same([db.persons.isCapped(), db.persons.stats().count, db.stats().db], [true, 4, 'shop']);
same(db.setProfilingLevel(2).ok, 1);
db.persons.findOne({ name: 'Ann' });
db.setProfilingLevel(0);
same(db.system.profile.find({ op: 'query', ns: 'shop.persons' }).count() > 0, true);

same(db.createRole({ role: 'reader', privileges: [{ resource: { db: 'shop', collection: 'persons' }, actions: ['find'] }], roles: [] }).ok, 1);
same(db.createUser({ user: 'ann', pwd: 'apple', roles: ['reader'] }).ok, 1);
same(db.getUser('ann').roles, [{ role: 'reader', db: 'shop' }]);
same(shown('users').map((u) => u.user), ['ann']);
same(db.auth('ann', 'apple').ok, 1);
same(db.persons.countDocuments({ name: 'Ann' }), 1);
refused('Unauthorized', () => db.runCommand({ insert: 'persons', documents: [{ a: 1 }] }));
refused('Unauthorized', () => db.places.findOne());

const root = new Mongo(db.getMongo()._uri).getDB('admin');
same(root.adminCommand({ listDatabases: 1, nameOnly: true }).databases.map((d) => d.name).includes('shop'), true);
same(root.getMongo().getDBNames().includes('shop'), true);
same([root.serverStatus().ok, root.hostInfo().ok, root.adminCommand({ getParameter: '*' }).ok, root.adminCommand({ top: 1 }).ok], [1, 1, 1, 1]);
same(root.currentOp({ $all: true }).inprog.length > 0, true);
same(root.getSiblingDB('shop').dropDatabase().ok, 1);
refused('CommandNotSupported', () => root.runCommand({ replSetStepDown: 1 }));
console.log(`mongosh: ${checked} of ${checked} checks pass`);
