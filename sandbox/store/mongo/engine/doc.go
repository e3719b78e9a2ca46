// Package engine is a MongoDB server as a library: documents, indexes, queries,
// aggregation, transactions and change streams behind MongoDB's own wire protocol, in
// memory or kept in a folder.
//
//	e, err := engine.Open("", engine.Options{})
//	defer e.Close()
//	go e.ServeConn(ctx, conn, "localhost:27017")
//
// It always presents itself as the primary of a replica set of one node, named by the
// address that the client dialled. What it can't do it answers with the server's own
// error codes, never with something made up.
//
// The packages below it, each importing only those to its left:
//
//	bsonval    values and documents as raw BSON: types, comparison, arithmetic, keys
//	mongoerr   the server's error codes
//	opctx      one running operation: deadline, kill, clock, memory
//	stream     rows and iterators
//	regex      PCRE-like patterns without their dangers
//	collation  strings in the order of a language
//	expr       aggregation expressions
//	match      query filters
//	project    projections
//	update     update operators
//	timeseries buckets of measurements: making them and taking them apart
//	agg        aggregation stages, over agg.Source
//	index      what an index is, and a document's keys in it
//	storage    collections and indexes as persistent trees; the log
//	plan       which index a query uses, and running it
//	crud       insert, update, delete and findAndModify over storage and plan
//	session    logical sessions, retryable writes, cursors' owners
//	cursor     open cursors
//	archive    the file of mongodump --archive: writing and restoring it
//	command    the commands, one family a file
//	wire       OP_MSG and its compression
//
// It knows nothing of Storeroom.
package engine
