// Package storeroom_test looks at what stands at the project's root: what can be said of
// the container's files without an engine to run them.
package storeroom_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// service is what is asked of docker-compose.yml.
type service struct {
	Build       string
	Command     []string
	Ports       []string
	Volumes     []string
	Healthcheck struct {
		Test    []string
		Timeout string
	}
	MemLimit    string   `yaml:"mem_limit"`
	PidsLimit   int      `yaml:"pids_limit"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Init        bool
	Privileged  bool
	User        string
}

func compose(t *testing.T) service {
	t.Helper()
	text, err := os.ReadFile("docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]service
		Volumes  map[string]any
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if _, ok := file.Volumes["data"]; !ok {
		t.Error("the volume is not declared")
	}
	s, ok := file.Services["storeroom"]
	if !ok || len(file.Services) != 1 {
		t.Fatalf("services: %v", file.Services)
	}
	return s
}

// dockerfile answers the arguments of an instruction in the last stage.
func dockerfile(t *testing.T) func(instruction string) []string {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := cutLast(strings.ReplaceAll(string(text), "\\\n", " "), "\nFROM ")
	return func(instruction string) (all []string) {
		for _, line := range strings.Split("FROM "+last, "\n") {
			if args, ok := strings.CutPrefix(line, instruction+" "); ok {
				all = append(all, args)
			}
		}
		return all
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func TestTheContainerIsConfined(t *testing.T) {
	s := compose(t)
	if s.Build != "." || s.Privileged || s.User != "" || !s.ReadOnly || !s.Init || s.MemLimit == "" || s.PidsLimit == 0 {
		t.Errorf("%+v", s)
	}
	if !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("it keeps powers: %v %v", s.CapDrop, s.SecurityOpt)
	}
	for _, port := range s.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			t.Errorf("%s is published to the network by default", port)
		}
	}
}

func TestTheImageRunsAsAnOrdinaryUserWithItsDataInTheVolume(t *testing.T) {
	last := dockerfile(t)
	if users := last("USER"); len(users) != 1 || users[0] == "root" || users[0] == "0" {
		t.Errorf("the image's user: %q", users)
	}
	folders := last("VOLUME")
	if len(folders) != 1 || !slices.Contains(compose(t).Volumes, "data:"+folders[0]) {
		t.Errorf("the image keeps data in %q, and the volumes are %q", folders, compose(t).Volumes)
	}
	env := strings.Join(last("ENV"), " ")
	if !strings.Contains(env, "XDG_DATA_HOME="+strings.TrimSuffix(folders[0], "/storeroom")) || !strings.Contains(env, "STOREROOM_CACHE=") {
		t.Errorf("the image's environment: %s", env)
	}
	command := strings.Join(compose(t).Command, " ")
	ports := last("EXPOSE")
	if len(ports) != 1 || !strings.HasSuffix(command, ":"+ports[0]) || !strings.HasSuffix(compose(t).Ports[0], ":"+ports[0]) {
		t.Errorf("the image exposes %q, compose runs %q and publishes %q", ports, command, compose(t).Ports)
	}
}

// The check is run as Docker would, against servers that are well and unwell.
func TestTheHealthCheckTellsWellFromUnwell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	check := compose(t).Healthcheck
	if len(check.Test) != 4 || !slices.Equal(check.Test[:3], []string{"CMD", "bash", "-c"}) || check.Timeout == "" {
		t.Fatalf("the check is %q", check)
	}
	for status, want := range map[int]bool{http.StatusOK: true, http.StatusServiceUnavailable: false} {
		var path string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path = r.URL.Path
			w.WriteHeader(status)
		}))
		port := server.URL[strings.LastIndex(server.URL, ":")+1:]
		script := regexp.MustCompile(`127\.0\.0\.1/\d+`).ReplaceAllLiteralString(check.Test[3], "127.0.0.1/"+port)
		out, err := exec.CommandContext(t.Context(), bash, "-c", script).CombinedOutput()
		server.Close()
		if (err == nil) != want || path != "/healthz" {
			t.Errorf("status %d at %q: %v %s", status, path, err, out)
		}
	}
}
