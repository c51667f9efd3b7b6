package proto_test

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "github.com/golive-dev/golive/proto/golive/options/v1"
)

func accessRules() []rule {
	return []rule{
		{"every method declares what it needs", accessIsDeclared},
		{"a permission says service, collection and verb", permissions},
		{"the resource that is checked is the one that is addressed", checkedResources},
	}
}

// permission is <service>.<collection>.<verb>, each in lower camel case.
var permission = regexp.MustCompile(`^([a-z]+)\.([a-z][a-zA-Z]*)\.([a-z][a-zA-Z]*)$`)

func accessOf(method protoreflect.MethodDescriptor) *optionsv1.Access {
	access, _ := proto.GetExtension(method.Options(), optionsv1.E_Access).(*optionsv1.Access)
	return access
}

func accessIsDeclared(c *contract, report reporter) {
	for _, method := range c.methods {
		access := accessOf(method)
		switch {
		case access == nil:
			report(method, "declares no access")
		case access.GetPublic() && !machineOnly(method) && !forEverybody(method):
			report(method, "is public; only the enrolment of an agent is")
		case access.GetPublic() == (access.GetPermission() != ""):
			report(method, "is either public or needs a permission")
		}
	}
}

// forEverybody are the contracts of those who answer a survey: a link is all that they have.
func forEverybody(method protoreflect.MethodDescriptor) bool {
	service := method.Parent().FullName()
	return service == "golive.implementation.v1.ResponseService" || service == "golive.implementation.v1.SurveyNoticeService"
}

func permissions(c *contract, report reporter) {
	for _, method := range c.methods {
		declared := accessOf(method).GetPermission()
		if declared == "" {
			continue
		}
		parts := permission.FindStringSubmatch(declared)
		if parts == nil {
			report(method, "permission %q is not <service>.<collection>.<verb>", declared)
			continue
		}
		if service := strings.TrimSuffix(parts[1], "s"); service != strings.TrimSuffix(packageName(method), "s") {
			report(method, "permission %q is not of package %s", declared, method.ParentFile().Package())
		}
		if !strings.HasPrefix(lowerCamel(string(method.Name())), parts[3]) && !strings.HasSuffix(declared, ".get") {
			report(method, "permission %q does not end in the method's verb", declared)
		}
	}
}

// A request that is checked for one resource and acts on another would pass
// every grant, so the checked field must exist and be the one in the path.
func checkedResources(c *contract, report reporter) {
	for _, method := range c.methods {
		checked := accessOf(method).GetResourceField()
		if checked != "" {
			if field := fieldAt(method.Input(), checked); field == nil || typeName(field) != "string" || field.IsList() {
				report(method, "resource_field %q is no string field of %s", checked, method.Input().Name())
			}
		}
		for _, r := range routes(method) {
			found := variable.FindStringSubmatch(r.path)
			if found != nil && found[1] != checked {
				report(method, "path addresses %s and resource_field is %q", found[1], checked)
			}
		}
	}
}
