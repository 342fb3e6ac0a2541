"""A sample to views: single-image operations, recipes and query edits."""
