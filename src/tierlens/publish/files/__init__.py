"""Files and folders that appear whole or not at all, and the record of a run."""
