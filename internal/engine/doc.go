// Package engine runs the calls of a scenario.
//
// A Plan is the scenario compiled for running; it never changes and all calls share it. A Loop owns one transport, its calls and
// a timer wheel, all on one goroutine; a Call is a state machine on the loop, not a goroutine. What may block (media, files) runs
// elsewhere and posts its result to the loop's inbox. The package never imports a kind of media: Config.Media.New makes them.
package engine
