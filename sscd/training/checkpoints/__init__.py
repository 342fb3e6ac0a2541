"""Checkpoints that are always whole, and runs that go on as if nothing had been."""
