"""`python -m benchmarks [decode|run|judging|verdicts|report|watchlist]`: all where none is
named. `python -m benchmarks answers record|compare …`.
"""

import sys

from benchmarks import (
    answers,
    decode,
    discovery_run,
    judging,
    report,
    verdicts,
    watchlist,
)

KNOWN = {
    "decode": decode.main,
    "run": discovery_run.main,
    "judging": judging.main,
    "verdicts": verdicts.main,
    "report": report.main,
    "watchlist": watchlist.main,
}

if sys.argv[1:2] == ["answers"]:
    sys.exit(answers.main(sys.argv[2:]))
for name in sys.argv[1:] or list(KNOWN):
    if name not in KNOWN:
        sys.exit(f"no benchmark {name!r}; known: answers, {', '.join(KNOWN)}")
    KNOWN[name]()
