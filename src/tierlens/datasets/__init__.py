"""Data to try things on: two real shops and a simulated one."""
