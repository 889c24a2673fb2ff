package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/scenario"
)

// validate returns everything that is wrong with the configuration, and fills in nothing.
func (c *Config) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Scenario != nil, "no scenario")
	check(c.Transport != nil, "no transport")
	check(c.Hold >= 0, "hold is %v; it cannot be negative", c.Hold)
	check(c.RecvTimeout >= 0, "recv timeout is %v; it cannot be negative", c.RecvTimeout)
	check(c.DeadCallWait >= 0, "dead call wait is %v; it cannot be negative", c.DeadCallWait)
	check(c.MaxOpenCalls >= 0, "the most open calls are %d; use 0 for no cap", c.MaxOpenCalls)
	check(c.Load.Limit >= 0, "limit is %d; use 0 for no limit", c.Load.Limit)
	check(c.Load.Duration >= 0, "duration is %v; it cannot be negative", c.Load.Duration)
	check(c.Retransmission.MaxINVITE >= 0 && c.Retransmission.MaxOther >= 0, "limits of retransmission cannot be negative")
	check(c.Retransmission.Disabled || c.Retransmission.T2 > 0, "T2 is %v; RFC 3261 has 4s", c.Retransmission.T2)
	check(c.Media.Kind == media.KindNone || c.Media.New != nil, "media are %v, but nothing makes them", c.Media.Kind)
	if c.Scenario != nil && c.Scenario.Role() == scenario.UAC {
		check(c.Target.IsValid(), "no target: a scenario that starts calls needs an address to call")
		check(c.Load.Rate > 0, "rate is %v calls; it must be above 0", c.Load.Rate)
		check(c.Load.Rate <= 1e6, "rate is %v calls; the most is 1000000", c.Load.Rate)
		check(c.Load.Period >= time.Microsecond, "the period of the rate is %v; it must be at least 1µs", c.Load.Period)
	}
	return errors.Join(errs...)
}
