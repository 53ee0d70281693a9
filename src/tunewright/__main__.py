"""`python -m tunewright`, and the command `tunewright`."""

import sys

from tunewright.cli import main

if __name__ == "__main__":
    sys.exit(main())
