"""Edits against a given model: small enough to be overlooked, and no longer matched."""
