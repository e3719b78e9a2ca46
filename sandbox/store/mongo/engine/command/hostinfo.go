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
		{Name: "connPoolStats", Run: s.connPoolStats, Admin: true},
		{Name: "lockInfo", Fields: "includeStorageEngineDump", Run: func(*Request) (bsonval.Doc, error) {
			return bsonval.D(bsonval.E("lockInfo", bsonval.ArrayOf())), nil // readers and writers take none
		}, Admin: true},
	}
}

func (s *Server) hostInfo(r *Request) (bsonval.Doc, error) {
	memory := int64(totalMemory() >> 20)
	b := bsonval.NewBuilder(512)
	b.OpenDoc("system").Set("currentTime", bsonval.TimeValue(r.Op.Now)).Str("hostname", r.Conn.Addr)
	b.Int32("cpuAddrSize", strconv.IntSize).Int64("memSizeMB", memory).Int64("memLimitMB", memory)
	b.Int32("numCores", int32(runtime.NumCPU())).Int32("numCoresAvailableToProcess", int32(runtime.GOMAXPROCS(0)))
	b.Str("cpuArch", machine()).Bool("numaEnabled", false).Close()
	kind := strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:]
	b.OpenDoc("os").Str("type", kind).Str("name", kind).Str("version", kernel()).Close()
	b.OpenDoc("extra").Number("pageSize", int64(os.Getpagesize())).Close()
	return b.Doc(), nil
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
