package kind

import (
	"fmt"
	"strings"
)

// Name completes what a person typed for a resource of this kind. All of these
// mean the same in the workspace default:
//
//	workspaces/default/applications/crm/deployments/d1
//	applications/crm/deployments/d1
//	crm/deployments/d1
//	crm/d1
func (k *Kind) Name(workspace, given string) (string, error) {
	name, ok := k.complete(k.Pattern, workspace, given, true)
	if !ok {
		return "", fmt.Errorf("%q is not the name of a %s; write %s", given, k.Singular, k.example())
	}
	return name, nil
}

// Parent completes the name of what holds resources of this kind; nothing stands for everything.
func (k *Kind) Parent(workspace, given string) (string, error) {
	pattern := k.Pattern[:len(k.Pattern)-2]
	if given == "" {
		given = strings.Repeat("-/", len(pattern)/2-1)
		given = strings.TrimSuffix(given, "/")
	}
	if len(pattern) == 2 && (given == "" || given == "workspaces/"+workspace) {
		return "workspaces/" + workspace, nil
	}
	name, ok := k.complete(pattern, workspace, given, true)
	if !ok {
		return "", fmt.Errorf("%q does not hold %s; write %s", given, k.Plural, strings.Join(pattern[2:], "/"))
	}
	return name, nil
}

// ParentOf is the name of what holds a resource of this kind.
func (k *Kind) ParentOf(name string) string {
	return strings.TrimSuffix(name, "/"+k.Pattern[len(k.Pattern)-2]+"/"+ID(name))
}

// Short is the name without what every name of the workspace begins with.
func Short(name string) string {
	segments := strings.Split(name, "/")
	if len(segments) < 4 || segments[0] != "workspaces" {
		return name
	}
	return strings.Join(segments[3:], "/")
}

// ID is the last segment of a name.
func ID(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// Of returns the kind and the full name of a resource that was named without its
// kind: the collections in the name tell it.
func Of(workspace, given string) (*Kind, string, error) {
	for _, k := range All() {
		if !strings.Contains(given, "/") {
			break // an id alone could be anything
		}
		if name, ok := k.complete(k.Pattern, workspace, given, false); ok {
			return k, name, nil
		}
	}
	return nil, "", fmt.Errorf("%q does not say what it names; write its collection too, such as crm/deployments/d1 or cohorts/sales", given)
}

// complete tries the forms of a name, the longest first.
func (k *Kind) complete(pattern []string, workspace, given string, ids bool) (string, bool) {
	segments := strings.Split(strings.Trim(given, "/"), "/")
	if segments[0] == "workspaces" {
		return fit(pattern, segments)
	}
	prefix := "workspaces/" + workspace + "/"
	if len(pattern) <= 2 {
		return "", false
	}
	rest := pattern[2:]
	if name, ok := fit(rest, segments); ok {
		return prefix + name, true
	}
	if name, ok := fit(rest[1:], segments); ok && (ids || len(segments) > 1) {
		return prefix + rest[0] + "/" + name, true
	}
	if !ids || len(segments)*2 != len(rest) {
		return "", false
	}
	full := make([]string, 0, len(rest))
	for i, id := range segments {
		full = append(full, rest[2*i], id)
	}
	name, ok := fit(rest, full)
	return prefix + name, ok
}

// fit checks segments against a pattern; collections may be written in any case.
func fit(pattern, segments []string) (string, bool) {
	if len(pattern) != len(segments) {
		return "", false
	}
	out := make([]string, len(segments))
	for i, s := range segments {
		switch {
		case strings.HasPrefix(pattern[i], "{"):
			if !validID(s) {
				return "", false
			}
			out[i] = s
		case fold(s) == fold(pattern[i]):
			out[i] = pattern[i]
		default:
			return "", false
		}
	}
	return strings.Join(out, "/"), true
}

func validID(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._~-", r)
	})
}

func (k *Kind) example() string {
	short := strings.NewReplacer("{", "", "}", "").Replace(strings.Join(k.Pattern[3:], "/"))
	return strings.ToUpper(strings.ReplaceAll(short, "/"+strings.ToLower(k.Plural)+"/", "/")) + " or its full name " + strings.Join(k.Pattern, "/")
}
