"""Track 1: scored pairs as CSV, read and written in blocks."""
