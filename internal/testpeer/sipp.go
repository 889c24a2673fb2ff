package testpeer

import "testing"

// SIPp starts sipp in a directory of its own, without a keyboard.
func SIPp(t testing.TB, args ...string) *Process {
	t.Helper()
	return startInstalled(t, t.TempDir(), "sipp", "sip-tester", append([]string{"-nostdin"}, args...)...)
}
