package signing

import (
	"fmt"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/signature"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Back is one step back: from the release that runs to an older one.
type Back struct{ From, To *deploymentv1.Release }

// Refused says why hosts would not make a step back without a signed order; "" where they would.
func Refused(a *deploymentv1.Application, b Back) string {
	switch {
	case b.To == nil:
		return "" // to take the application off needs nobody's word
	case b.To.GetManifest() == nil && a.GetSignaturesRequired():
		return fmt.Sprintf("%s is not signed, and %s takes signed releases only", b.To.GetName(), a.GetName())
	case b.To.GetManifest() != nil && len(a.GetSigningKeys()) > 0 && b.To.GetSignedCounter() < b.From.GetSignedCounter():
		return fmt.Sprintf("%s has the older counter %d (%d runs); agents go back to it with a signed rollback order only",
			b.To.GetName(), b.To.GetSignedCounter(), b.From.GetSignedCounter())
	default:
		return ""
	}
}

// CheckOrder refuses a rollback that hosts would refuse: without an order where they want one,
// or with one that is not good for all that it has to cover.
func CheckOrder(a *deploymentv1.Application, environment string, order *deploymentv1.SignedDocument, steps []Back, now time.Time) error {
	if order == nil {
		for _, b := range steps {
			if why := Refused(a, b); why != "" {
				return fault.Precondition(ReasonOrderRequired, "agents would refuse: %s; sign an order with counter %d and send it along", why, b.To.GetSignedCounter()).
					Subject(ReasonOrderRequired, b.To.GetName(), why)
			}
		}
		return nil
	}
	keys, err := signature.ParseKeys(Keys(a, now)...)
	if err != nil {
		return orderFault(err)
	}
	o, err := signature.ReadRollback(order.GetDocument(), order.GetSignature(), keys...)
	if err != nil {
		return orderFault(err)
	}
	for _, b := range steps {
		if b.To.GetManifest() == nil {
			if why := Refused(a, b); why != "" {
				return orderFault(fmt.Errorf("%w: %s; no order can change that", signature.ErrMismatch, why))
			}
			continue
		}
		if err := o.Allows(a.GetName(), environment, b.To.GetSignedCounter(), now); err != nil {
			return orderFault(err)
		}
	}
	return nil
}

func orderFault(err error) error {
	return fault.Precondition(ReasonOrderInvalid, "the rollback order is refused: %v; sign one for this application and environment that has not expired", err).
		Subject(ReasonOrderInvalid, "rollback_order", err.Error())
}
