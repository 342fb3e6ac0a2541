"""One file a command: typed functions that compose the rooms."""
