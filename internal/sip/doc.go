// Package sip is what the engine needs to know of a SIP message: a lazy view of its headers, found without copying.
//
// A View never rejects what a test tool must still see: it finds what is there. Full parsing, where it is wanted, is sipgo's work.
// The package knows nothing of sockets, calls or scenarios.
package sip
