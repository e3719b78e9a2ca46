package changestream

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// maxEvent is how long an event may be in BSON, in bytes: a document's limit and what
// the server allows beyond for its own fields.
const maxEvent = 16<<20 + 16<<10

// fragmentHead is more than _id and splitEvent take in a fragment, in bytes.
const fragmentHead = 256

// Whole answers the event itself, or an error where it is too long to be sent.
func (s *Stream) Whole(event bsonval.Doc) (bsonval.Doc, error) {
	if len(event) > maxEvent {
		return nil, tooLarge(len(event), event)
	}
	return event, nil
}

func tooLarge(size int, event bsonval.Doc) error {
	return mongoerr.New(mongoerr.BSONObjectTooLarge, "BSONObj size: %d (0x%X) is invalid. Size must be between 0 and %d(16MB) First element: _id: %s", size, size, maxEvent, event.Get("_id")).Labelled("NonResumableChangeStreamError")
}

// Split answers the event that Next gave last, in the form that the pipeline gave it, as
// fragments of which each is short enough, for $changeStreamSplitLargeEvent. Of the
// event that a stream was resumed within, those that the client has had are left out.
// https://www.mongodb.com/docs/v8.0/reference/operator/aggregation/changeStreamSplitLargeEvent/
func (s *Stream) Split(event bsonval.Doc) ([]bsonval.Doc, error) {
	skip := 0
	if from := s.spec.start; from != nil && from.fragment > 0 && s.at == (position{ts: from.ts, index: from.index, kind: ofEvent}) {
		skip = int(from.fragment)
	}
	if len(event) <= maxEvent && skip == 0 {
		return []bsonval.Doc{event}, nil
	}
	groups, err := portions(event)
	if err != nil {
		return nil, err
	}
	if skip >= len(groups) {
		return nil, mongoerr.New(mongoerr.ChangeStreamFatalError, "Attempted to resume from a split event, but the resumed stream produced a different split. Ensure that the pipeline used to resume is the same as the original").Labelled("NonResumableChangeStreamError")
	}
	var out []bsonval.Doc
	for i, fields := range groups {
		at := s.at
		if i < len(groups)-1 { // after the last one comes the next event
			at.fragment = uint32(i) + 1
		}
		b := bsonval.NewBuilder(fragmentHead)
		b.Set("_id", at.token()).OpenDoc("splitEvent").Int32("fragment", int32(i)+1).Int32("of", int32(len(groups))).Close()
		for _, f := range fields {
			b.Set(f.Name, f.Value)
		}
		out = append(out, b.Doc())
	}
	return out[skip:], nil
}

// portions distributes an event's fields, the small ones first.
func portions(event bsonval.Doc) ([][]bsonval.Element, error) {
	var fields []bsonval.Element
	for name, v := range event.All() {
		if name != "_id" {
			fields = append(fields, bsonval.E(name, v))
		}
	}
	slices.SortStableFunc(fields, func(a, b bsonval.Element) int { return a.Value.Size() - b.Value.Size() })
	var out [][]bsonval.Element
	left := 0
	for _, f := range fields {
		size := f.Value.Size() + len(f.Name) + 2
		if size > maxEvent-fragmentHead {
			return nil, tooLarge(len(event), event)
		}
		if size > left {
			out, left = append(out, nil), maxEvent-fragmentHead
		}
		out[len(out)-1] = append(out[len(out)-1], f)
		left -= size
	}
	return out, nil
}
