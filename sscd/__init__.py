"""Self-supervised descriptors for image copy detection: train, judge and ship them."""

__version__ = "0.1.0"
