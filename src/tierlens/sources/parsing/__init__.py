"""Values of cells from text, and the SQL helpers that all of reading uses."""
