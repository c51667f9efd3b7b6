package measure_test

import (
	"testing"

	"github.com/golive-dev/golive/pkg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
