package main

import (
	"time"

	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/record"
)

// jobSchema is the version of the format of job.json.
const jobSchema = 1

// job is job.json: what was run, with secrets masked. docs/schema/job.schema.json describes it.
type job struct {
	Schema    int       `json:"schema"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Role      string    `json:"role"`
	Scenario  string    `json:"scenario"` // as asked for: a built-in name or a file
	Media     string    `json:"media"`
	Target    *string   `json:"target"`
	// Local is the address that was really bound.
	Local         string           `json:"local"`
	RecvTimeoutMS *float64         `json:"recv_timeout_ms"` // null: no limit
	Profile       *profile.Profile `json:"profile"`
	// Warnings are what was odd about the configuration.
	Warnings []string `json:"warnings"`
}

func newJob(p *prepared, local string, start time.Time) *job {
	j := &job{
		Schema: jobSchema, Version: version(), StartedAt: moment(start), Role: p.role.String(), Scenario: p.profile.Scenario,
		Media: p.kind.String(), Target: record.Text(p.askedTarget), Local: local, Profile: p.profile.Masked(),
		Warnings: append([]string{}, p.warnings...),
	}
	if p.recvTimeout > 0 {
		j.RecvTimeoutMS = new(record.Millis(p.recvTimeout))
	}
	return j
}
