"""What all commands share: the run file, prepared tables, the folder of a run, progress."""
