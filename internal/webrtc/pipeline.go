package webrtc

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/gossipper/gossipper/internal/media"
)

// Pipeline is a Bridge as the media of a call.
type Pipeline struct{ *Bridge }

var (
	_ media.MediaPipeline = (*Pipeline)(nil)
	_ media.Trickler      = (*Pipeline)(nil)
)

// NewPipeline returns the media of a call. While nothing is played, silence is sent.
func (f *Factory) NewPipeline(o media.PipelineOptions) (media.MediaPipeline, error) {
	b, err := f.NewBridge(BridgeOptions{OnEvent: o.OnEvent, IdleSilence: true})
	if err != nil {
		return nil, err
	}
	return &Pipeline{Bridge: b}, nil
}

// Kind returns media.KindWebRTC.
func (*Pipeline) Kind() media.Kind { return media.KindWebRTC }

// LocalEndpoint is not supported: the address changes with the candidate pair.
func (*Pipeline) LocalEndpoint() (netip.AddrPort, error) {
	return netip.AddrPort{}, fmt.Errorf("the local RTP address is %w: use [webrtc_offer] or [sdp_offer] instead of [media_port]", media.ErrUnsupportedOverWebRTC)
}

// SetRemote is not supported: SDP without keys and candidates of ours cannot be answered.
func (*Pipeline) SetRemote([]byte) error {
	return fmt.Errorf("taking the peer's SDP for an SDP written by hand is %w: use [webrtc_offer] or [sdp_offer] instead of [media_port]", media.ErrUnsupportedOverWebRTC)
}

// Play implements media.MediaPipeline.
func (p *Pipeline) Play(clip *media.Clip, loops int) error { return p.stream.Play(clip, loops) }

// Pause implements media.MediaPipeline.
func (p *Pipeline) Pause() error { return p.stream.Pause() }

// Resume implements media.MediaPipeline.
func (p *Pipeline) Resume() error { return p.stream.Resume() }

// Stop implements media.MediaPipeline.
func (p *Pipeline) Stop() error { return p.stream.Stop() }

// StartRecording implements media.MediaPipeline.
func (p *Pipeline) StartRecording(o media.RecordOptions) error { return p.stream.StartRecording(o) }

// StopRecording implements media.MediaPipeline.
func (p *Pipeline) StopRecording() error { return p.stream.StopRecording() }

// Close implements media.MediaPipeline.
func (p *Pipeline) Close(ctx context.Context) error { return p.Bridge.Close(ctx) }
