package server_test

import (
	"encoding/base64"
	"strings"

	"google.golang.org/grpc/codes"
)

// badMigrations are migrations, signatures and ways back that make no sense.
func badMigrations() []row {
	release := func(name, fields string, code codes.Code, reason, says string) row {
		return bad(name, "CreateRelease", `{"parent": "$crm", "releaseId": "v9", "release": {"version": "9.0.0", `+uploaded+`, `+runs+`, `+fields+`}}`, code, reason, says)
	}
	migration := func(name, fields string, code codes.Code, reason, says string) row {
		return release(name, `"migrations": [`+fields+`]`, code, reason, says)
	}
	key := "RW" + strings.Repeat("A", 54)
	manifest := `"manifest": {"document": "` + base64.StdEncoding.EncodeToString([]byte("{}")) + `", "signature": "x"}`
	const none = `$prod/migrationRuns/crm.none`
	return []row{
		bad("a migration that never ran", "GetMigrationRun", `{"name": "`+none+`"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("a migration of no form", "GetMigrationRun", `{"name": "$prod"}`, invalid, "INVALID_NAME", "migrationRuns"),
		bad("migrations of no environment's form", "ListMigrationRuns", `{"parent": "$crm"}`, invalid, "INVALID_PARENT", "environments"),
		bad("migrations by a field they have not", "ListMigrationRuns", `{"parent": "$prod", "filter": "color = 1"}`, invalid, "INVALID_FILTER", "color"),
		bad("deciding on a migration that never ran", "ResolveMigrationRun", `{"name": "`+none+`", "resolution": "DONE", "reason": "x"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		bad("deciding nothing", "ResolveMigrationRun", `{"name": "`+none+`", "reason": "x"}`, invalid, "INVALID_FIELD", "resolution").at("resolution"),
		bad("deciding without a reason", "ResolveMigrationRun", `{"name": "`+none+`", "resolution": "RETRY"}`, invalid, "INVALID_FIELD", "reason").at("reason"),
		bad("the way back of nothing", "PreviewRollback", `{"name": "$crm/deployments/none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
		migration("one migration twice", `{"id": "a", "phase": "EXPAND", "up": {"command": ["x"]}}, {"id": "a", "phase": "CONTRACT", "up": {"command": ["x"]}}`, invalid, "INVALID_FIELD", "two migrations have the id a").at("release.migrations"),
		migration("a way back that is missing", `{"id": "a", "phase": "CONTRACT", "reversible": true, "up": {"command": ["x"]}}`, invalid, "INVALID_FIELD", "has no down").at("release.migrations"),
		migration("a migration in no phase", `{"id": "a", "up": {"command": ["x"]}}`, invalid, "INVALID_FIELD", "phase"),
		migration("a migration that does nothing", `{"id": "a", "phase": "EXPAND"}`, invalid, "REQUIRED_FIELD", "up"),
		migration("a migration with an odd id", `{"id": "A b", "phase": "EXPAND", "up": {"command": ["x"]}}`, invalid, "INVALID_FIELD", "id"),
		release("a signature without a key", manifest, precondition, "SIGNATURE_INVALID", "sign a manifest"),
		bad("a signing key that is none", "UpdateApplication", `{"application": {"name": "$crm", "signingKeys": [{"publicKey": "hello"}]}, "updateMask": "signingKeys"}`, invalid, "INVALID_FIELD", "public_key"),
		bad("a signing key that only looks like one", "UpdateApplication", `{"application": {"name": "$crm", "signingKeys": [{"publicKey": "`+key+`"}]}, "updateMask": "signingKeys"}`, invalid, "INVALID_FIELD", "minisign").at("application.signing_keys[0].public_key"),
		bad("signatures that nobody can give", "UpdateApplication", `{"application": {"name": "$crm", "signaturesRequired": true}, "updateMask": "signaturesRequired"}`, invalid, "INVALID_FIELD", "add a signing key").at("application.signing_keys"),
	}
}
