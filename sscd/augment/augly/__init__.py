"""AugLy behind functions of explicit parameters, and what it cannot do today mended."""
