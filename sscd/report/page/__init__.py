"""Reports to one HTML file that opens from a disk: pictures first, then figures and curves."""
