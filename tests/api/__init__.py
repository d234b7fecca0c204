"""The functions behind ``import tierlens as tl``."""
