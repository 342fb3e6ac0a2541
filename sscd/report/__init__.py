"""Figures to pages: tables, pictures of matches."""
