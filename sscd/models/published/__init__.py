"""The weights that the authors of SSCD have published, in their three formats."""
