"""Pictures to batches: samplers, worker processes, and the way to the device."""
