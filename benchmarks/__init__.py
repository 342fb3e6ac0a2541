"""Figures, never assertions: each benchmark prints a ratio against an alternative in one run."""
