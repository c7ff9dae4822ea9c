// Reads compose.yaml with the parser of Docker Compose, and checks what it says: every image has a version, what is mounted
// exists, nothing listens outside this machine, and tagstream runs without rights and on a file system that it cannot write.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func load(path string, profiles ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithProfiles(profiles), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func check(name string, service types.ServiceConfig) (problems []string) {
	say := func(format string, values ...any) {
		problems = append(problems, name+": "+fmt.Sprintf(format, values...))
	}
	_, version, found := strings.Cut(service.Image, ":")
	if !found || version == "latest" {
		say("the image %s has no version", service.Image)
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			say("port %s listens outside this machine", port.Published)
		}
	}
	for _, volume := range service.Volumes {
		if volume.Type != "bind" {
			continue
		}
		if _, err := os.Stat(volume.Source); err != nil {
			say("%v", err)
		}
		if !volume.ReadOnly {
			say("%s can be written", volume.Source)
		}
	}
	if strings.HasPrefix(service.Image, "tagstream:") {
		if !service.ReadOnly || len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL" {
			say("it may write, or has rights")
		}
		if service.Build == nil {
			say("nothing says how the image is built")
		} else if _, err := os.Stat(service.Build.Context + "/" + service.Build.Dockerfile); err != nil {
			say("%v", err)
		}
	}
	return problems
}

// What is posted goes to a service that runs, at the port at which it listens, and both read one secret.
func checkPush(project *types.Project) (problems []string) {
	push, receiver := project.Services["push"], project.Services["receiver"]
	value := func(service types.ServiceConfig, name string) string {
		if value := service.Environment[name]; value != nil {
			return *value
		}
		return ""
	}
	url := value(push, "TAGSTREAM__PUSH__URL")
	if host, port, found := strings.Cut(strings.Trim(strings.TrimPrefix(url, "http://"), "/"), ":"); !found || host != "receiver" || !slices.Contains(receiver.Command, port) {
		problems = append(problems, "push posts to "+url+", where nothing listens")
	}
	if value(project.Services["topics"], "TAGSTREAM__PUSH__URL") != url {
		problems = append(problems, "topics does not make the topic of push's dead letters")
	}
	secret := value(push, "TAGSTREAM__PUSH__SECRET")
	if !slices.Contains(receiver.Command, secret) {
		problems = append(problems, "the receiver does not read "+secret)
	}
	for name, service := range map[string]types.ServiceConfig{"push": push, "receiver": receiver} {
		has := func(mounted types.ServiceSecretConfig) bool { return secret == "/run/secrets/"+mounted.Source }
		if !slices.ContainsFunc(service.Secrets, has) {
			problems = append(problems, name+" has no "+secret)
		}
	}
	return problems
}

func main() {
	path := os.Args[1]
	project, err := load(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	everything, err := load(path, "look", "push")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var problems []string
	for name, service := range everything.Services {
		problems = append(problems, check(name, service)...)
	}
	for _, name := range []string{"kafka", "topics", "history", "feeder", "run-1", "run-2", "serve", "prometheus", "grafana"} {
		if _, found := project.Services[name]; !found {
			problems = append(problems, name+" is missing")
		}
	}
	for _, name := range []string{"kafka-ui", "push", "receiver"} {
		if _, found := everything.Services[name]; !found {
			problems = append(problems, name+" is missing")
		}
		if _, found := project.Services[name]; found {
			problems = append(problems, name+" starts without its profile")
		}
	}
	problems = append(problems, checkPush(everything)...)
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	fmt.Printf("%d passed, %d failed\n", len(everything.Services), len(problems))
	if len(problems) > 0 {
		os.Exit(1)
	}
}
