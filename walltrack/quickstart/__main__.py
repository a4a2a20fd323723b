"""`python -m walltrack.quickstart [discover ARGS…]`."""

import sys

from walltrack.quickstart.command import main

raise SystemExit(main(sys.argv[1:]))
