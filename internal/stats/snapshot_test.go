package stats

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

// Every counter of a Run must reach the field of the same name in a Snapshot: each gets a value of its own.
func TestSnapshotCarriesEveryCounter(t *testing.T) {
	t.Parallel()
	run := NewRun()
	runValue := reflect.ValueOf(run).Elem()
	want := make(map[string]uint64)
	for i := range runValue.NumField() {
		field := runValue.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		switch counter := runValue.Field(i).Addr().Interface().(type) {
		case interface{ Store(uint64) }:
			want[field.Name] = uint64(100 + i)
			counter.Store(want[field.Name])
		case interface{ Store(int64) }:
			want[field.Name] = uint64(100 + i)
			counter.Store(int64(100 + i))
		}
	}
	if len(want) < 13 {
		t.Fatalf("only %d counters found in Run", len(want))
	}
	snapshot := reflect.ValueOf(run.Snapshot())
	for name, value := range want {
		field := snapshot.FieldByName(name)
		switch {
		case !field.IsValid():
			t.Errorf("Snapshot lacks %s", name)
		case field.CanUint() && field.Uint() != value, field.CanInt() && uint64(field.Int()) != value:
			t.Errorf("%s = %v, want %d", name, field, value)
		}
	}
}

func TestSnapshotOutcomesAndLatencies(t *testing.T) {
	t.Parallel()
	run := NewRun()
	before := run.Snapshot()
	if before.OK() != 0 || before.Failed() != 0 || len(before.Outcomes) != 0 {
		t.Fatalf("a new run has outcomes: %+v", before.Outcomes)
	}
	for i, o := range outcome.All() {
		for range i + 1 {
			run.EndCall(o)
		}
	}
	run.Setup.Record(10 * time.Millisecond)
	run.PDD.Record(20 * time.Millisecond)
	run.PDD.Record(20 * time.Millisecond)
	run.Connect.Record(30 * time.Millisecond)
	after := run.Snapshot()
	for i, o := range outcome.All() {
		if after.Outcomes[o] != uint64(i+1) {
			t.Errorf("%v = %d, want %d", o, after.Outcomes[o], i+1)
		}
	}
	n := uint64(len(outcome.All()))
	if after.OK() != 1 || after.Failed() != n*(n+1)/2-1 {
		t.Errorf("ok %d failed %d, want 1 and %d", after.OK(), after.Failed(), n*(n+1)/2-1)
	}
	if after.Setup.Count != 1 || after.PDD.Count != 2 || after.Connect.Count != 1 {
		t.Errorf("counts = %d %d %d, want 1 2 1", after.Setup.Count, after.PDD.Count, after.Connect.Count)
	}
}

func TestSnapshotJSONRoundTrip(t *testing.T) {
	t.Parallel()
	run := NewRun()
	run.CallsStarted.Store(3)
	run.EndCall(outcome.NoAnswer)
	run.Setup.Record(time.Second)
	want := run.Snapshot()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Snapshot
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after a round trip through %s\n got %+v\nwant %+v", text, got, want)
	}
}
