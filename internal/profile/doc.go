// Package profile reads what a run shall do: defaults, then a YAML file, then the environment, then command line flags, and then
// one validation that reports every mistake at once with its place.
//
// A profile describes; it opens no socket and starts nothing. The package knows nothing of scenarios, SIP messages, engines or
// WebRTC libraries: it checks the form of a setting, and whoever uses the setting gives it its meaning.
//
// Load is the way in. Secrets are of type Secret, which shows itself as ******** wherever it is printed or marshalled.
package profile
