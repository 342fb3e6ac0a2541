"""Describing large sets of pictures in parts, by many processes, going on after interruptions."""
