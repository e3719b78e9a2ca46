// Package bsonval is the engine's value model: documents kept as raw BSON bytes and
// walked lazily, and Value, one BSON value that is either inline (numbers, dates,
// booleans) or a slice of such bytes.
//
// It owns types, comparison across types, numeric arithmetic with the server's rules
// of promotion, ordered key encoding (for indexes, grouping and sets) and building.
// Every other package of the engine builds on it; it imports none of them.
//
// Bytes are never changed once a Doc or a Value points to them. All walkers assume
// bytes that Validate has accepted: whatever comes from outside goes through it once,
// at the door (package wire).
package bsonval
