"""Pairs to figures: micro-AP and its relatives."""
