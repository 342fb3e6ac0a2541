"""Descriptors to pairs: exact nearest neighbours and descriptor post-processing."""
