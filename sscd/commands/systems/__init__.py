"""What `sscd table` and `sscd baseline` share: systems from options, measured and kept."""
