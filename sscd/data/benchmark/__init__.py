"""A benchmark in DISC21's layout, made from any folder of pictures."""
