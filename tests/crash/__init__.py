"""Commands that are killed, or refused by the disk, at every step that touches what they write."""
