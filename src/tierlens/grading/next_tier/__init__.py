"""The way to a tier: what raises it, what may be lost, what leaves the window when."""
