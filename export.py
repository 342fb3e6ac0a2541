"""Write track-2 descriptors of two folders: `python export.py --help`."""

import sys

from sscd.cli import main

if __name__ == "__main__":
    sys.exit(main(["export", *sys.argv[1:]]))
