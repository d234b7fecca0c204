"""The questions of a reviewer: who moved and why, the way to a tier, rating cards, whether a scheme works."""

__all__ = ["questions"]
