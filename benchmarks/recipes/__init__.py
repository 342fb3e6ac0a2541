"""The laboratory of recipes: which 256-d descriptor finds most copies for a fixed budget."""
