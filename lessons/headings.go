package lessons

// heading is a heading of the document that the course mirrors.
type heading struct {
	level int
	text  string
}

// headings are the document's thirteen, in its order. The bold lines under "Reading and
// Writing" count as headings of the third level, as the document means them.
func headings() []heading {
	return []heading{
		{1, "Data Storage and Retrieval"},
		{2, "Overview of Different Types of Data Storage Systems"},
		{3, "File Systems"},
		{3, "Relational Databases"},
		{3, "NoSQL Databases"},
		{3, "Data Lakes"},
		{3, "In-memory Data Stores"},
		{2, "Reading and Writing Data from Various Storage Systems in Python"},
		{3, "Reading and Writing to File Systems"},
		{3, "Interacting with PostgreSQL"},
		{3, "Interacting with MongoDB"},
		{3, "Interacting with Redis"},
		{1, "Best Practices for Managing Data Storage and Retrieval"},
	}
}

// place is the position of a section in the document, -1 when it has no such heading.
func place(section string) int {
	for i, h := range headings() {
		if h.text == section {
			return i
		}
	}
	return -1
}
