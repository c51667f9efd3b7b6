package store

import (
	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Forecasts is the kind of forecasts: computed once, never changed.
var Forecasts = resource.Define(resource.Spec[*implementationv1.Forecast]{
	Table:  "forecasts",
	Parent: Implementations.RequiredLater,
})
