"""python -m ivr: the way in from a shell."""

import sys

from ivr.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
