package media

// Clip is audio to be played: immutable, and shared by every call that plays it.
type Clip struct {
	pcm []int16 // 8 kHz, one channel
}
