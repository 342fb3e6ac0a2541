"""Track 2 and the older layout: descriptors as HDF5, read and written in blocks."""
