"""The SQL that turns raw rows into settled ones, and counts each that is kept out."""
