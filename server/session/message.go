package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"storeroom/sandbox"
)

// incoming is a message from the page; docs/protocol.md says which fields each type has.
type incoming struct {
	Type  string `json:"type"`
	Run   string `json:"run"`
	Cell  string `json:"cell"`
	Lang  string `json:"lang"`
	Name  string `json:"name"`
	Code  string `json:"code"`
	Text  string `json:"text"`
	After int64  `json:"after"`
}

var (
	runID    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	fileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
)

// errNotUnderstood is answered to a frame that is no message of the protocol.
var errNotUnderstood = errors.New("that message was not understood: reload the page")

// parse reads a frame and checks all that can be checked without knowing the session.
func parse(frame []byte) (incoming, error) {
	var m incoming
	if err := json.Unmarshal(frame, &m); err != nil {
		return m, errNotUnderstood
	}
	ok := false
	switch m.Type {
	case "run":
		ok = runID.MatchString(m.Run) && m.Cell != "" && m.Lang == "python" && fileName.MatchString(m.Name)
	case "stop":
		ok = runID.MatchString(m.Run)
	case "input":
		ok = runID.MatchString(m.Run) && !strings.ContainsAny(m.Text, "\n\r")
	case "resume":
		ok = runID.MatchString(m.Run) && m.After >= 0
	case "shelves", "reset", "ping":
		ok = true
	}
	if !ok {
		return m, errNotUnderstood
	}
	return m, nil
}

// hello is the first message of every connection.
type hello struct {
	Type string     `json:"type"`
	Seat string     `json:"seat"`
	Idle bool       `json:"idle"`
	Runs []knownRun `json:"runs"`
	// Longest is how many bytes a frame from the page may have.
	Longest int64 `json:"longest"`
}

// knownRun is a run that can be resumed.
type knownRun struct {
	Run  string `json:"run"`
	Cell string `json:"cell"`
	Seq  int64  `json:"seq"` // of its last event
}

type eventMessage struct {
	Type  string        `json:"type"`
	Event sandbox.Event `json:"event"`
}

type goneMessage struct {
	Type string `json:"type"`
	Run  string `json:"run"`
	Seq  int64  `json:"seq,omitempty"` // events up to this one are lost, those after it follow
}

type shelvesMessage struct {
	Type    string          `json:"type"`
	Shelves []sandbox.Shelf `json:"shelves"`
	Now     int64           `json:"now"` // Unix milliseconds at the look: the browser's clock may be wrong
	Run     string          `json:"run,omitempty"`
}

type errorMessage struct {
	Type string `json:"type"`
	Text string `json:"text"`
	Run  string `json:"run,omitempty"` // the run that it is about
}

type bareMessage struct {
	Type string `json:"type"`
}

// frame is a message as it goes over the wire. Text stays as short as JSON allows: the
// page puts it into the document as text, so < and > need no escape.
func frame(message any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		// The types above hold strings, numbers and their lists: nothing that can fail.
		return []byte(`{"type":"error","text":"something went wrong inside Storeroom: reload the page"}`)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
