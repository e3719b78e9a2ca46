package command

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// hostCommands tell of the machine, and of the connections that this server has to
// others: none.
func (s *Server) hostCommands() []Spec {
	return []Spec{
		{Name: "hostInfo", Run: s.hostInfo, Admin: true},
		{Name: "connPoolStats", Run: s.connPoolStats},
		// There are no connections to others, and nothing is kept of users and roles that could be stale.
		{Name: "connPoolSync", Run: func(*Request) (bsonval.Doc, error) { return nil, nil }},
		{Name: "dropConnections", Fields: "hostAndPort", Run: dropConnections, Admin: true},
		{Name: "invalidateUserCache", Run: func(*Request) (bsonval.Doc, error) { return nil, nil }, Admin: true},
		{Name: "lockInfo", Fields: "includeStorageEngineDump", Run: func(*Request) (bsonval.Doc, error) {
			return bsonval.D(bsonval.E("lockInfo", bsonval.ArrayOf())), nil // readers and writers take none
		}, Admin: true},
	}
}

// dropConnections ends the connections to some hosts, of which there are none.
func dropConnections(r *Request) (bsonval.Doc, error) {
	switch v := r.Body.Get("hostAndPort"); v.Type() {
	case bsonval.Array:
		return nil, nil
	case bsonval.Missing:
		return nil, required("dropConnections.hostAndPort")
	default:
		return nil, wrongType("dropConnections.hostAndPort", v, "array")
	}
}

func (s *Server) hostInfo(r *Request) (bsonval.Doc, error) {
	cpu, memory := processors(), int64(totalMemory()>>20)
	b := bsonval.NewBuilder(1024)
	b.OpenDoc("system").Set("currentTime", bsonval.TimeValue(r.Op.Now)).Str("hostname", r.Conn.Addr)
	b.Int32("cpuAddrSize", strconv.IntSize).Int64("memSizeMB", memory).Int64("memLimitMB", min(memory, memoryLimit(memory)))
	b.Int32("numCores", int32(runtime.NumCPU())).Int32("numCoresAvailableToProcess", int32(runtime.GOMAXPROCS(0)))
	b.Int32("numPhysicalCores", cpu.cores).Int32("numCpuSockets", cpu.sockets)
	b.Str("cpuArch", machine()).Bool("numaEnabled", false).Int32("numNumaNodes", 1).Close()
	name, version := distribution()
	b.OpenDoc("os").Str("type", strings.ToUpper(runtime.GOOS[:1])+runtime.GOOS[1:]).Str("name", name).Str("version", version).Close()
	b.OpenDoc("extra").Str("versionString", readLine("/proc/version")).Str("kernelVersion", readLine("/proc/sys/kernel/osrelease"))
	b.Str("cpuString", cpu.model).Str("cpuFrequencyMHz", cpu.frequency).Str("cpuFeatures", cpu.features)
	page := int64(os.Getpagesize())
	b.Number("pageSize", page).Number("numPages", memory<<20/page).Number("maxOpenFiles", openFiles())
	b.Number("physicalCores", int64(cpu.cores)).Close()
	return b.Doc(), nil
}

// processorInfo is what the system tells of the processors; empty where it can't be seen.
type processorInfo struct {
	model, frequency, features string
	cores, sockets             int32
}

func processors() (p processorInfo) {
	text, _ := os.ReadFile("/proc/cpuinfo") // none is told as none
	cores, sockets := map[string]bool{}, map[string]bool{}
	socket := ""
	for line := range strings.Lines(string(text)) {
		name, v, _ := strings.Cut(line, ":")
		v = strings.TrimSpace(v)
		switch strings.TrimSpace(name) {
		case "model name":
			p.model = v
		case "cpu MHz":
			p.frequency = v
		case "flags", "Features":
			p.features = v
		case "physical id":
			socket = v
			sockets[v] = true
		case "core id":
			cores[socket+" "+v] = true
		}
	}
	p.cores, p.sockets = int32(max(len(cores), 1)), int32(max(len(sockets), 1))
	return p
}

// distribution is the system's name and version.
func distribution() (name, version string) {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:], kernel()
	}
	for line := range strings.Lines(string(text)) {
		key, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch v = strings.Trim(v, `"`); key {
		case "NAME":
			name = v
		case "VERSION_ID":
			version = v
		}
	}
	if version == "" {
		version = kernel()
	}
	return name, version
}

// readLine is a file's one line, empty where there is none.
func readLine(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimSpace(string(text))
}

// memoryLimit is how many MiB the process may use, all where nothing says so.
func memoryLimit(all int64) int64 {
	limit, err := strconv.ParseInt(readLine("/sys/fs/cgroup/memory.max"), 10, 64)
	if err != nil {
		return all
	}
	return limit >> 20
}

// machine is the processor's family as uname names it.
func machine() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return runtime.GOARCH
}

// kernel is the system's release, empty where it can't be seen.
func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return "Kernel " + strings.TrimSpace(string(b))
}

// totalMemory is the machine's memory in bytes, 0 where it can't be seen.
func totalMemory() uint64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		if field := strings.Fields(lines.Text()); len(field) == 3 && field[0] == "MemTotal:" {
			kilobytes, err := strconv.ParseUint(field[1], 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}

func (s *Server) connPoolStats(*Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	for _, name := range [...]string{"numClientConnections", "numAScopedConnections", "totalInUse", "totalAvailable", "totalLeased", "totalCreated", "totalRefreshing", "totalRefreshed", "totalWasNeverUsed"} {
		b.Int32(name, 0)
	}
	b.OpenDoc("pools").Close().OpenDoc("hosts").Close().OpenDoc("replicaSets").Close()
	return b.Doc(), nil
}
