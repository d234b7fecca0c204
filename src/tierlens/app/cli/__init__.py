"""The command line: one file a group of commands; each hands its arguments on and prints what comes back."""
