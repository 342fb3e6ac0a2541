"""Train a copy-detection descriptor: `python train.py --help`; alone it is the quickstart."""

import sys

from sscd.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
