"""What a search is asked for."""

from typing import Literal

Metric = Literal["inner_product", "l2"]
"""L2 scores are minus the squared distance, as track 2 ranks."""

Device = Literal["auto", "cpu", "cuda"]
Engine = Literal["auto", "faiss", "torch"]
