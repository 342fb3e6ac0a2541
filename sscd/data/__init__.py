"""Files to samples: decoding, data-set layouts, procedural pictures, the data module."""
