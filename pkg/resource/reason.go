package resource

// The stable reasons of the faults that this package returns.
const (
	ReasonNotFound          = "RESOURCE_NOT_FOUND"
	ReasonAlreadyExists     = "ALREADY_EXISTS"
	ReasonInvalidName       = "INVALID_NAME"
	ReasonInvalidParent     = "INVALID_PARENT"
	ReasonInvalidID         = "INVALID_RESOURCE_ID"
	ReasonInvalidField      = "INVALID_FIELD"
	ReasonRequired          = "REQUIRED_FIELD"
	ReasonImmutable         = "IMMUTABLE_FIELD"
	ReasonUnknownField      = "UNKNOWN_FIELD"
	ReasonEtagMismatch      = "ETAG_MISMATCH"
	ReasonRevisionMismatch  = "REVISION_MISMATCH"
	ReasonTerminal          = "TERMINAL_STATE"
	ReasonRequestIDReused   = "REQUEST_ID_REUSED"
	ReasonInvalidRequestID  = "INVALID_REQUEST_ID"
	ReasonInvalidFilter     = "INVALID_FILTER"
	ReasonInvalidOrderBy    = "INVALID_ORDER_BY"
	ReasonInvalidPageSize   = "INVALID_PAGE_SIZE"
	ReasonInvalidPageToken  = "INVALID_PAGE_TOKEN"
	ReasonPageTokenMismatch = "PAGE_TOKEN_MISMATCH"
)
