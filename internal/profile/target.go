package profile

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Target is where a uac calls.
type Target struct {
	// User is the user part of the URI, or empty.
	User string
	// Host is a name, an IPv4 address, or an IPv6 address without brackets.
	Host string
	// Port is 5060 if none was given (RFC 3261 19.1.2).
	Port uint16
	// Transport is the row that carries the calls: udp unless the URI says otherwise.
	Transport RowType
}

// Address returns host:port, as package net reads it.
func (t Target) Address() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// ParseTarget reads HOST, HOST:PORT or a sip: URI (RFC 3261 19.1). Of the URI's parameters only transport is taken.
func ParseTarget(text string) (Target, error) {
	target := Target{Port: 5060, Transport: UDP}
	if text == "" || strings.ContainsAny(text, " \t\r\n<>\"") {
		return Target{}, errors.New("write HOST:PORT or sip:USER@HOST:PORT, without spaces, quotes or <>")
	}
	rest := text
	if scheme, after, found := strings.Cut(text, ":"); found {
		switch strings.ToLower(scheme) {
		case "sip":
			rest = after
		case "sips":
			return Target{}, errors.New("sips: is not supported yet; write sip: instead")
		}
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, parameters, _ := strings.Cut(rest, ";")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, hasPassword := strings.Cut(rest[:at], ":")
		if user == "" || hasPassword {
			return Target{}, errors.New("before the @ only a user name can stand")
		}
		target.User, rest = user, rest[at+1:]
	}
	if err := target.setAddress(rest); err != nil {
		return Target{}, err
	}
	return target, target.setParameters(parameters)
}

func (t *Target) setAddress(address string) error {
	if err := checkHostPort(address); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		// checkHostPort accepted it, so it is a host without a port.
		t.Host = strings.Trim(address, "[]")
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("the port: %w", err)
	}
	t.Host, t.Port = host, uint16(n)
	return nil
}

func (t *Target) setParameters(parameters string) error {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(name, "transport") {
			continue
		}
		t.Transport = RowType(strings.ToLower(value))
		if !isRowType(t.Transport) || t.Transport == WebRTC {
			return fmt.Errorf("transport=%s is not known", value)
		}
	}
	return nil
}
