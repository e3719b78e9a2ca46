package plan

import "math"

// How long candidates compete, as in the server: until one has found this many rows or
// come to its end, or each has taken this many steps.
const (
	trialRows     = 101
	trialWorks    = 10_000
	trialFraction = 0.3
)

// pick keeps the best candidate, and shows it to who asks what runs.
func (p *Plan) pick(all []*candidate) error {
	err := p.choose(all)
	if err == nil && !p.query.Explain {
		p.x.op.Chosen(p)
	}
	return err
}

// choose lets the candidates compete, unless there is but one or the cache knows.
func (p *Plan) choose(all []*candidate) error {
	if len(all) == 1 {
		p.root = all[0].root
		return nil
	}
	if c := p.fromCache(all); c != nil {
		p.root, p.cached = c.root, true
		return nil
	}
	if err := p.trial(all); err != nil {
		return err
	}
	best := p.rank(all)
	if best == nil {
		return all[0].failed
	}
	p.keep(best, all)
	p.remember(best)
	return nil
}

// trial runs the candidates in turn, a step each.
func (p *Plan) trial(all []*candidate) error {
	most := max(trialWorks, int(trialFraction*float64(p.coll.Count())))
	rows := int64(trialRows)
	if n := p.query.Limit + p.query.Skip; p.query.Limit > 0 && p.query.Limit < rows && n > 0 {
		rows = p.query.Limit
	}
	if p.query.First {
		rows = 1
	}
	runs := make([]*execution, len(all))
	for i, c := range all {
		x := *p.x
		x.tally = &c.tally
		runs[i] = &x
		x.start(c.root)
	}
	for range most {
		done, failed := false, 0
		for _, c := range all {
			if c.failed == nil && !c.over {
				c.step()
			}
			if c.failed != nil {
				failed++
			}
			done = done || c.over || int64(len(c.rows)) >= rows
		}
		if err := p.x.op.Check(); err != nil {
			return err
		}
		if done || failed == len(all) {
			break
		}
	}
	for i, c := range all {
		c.run, c.tried = runs[i], c.tally
		if p.query.Explain {
			c.stages = c.root.describe(true)
		}
	}
	return nil
}

func (c *candidate) step() {
	var m member
	st, err := c.root.work(&m)
	switch {
	case err != nil:
		c.failed = err
	case st == advanced:
		c.rows = append(c.rows, m)
	case st == ended:
		c.over = true
	}
}

// rank gives each candidate its score, as the server's: what it found for its work,
// small bonuses for plans that fetch or sort nothing, and 1 for having come to the end.
func (p *Plan) rank(all []*candidate) *candidate {
	var best *candidate
	for _, c := range all {
		if c.failed != nil {
			continue
		}
		works := float64(max(1, c.root.stats.works))
		productivity := float64(c.root.stats.advanced) / works
		epsilon := math.Min(1/(10*works), 1e-4)
		c.score = 1 + productivity
		if !c.has("FETCH") || c.has("PROJECTION_COVERED") {
			c.score += epsilon
		}
		if !c.has("SORT") {
			c.score += epsilon
		}
		if !c.has("AND_SORTED") {
			c.score += epsilon
		}
		if c.over {
			c.score++
		}
		if best == nil || c.score > best.score {
			best = c
		}
	}
	return best
}

// keep makes the winner the plan: it goes on from where its trial ended.
func (p *Plan) keep(best *candidate, all []*candidate) {
	p.winner, p.root, p.ahead, p.over = best, best.root, best.rows, best.over
	work := &p.x.op.Work
	work.KeysExamined += best.tally.KeysExamined
	work.DocsExamined += best.tally.DocsExamined
	best.run.tally = work
	p.x = best.run
	for _, c := range all {
		if c != best {
			p.rejected = append(p.rejected, c)
			if !p.query.Explain {
				c.rows = nil
			}
		}
	}
}

// works are the steps that the plan has taken so far.
func (p *Plan) works() int64 { return p.root.stats.works }
