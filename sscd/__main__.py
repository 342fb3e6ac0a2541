"""`python -m sscd`: the same as `sscd`."""

import sys

from sscd.cli import main

if __name__ == "__main__":
    sys.exit(main())
