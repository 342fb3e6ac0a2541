"""Descriptors to a scalar: pure functions of tensors."""
