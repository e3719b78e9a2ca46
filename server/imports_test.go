package server

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestImportsGoOneWay holds the four rooms of the house apart, in production code:
// sandbox knows nothing of ours outside itself, lessons knows sandbox's words alone, web
// knows nothing, and MongoDB's engine knows nothing but itself.
func TestImportsGoOneWay(t *testing.T) {
	rules := []struct{ room, may string }{
		{"sandbox/store/mongo/engine", "storeroom/sandbox/store/mongo/engine"},
		{"sandbox", "storeroom/sandbox"},
		{"lessons", "storeroom/sandbox"},
		{"web", "storeroom/web"},
	}
	leaf := map[string]string{"sandbox": "", "lessons": "storeroom/sandbox"} // may import exactly this of ours
	checked := 0
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..") {
			return fs.SkipDir
		}
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		name, err := filepath.Rel("..", file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, one := range parsed.Imports {
			imported, err := strconv.Unquote(one.Path.Value)
			if err != nil || !below(imported, "storeroom") {
				continue
			}
			checked++
			if exactly, ok := leaf[path.Dir(name)]; ok && imported != exactly {
				t.Errorf("%s imports %s: it may import only %q of ours", name, imported, exactly)
			}
			for _, rule := range rules {
				if below(name, rule.room) {
					if !below(imported, rule.may) && !below(imported, "storeroom/"+rule.room) {
						t.Errorf("%s imports %s: %s may import only what is below %s", name, imported, rule.room, rule.may)
					}
					break
				}
			}
		}
		return nil
	})
	if err != nil || checked < 20 {
		t.Errorf("%d imports were checked: %v", checked, err)
	}
}

func below(name, parent string) bool { return name == parent || strings.HasPrefix(name, parent+"/") }
