"""What a run leaves: its directory, its logs, and what it says while it goes on."""
