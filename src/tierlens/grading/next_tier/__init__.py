"""The way to a tier: what raises it, what may be lost, what leaves the window when."""

__all__ = ["actions", "next_tier", "roll_off", "search", "way_words", "whatif"]
