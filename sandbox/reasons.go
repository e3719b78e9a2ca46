package sandbox

import "fmt"

// Message is what a learner reads when a run ends for this reason: what happened and
// what to do next. It is empty where the output already says it (OK, Error).
func (l Limits) Message(r Reason) string {
	switch r {
	case Stopped:
		return "You stopped this run."
	case Timeout:
		return fmt.Sprintf("The time was up: a run may take %v. Look for a loop that does not end, or do the work in smaller steps.", l.Run)
	case Memory:
		return fmt.Sprintf("Python's memory was full: a sandbox has %s. Keep less in variables at once, for example by reading in parts.", size(l.Memory))
	case Output:
		return fmt.Sprintf("That was a lot of output: a run may print %s in %d pieces. What came before is above; print less, for example only the first lines.", size(l.Output), l.Events)
	case Quota:
		return fmt.Sprintf("The snippet is too long: a cell may hold %s. Shorten it, or put data into a file.", size(l.Snippet))
	case Busy:
		return "This sandbox is running something already, perhaps in another tab. Wait for it or press Stop there, then run this again."
	case Lost:
		return "Python's process ended unexpectedly. Your files and stores are safe, its variables are gone. Run again to go on."
	case Shutdown:
		return "Storeroom is being stopped. Your files and stores are kept; run this again when it is back."
	case Internal:
		return "Something went wrong inside Storeroom; that is not your mistake. Run again; if it stays, tell whoever runs Storeroom to look at its log."
	}
	return ""
}

func size(n int64) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
