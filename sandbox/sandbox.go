// Package sandbox holds the words that everything in Storeroom shares: what a
// learner runs (Cell), what a run tells the browser (Event, Reason), what a store
// holds (Shelf), and what nobody may exceed (Limits).
//
// It is a leaf: it imports nothing of Storeroom and starts nothing. The packages
// below it wrap one technology each; sandbox/host puts them together.
package sandbox

// Cell is a runnable snippet.
type Cell struct {
	Lang string `json:"lang"` // "python"
	Name string `json:"name"` // what tracebacks call it, for example "set-and-get.py"
	Code string `json:"code"` // at most Limits.Snippet bytes of UTF-8
}

// Kind tells the kinds of Event apart.
type Kind string

// A run's events are, in order: any number of Queued, one Started, any number of
// Stdout, Stderr, Input and Notice, and exactly one End. A run that never got a turn
// has no Started.
const (
	Queued  Kind = "queued"  // waiting; Place is 1 for the next to run
	Started Kind = "started" // the cell's first line is about to run
	Stdout  Kind = "stdout"  // Text is what the cell printed, whole UTF-8 characters
	Stderr  Kind = "stderr"  // Text is what the cell wrote to its error stream
	Input   Kind = "input"   // the cell waits in input() for one line
	Notice  Kind = "notice"  // Text is Storeroom speaking: variables lost, a store asleep
	End     Kind = "end"     // Reason, Text and Millis; nothing follows
)

// Event is one thing that a run tells the browser.
type Event struct {
	Run    string  `json:"run"`              // the run's id, chosen by the client
	Seq    int64   `json:"seq"`              // 1, 2, 3 … within the run, without a gap
	Kind   Kind    `json:"kind"`             //
	Text   string  `json:"text,omitempty"`   // see Kind
	Place  int     `json:"place,omitempty"`  // Queued
	Reason Reason  `json:"reason,omitempty"` // End
	Millis float64 `json:"millis,omitempty"` // End: from Started to now, waiting in input() not counted
}

// Reason says why a run ended.
type Reason string

// Each reason has one message for the learner, in reasons.go.
const (
	OK       Reason = "ok"       // it came to its end
	Error    Reason = "error"    // the learner's code failed: an exception, a syntax error, exit status 1
	Stopped  Reason = "stopped"  // the learner pressed Stop
	Timeout  Reason = "timeout"  // Limits.Run passed, or Limits.Answer in input()
	Memory   Reason = "memory"   // the interpreter's memory was full and it could not go on
	Output   Reason = "output"   // Limits.Output or Limits.Events was reached
	Quota    Reason = "quota"    // the snippet is too long, or a store is full
	Busy     Reason = "busy"     // the queue is full, or this sandbox is running already
	Lost     Reason = "lost"     // the sandbox's process died
	Shutdown Reason = "shutdown" // Storeroom is stopping
	Internal Reason = "internal" // a fault of Storeroom; the log has it
)

// Shelf is what a store holds now, as the page lists it.
type Shelf struct {
	Store  string `json:"store"`            // "files", "postgres", "mongo", "redis"
	Title  string `json:"title"`            // "PostgreSQL 18"
	Detail string `json:"detail,omitempty"` // "testdb", "2 files · 34 B"
	Items  []Item `json:"items"`            // at most MaxItems, in the store's natural order
	More   int    `json:"more,omitempty"`   // items not listed
	Note   string `json:"note,omitempty"`   // why it can't be used, and what to do
}

// MaxItems bounds Shelf.Items.
const MaxItems = 50

// Item is one thing on a shelf: a file, a table, a collection, a key.
type Item struct {
	Name    string `json:"name"`
	Detail  string `json:"detail"`            // "11 B", "5 rows", "3 documents", "“bar”"
	Expires int64  `json:"expires,omitempty"` // Unix milliseconds at which it goes; 0: never
}
