"""How tierlens is used by hand: the command line, and a place for the web application."""

__all__ = ["cli"]
