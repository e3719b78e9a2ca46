// Package plan chooses how a query reads a collection, by which index and in which
// order, and runs that plan.
//
// It reads collections as package storage keeps them and never changes them.
package plan
