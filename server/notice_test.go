package server

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheNoticeNamesEveryModule compares NOTICE with what is built into the program.
func TestTheNoticeNamesEveryModule(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/storeroom").Output()
	if err != nil {
		t.Fatal(err)
	}
	notice, err := os.ReadFile("../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	_, modules, _ := strings.Cut(string(notice), "Built into the program")
	modules, _, _ = strings.Cut(modules, "Built into the page")
	major := regexp.MustCompile(`/v\d+$`)
	used := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
	if len(used) < 10 {
		t.Fatalf("the program is built of %q", used)
	}
	for _, module := range used {
		name := path.Base(major.ReplaceAllString(module, ""))
		if module != "storeroom" && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(modules) {
			t.Errorf("NOTICE does not name %s, which is built into the program", module)
		}
	}
}
