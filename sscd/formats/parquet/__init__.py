"""Descriptors as Parquet in parts."""
