"""Python's clock is wrong by WRONG_CLOCK_SECONDS in a process that has this folder on its
PYTHONPATH.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

wrong_by = timedelta(seconds=float(os.environ["WRONG_CLOCK_SECONDS"]))
time_machine.travel(datetime.now(UTC) + wrong_by, tick=True).start()
