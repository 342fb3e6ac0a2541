"""Command lines: from typed functions, with options that all share and errors of one line."""
