package plan

import (
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// ExecStats are the plan's stages as explain shows them, with what they have done.
func (p *Plan) ExecStats() bsonval.Doc {
	if p.root == nil {
		return nil
	}
	return p.root.describe(true)
}

// ScansAll tells whether the plan reads the whole collection.
func (p *Plan) ScansAll() bool { return p.root != nil && p.root.scansAll() }

// MultiPlanned tells whether the plan has won a trial.
func (p *Plan) MultiPlanned() bool { return p.winner != nil && len(p.rejected) > 0 }

// PlanningTime is how long it took to choose the plan.
func (p *Plan) PlanningTime() time.Duration { return p.planning }
