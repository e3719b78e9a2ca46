package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// mergeAuthz is _mergeAuthzCollections, by which mongorestore brings users and roles
// back: it has put them into collections of its own in admin, from which they come into
// their places. With drop, they replace all that there are, of one database or of all.
func (s *Server) mergeAuthz(r *Request) (bsonval.Doc, error) {
	db, err := r.Str("db")
	if err != nil {
		return nil, err
	}
	drop, err := r.Bool("drop")
	if err != nil {
		return nil, err
	}
	users, err := r.Str("tempUsersCollection")
	if err != nil {
		return nil, err
	}
	roles, err := r.Str("tempRolesCollection")
	if err != nil {
		return nil, err
	}
	if users == "" && roles == "" {
		return nil, mongoerr.New(mongoerr.BadValue, "Must provide at least one of \"tempUsersCollection\" and \"tempRolesCollection\"")
	}
	if roles != "" {
		if err := s.mergeInto(r, rolesNS(), roles, "role", db, drop); err != nil {
			return nil, err
		}
	}
	if users != "" {
		return nil, s.mergeInto(r, usersNS(), users, "user", db, drop)
	}
	return nil, nil
}

// mergeInto brings the documents of a collection, named with its database, into the
// users or the roles.
func (s *Server) mergeInto(r *Request, ns storage.NS, from, named, db string, drop bool) error {
	source, ok := storage.ParseNS(from)
	if !ok || s.store.State().Collection(source) == nil {
		return mongoerr.New(mongoerr.NamespaceNotFound, "there is no collection %s to take each %s from", from, named)
	}
	kept := map[string]bool{}
	for _, doc := range s.documentsOf(source, "") {
		if err := checkAuthz(doc, named); err != nil {
			return err
		}
		id := doc.Get("_id").Str()
		if db != "" && doc.Get("db").Str() != db {
			continue
		}
		kept[id] = true
		if !drop && s.lookupID(ns, id) != nil {
			continue
		}
		if err := r.put(ns, doc); err != nil {
			return err
		}
	}
	if !drop {
		return nil
	}
	for _, doc := range s.documentsOf(ns, db) {
		if id := doc.Get("_id").Str(); !kept[id] {
			if err := r.remove(ns, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAuthz refuses a document that can't be one of a user or a role.
func checkAuthz(doc bsonval.Doc, named string) error {
	name, db := stringOr(doc.Get(named), ""), stringOr(doc.Get("db"), "")
	if name == "" || db == "" || stringOr(doc.Get("_id"), "") != db+"."+name || doc.Get("roles").Type() != bsonval.Array ||
		named == "user" && doc.Get("credentials").Type() != bsonval.Object || named == "role" && doc.Get("privileges").Type() != bsonval.Array {
		return mongoerr.New(mongoerr.BadValue, "the document with _id %s is not one of a %s", doc.Get("_id"), named)
	}
	return nil
}
