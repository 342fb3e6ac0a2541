"""A report as panels of Weights & Biases; nothing here computes a figure of its own."""
