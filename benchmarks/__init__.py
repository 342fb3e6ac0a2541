"""Figures, never assertions: each benchmark prints a ratio against an alternative in one run."""

import os

# As `sscd` does: before torch is imported, for threads that spin slow everything else down.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
