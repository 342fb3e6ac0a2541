"""Training pictures in a few large tar files: packing them, and reading them in any order."""
