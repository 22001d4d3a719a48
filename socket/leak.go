package socket

type watched struct{}

func (w *watched) closed()        {}
func (w *watched) heir() *watched { return w }
