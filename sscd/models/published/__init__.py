"""The weights that others have published: SSCD in three formats, Multigrain, HOW."""
