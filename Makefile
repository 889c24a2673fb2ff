SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME ?= 5s
LINT := go tool -modfile=tools/lint/go.mod golangci-lint
# Names of steps that failed before `make test`, to be counted with its failures.
ALSO_FAILED ?=

.PHONY: demo build test lint fmt tidy fuzz bench packages clean help

demo: build ## twenty WebRTC calls of speech over loopback, with recordings
	bin/gossipper demo $(DEMO_FLAGS)

build: ## bin/gossipper, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.stamped=$(VERSION)' -o bin/gossipper ./cmd/gossipper

# The whole-program tests run without the race detector here: it would measure itself, with 500 calls at once, and the program they start
# is built without it anyway.
WHOLE := ./internal/e2e
PARTS = $$(go list ./... | grep -v '/internal/e2e$$')

test: packages ## go vet and all tests, with the race detector; ends with the skipped ones and the totals
	go vet ./...
	@go build -o bin/testsummary ./tools/testsummary
	@echo 'go test -race ./...'
	@{ go test -race -json $(TESTFLAGS) $(PARTS) || :; go test -json $(TESTFLAGS) $(WHOLE) || :; } | bin/testsummary -also-failed '$(ALSO_FAILED)'

lint: ## the linters of .golangci.yml, in the version of tools/lint/go.mod
	$(LINT) run ./...

fmt: ## format the code as lint wants it
	$(LINT) fmt ./...

tidy: ## fail if go.mod does not list exactly what the code uses
	go mod tidy -diff

fuzz: ## every fuzz target for FUZZTIME (5s)
	tools/fuzz.sh $(FUZZTIME)

bench: build ## every Go benchmark, then CPU and memory per call beside sipp, if that is installed
	go test -run '^$$' -bench . -benchmem ./...
	@if command -v sipp >/dev/null; then go run ./bench -gossipper bin/gossipper; else echo 'sipp is not installed (Debian package sip-tester): not compared'; fi

packages: ## the programs that some tests compare with, if this is root on Debian
	@tools/packages.sh

clean: ## remove what was built
	rm -rf bin coverage.out

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
