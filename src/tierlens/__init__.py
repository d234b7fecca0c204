"""tierlens: documented customer tiers, discovered segments and predicted risk, with the reason for each."""

__version__ = "0.1.0"
