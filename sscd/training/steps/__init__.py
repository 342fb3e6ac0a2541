"""One step: views to descriptors to a loss, in the memory there is."""
