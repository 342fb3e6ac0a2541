"""What stops a run that has diverged or collapsed."""
