"""HOW with ASMK: local descriptors as visual words with binary signatures, in an inverted file."""
