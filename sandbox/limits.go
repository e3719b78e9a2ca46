package sandbox

import "time"

// Limits are what one learner, or all of them together, may use. Defaults is the
// one place where the figures stand; every one is a flag of the program.
type Limits struct {
	Run         time.Duration // a run's time on the processor and asleep; not in the queue nor in input()
	Grace       time.Duration // between the soft stop (KeyboardInterrupt) and the hard one
	Answer      time.Duration // how long input() waits for a line
	Memory      int64         // bytes of the interpreter's linear memory
	Output      int64         // bytes of output a run
	Events      int64         // events a run
	Snippet     int64         // bytes of a cell
	Postgres    int64         // bytes on disk
	PGConns     int           // connections to PostgreSQL
	Redis       int64         // bytes of keys and values; one value may have a quarter of it
	Mongo       int64         // bytes of documents and indexes
	FileBytes   int64         // bytes in the home folder
	Files       int           // files and folders in the home folder
	Conns       int           // open connections of the interpreter
	PerCore     int           // runs at once a core
	SleepDisk   int64         // bytes of disk that sleeping sandboxes may hold
	SeatsPerMin int           // new seats a minute per address
	Replay      int64         // bytes of a run's events kept for a client that comes back
	ReplayFor   time.Duration // and for how long
	Idle        time.Duration // a store that nobody is connected to is stopped after this
	Rest        time.Duration // a sandbox without a run is put to sleep after this
}

// Defaults are the limits when no flag says otherwise.
func Defaults() Limits {
	const mb = 1 << 20
	return Limits{
		Run: 20 * time.Second, Grace: 200 * time.Millisecond, Answer: 5 * time.Minute,
		Memory: 256 * mb, Output: mb, Events: 10_000, Snippet: 64 << 10,
		Postgres: 256 * mb, PGConns: 18, Redis: 32 * mb, Mongo: 64 * mb,
		FileBytes: 64 * mb, Files: 2000, Conns: 64,
		PerCore: 2, SleepDisk: 10 << 30, SeatsPerMin: 60,
		Replay: 2 * mb, ReplayFor: 10 * time.Minute, Idle: 5 * time.Minute, Rest: time.Hour,
	}
}
