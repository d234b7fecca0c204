"""The scheme language: what a scheme file may say, and whether what it says fits together."""

__all__ = ["consistency", "duties", "grammar", "parts", "scheme"]
