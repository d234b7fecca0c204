"""Lists of customers, the next steps in them, and the files they are written to."""
