"""What all commands share: the run file, prepared tables, the folder of a run, progress."""

__all__ = [
    "config",
    "known_customers",
    "notice",
    "output_files",
    "prepare",
    "progress",
    "run_folder",
    "scheme_on_data",
    "study",
]
