"""A training in Weights & Biases; whatever happens to W&B, the training goes on."""
