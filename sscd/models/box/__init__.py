"""The model in the box: a network that comes with the package, its facts and its card."""
