package gateway

import _ "embed" // for the document

// openAPI is the document of every route, generated from the contracts.
//
//go:embed internal/openapi/openapi.yaml
var openAPI []byte
