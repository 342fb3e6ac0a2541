"""Edited copies: DISC21's catalogue of operations, tables of them, and chains out of a table."""
