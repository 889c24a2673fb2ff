// Command bridge connects two WebRTC bridges in one process and sends a second of audio from one to the other. It shows how to
// use the bridge without the engine.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gossipper/gossipper/internal/media"
	"github.com/gossipper/gossipper/internal/webrtc"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	factory, err := webrtc.NewFactory(webrtc.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = factory.Close() }() // closes the bridges, too
	events := make(chan media.Event, 8)
	caller, err := factory.NewBridge(webrtc.BridgeOptions{OnEvent: func(e media.Event) { events <- e }})
	if err != nil {
		return err
	}
	callee, err := factory.NewBridge(webrtc.BridgeOptions{})
	if err != nil {
		return err
	}
	received := make(chan int, 50)
	if err := callee.OnPCMA(func(payload []byte, _ media.Codec) { received <- len(payload) }); err != nil {
		return err
	}
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		return err
	}
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		return err
	}
	if err := caller.AcceptAnswer(ctx, answer); err != nil {
		return err
	}
	if e := <-events; e.Type != media.EventConnected {
		return e.Failure // the media broke down
	}
	bytes := 0
	for range time.Tick(20 * time.Millisecond) {
		if err := caller.WritePCMA(make([]byte, media.FrameSamples)); err != nil {
			return err
		}
		if bytes += <-received; bytes >= media.SampleRate {
			break
		}
	}
	fmt.Printf("%d bytes over %+v\n", bytes, *callee.Diagnostics().SelectedPair)
	return nil
}
