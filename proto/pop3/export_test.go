package pop3

// SetStamp makes greetings bear one time stamp.
func SetStamp(h *Handler, stamp string) { h.stamp = func() string { return stamp } }

// NewTop is TOP's reader.
var NewTop = newTop
