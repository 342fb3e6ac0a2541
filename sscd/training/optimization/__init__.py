"""Optimisers, their schedules, and learning rates by layer."""
