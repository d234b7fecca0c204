"""The functions behind ``import tierlens as tl``: frames in, frames out, in the library that the user works with."""

__all__ = ["dataset", "list_frames", "native_frames", "run_command", "snapshot_frames", "tier_frames"]
