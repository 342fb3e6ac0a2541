"""What leaves the house: descriptor files and their checks."""
