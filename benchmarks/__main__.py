"""`python -m benchmarks [decode|run]`: both where none is named."""

import sys

from benchmarks import decode, discovery_run

KNOWN = {"decode": decode.main, "run": discovery_run.main}

for name in sys.argv[1:] or list(KNOWN):
    if name not in KNOWN:
        sys.exit(f"no benchmark {name!r}; known: {', '.join(KNOWN)}")
    KNOWN[name]()
