"""The scheme language: what a scheme file may say, and whether what it says fits together."""
