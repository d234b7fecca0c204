"""By hand: the run, the command line."""
