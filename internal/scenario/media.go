package scenario

// Role tells which side the scenario plays.
func (s *Scenario) Role() Role {
	for i := range s.Steps {
		switch {
		case s.Steps[i].Send != nil:
			return UAC
		case s.Steps[i].Recv != nil:
			return UAS
		}
	}
	return UAC
}

// NeedsMedia tells whether the scenario describes media of the call or does something with them.
func (s *Scenario) NeedsMedia() bool { return false }

// CheckMedia tells what in the scenario cannot work with this kind of media (rtp, webrtc or none).
func (s *Scenario) CheckMedia(kind string) []Problem { return nil }

// EffectiveMedia chooses the kind of media of a run: rtp, webrtc or none.
func (s *Scenario) EffectiveMedia(profileWebRTC bool, flag string) string { return "rtp" }
