"""The functions behind ``import tierlens as tl``: frames in, frames out, in the library that the user works with."""
