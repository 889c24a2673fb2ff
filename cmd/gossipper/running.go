package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/gossipper/gossipper/internal/engine"
	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/profile"
	"github.com/gossipper/gossipper/internal/record"
	"github.com/gossipper/gossipper/internal/report"
	"github.com/gossipper/gossipper/internal/scenario"
	"github.com/gossipper/gossipper/internal/stats"
	"github.com/gossipper/gossipper/internal/transport"
)

const (
	// deadCallWait is SIPp's.
	deadCallWait = 33 * time.Second
	// maxOpenCalls caps a UAS, so that an overload is refused and does not end in want of memory.
	maxOpenCalls = 50_000
	// plainMediaPort stands for [media_port] in calls without media. It is SIPp's.
	plainMediaPort = 6000
)

// running is a run whose sockets and files are open. start makes it; Close must be called.
type running struct {
	*prepared
	env     *Env
	screen  *console
	dir     record.RunDir
	start   time.Time
	records *record.Writer
	calls   *report.Accumulator
	live    *stats.Run
	logFile *os.File
	log     *slog.Logger
	sip     transport.Transport
	media   *callMedia
	engine  *engine.Engine
	closers []func() error // in the order of opening
}

// start opens everything that the run needs.
func start(p *prepared, env *Env, screen *console) (*running, error) {
	r := &running{prepared: p, env: env, screen: screen, start: env.Now(), calls: report.NewAccumulator(), live: stats.NewRun()}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// open opens the sockets before the run directory: an address in use leaves no directory behind.
func (r *running) open() error {
	var err error
	if r.sip, err = transport.NewUDP(transport.Options{Local: r.local, PerCall: r.perCallSockets()}); err != nil {
		return exit(ExitBind, err)
	}
	r.closers = append(r.closers, r.sip.Close)
	if err := r.openDir(); err != nil {
		return exit(ExitFatal, err)
	}
	if r.media, err = newCallMedia(r.prepared, r.sip.Local(), r.log); err != nil {
		return err
	}
	r.closers = append(r.closers, r.media.Close)
	if r.engine, err = engine.New(r.config()); err != nil {
		return exit(ExitUsage, err)
	}
	if err := record.WriteJSON(r.dir.Job(), newJob(r.prepared, r.sip.Local().String(), r.start)); err != nil {
		return exit(ExitFatal, err)
	}
	return nil
}

// perCallSockets tells whether each call has a socket of its own, for SIP.
func (r *running) perCallSockets() bool { return r.row.Sockets == profile.PerCall }

func (r *running) openDir() error {
	var err error
	if r.out != "" {
		r.dir, err = record.CreateRunDir(r.out)
	} else {
		r.dir, err = record.CreateRunDirIn("runs", r.profile.Name, r.start)
	}
	if err != nil {
		return err
	}
	if r.logFile, err = os.OpenFile(r.dir.ErrorsLog(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	r.closers = append(r.closers, r.logFile.Close)
	r.log = newLog(r.logFile, r.screen, r.dir.ErrorsLog())
	for _, w := range r.warnings {
		r.log.Warn(w)
	}
	r.records, err = record.NewWriter(r.dir.CallRecords(), func(err error) { r.log.Warn("call records are being lost", "error", err) })
	if err != nil {
		return err
	}
	r.closers = append(r.closers, r.records.Close)
	return nil
}

// config is the engine's configuration.
func (r *running) config() engine.Config {
	load, m := r.profile.Load, r.profile.Media
	made := &recorder{dir: r.dir, rtds: r.scenario.RTDs, kind: r.kind}
	c := engine.Config{
		Scenario: r.scenario, Transport: r.sip, Target: r.target, RemoteHost: r.host, Service: r.service, Advertise: r.row.AdvertiseAddr(),
		Load: engine.Load{
			Rate: load.Rate, Period: time.Duration(load.Period), Calls: load.Calls, Limit: load.Limit, Duration: time.Duration(load.Duration),
		},
		Retransmission: engine.DefaultRetransmission(),
		Hold:           time.Duration(load.Hold), RecvTimeout: r.recvTimeout, DeadCallWait: deadCallWait, MaxOpenCalls: maxOpenCalls,
		Media: engine.Media{
			Kind: r.kind, New: r.media.new, IP: r.media.ip, Port: plainMediaPort,
			Play: r.play, Record: m.RecordWAV && r.kind != media.KindNone, RecordStereo: m.RecordStereo,
			RecordingsDir: r.dir.Recordings(), CloseTimeout: mediaClose,
		},
		OnResult: func(result *engine.Result) {
			rec := made.record(result)
			r.calls.Add(rec)
			r.records.Queue(rec)
		},
		Stats: r.live, Log: r.log, Now: r.env.Now,
	}
	if r.role == scenario.UAS && load.Limit > 0 {
		c.MaxOpenCalls = load.Limit
	}
	return c
}

// run runs the calls to their end and writes the summary, whatever the end was.
func (r *running) run(ctx context.Context) (*report.Summary, error) {
	runErr := r.engine.Run(ctx)
	end := r.env.Now()
	var errs []error
	if runErr != nil {
		errs = append(errs, exit(ExitFatal, runErr))
	}
	live := r.live.Snapshot()
	// Closing the records comes first: the summary must tell of those that were lost.
	closeErr := r.Close()
	if closeErr != nil {
		errs = append(errs, exit(ExitFatal, closeErr))
	}
	summary := report.Build(r.describe(end, &live, errs), r.calls)
	if err := record.WriteJSON(r.dir.Summary(), summary); err != nil {
		errs = append(errs, exit(ExitFatal, err))
		// The one that is printed must not say that all is well.
		summary = report.Build(r.describe(end, &live, errs), r.calls)
	}
	return summary, errors.Join(errs...)
}

// describe is what the summary says of the run itself.
func (r *running) describe(end time.Time, live *stats.Snapshot, errs []error) report.Run {
	run := report.Run{
		Role: r.role.String(), Scenario: r.scenario.Name, Media: r.kind.String(), Target: r.askedTarget, StartedAt: moment(r.start), EndedAt: moment(end),
		AskedCalls: r.profile.Load.Calls, Limit: r.profile.Load.Limit, RunDir: r.dir.Path(), Live: live,
		Incomplete: len(errs) > 0, RecordsLost: r.records.Lost(),
	}
	if r.role == scenario.UAC {
		run.AskedRate = r.profile.Load.Rate / time.Duration(r.profile.Load.Period).Seconds()
	}
	for _, err := range errs {
		run.Warnings = append(run.Warnings, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return run
}

// Close frees everything, the last opened first. It can be called again.
func (r *running) Close() error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i]())
	}
	r.closers = nil
	return errors.Join(errs...)
}
