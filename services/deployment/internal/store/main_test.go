package store_test

import (
	"testing"

	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/services/deployment/internal/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// tables is what every database of the tests of this package has.
var tables = storetest.Tables()
