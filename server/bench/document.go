package main

import "fmt"

// person is the document that the second table works with: about 200 bytes of BSON.
type person struct {
	ID      int32    `bson:"_id" json:"_id"`
	Key     string   `bson:"key" json:"key"`       // unique, in no order
	Friend  string   `bson:"friend" json:"friend"` // another's key
	Name    string   `bson:"name" json:"name"`
	City    string   `bson:"city" json:"city"` // one of cities
	Amount  int32    `bson:"amount" json:"amount"`
	Tags    []string `bson:"tags" json:"tags"`
	Address struct {
		Street string `bson:"street" json:"street"`
		Zip    string `bson:"zip" json:"zip"`
	} `bson:"address" json:"address"`
}

const cities = 100

// people makes n documents, the same ones each time.
func people(n int) []person {
	all := make([]person, n)
	for i := range all {
		p := &all[i]
		p.ID, p.Key, p.Friend = int32(i), keyOf(i), keyOf((i*7919+13)%n)
		p.Name = fmt.Sprintf("Person %d", i)
		p.City = fmt.Sprintf("City %02d", i*31%cities)
		p.Amount = int32(i * 7 % 1000)
		p.Tags = []string{"red", "green", "blue"}[:1+i%3]
		p.Address.Street, p.Address.Zip = fmt.Sprintf("%d Main Street", i%300), fmt.Sprintf("%05d", i%99991)
	}
	return all
}

// keyOf is the key of document i.
func keyOf(i int) string { return fmt.Sprintf("%08x", uint32(i)*2654435761) }

// total is what one city comes to.
type total struct {
	City string `bson:"_id"`
	N    int64  `bson:"n"`
	Sum  int64  `bson:"sum"`
	Most int64  `bson:"most"`
}
