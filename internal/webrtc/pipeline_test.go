package webrtc

import (
	"errors"
	"strings"
	"testing"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/media/mediatest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"PCMU": {}, "PCMA": {PreferPCMA: true}, "full gather": {ICETrickleFullGather: true}} {
		mediatest.Conformance(t, name, func(t *testing.T) (caller, callee media.MediaPipeline) {
			f := newTestFactory(t, o)
			return newTestPipeline(t, f), newTestPipeline(t, f)
		})
	}
}

func newTestPipeline(t *testing.T, f *Factory) media.MediaPipeline {
	t.Helper()
	p, err := f.NewPipeline(media.PipelineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatCannotBeDoneOverWebRTC(t *testing.T) {
	t.Parallel()
	p := newTestPipeline(t, newTestFactory(t, Options{}))
	_, endpointErr := p.LocalEndpoint()
	for _, err := range []error{endpointErr, p.SetRemote([]byte(goodSDP))} {
		if !errors.Is(err, media.ErrUnsupportedOverWebRTC) || !strings.Contains(err.Error(), "use [webrtc_offer] or [sdp_offer] instead of [media_port]") {
			t.Errorf("got %v", err)
		}
	}
}
