"""A database connection for one check: made for it, short of patience, closed behind it."""

import contextlib
import copy
import os
import socket
from collections.abc import Iterator
from typing import Final

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from health.bounded import Deadline

CONNECT_SECONDS: Final = 2  # the least that libpq knows
STATEMENT_MILLISECONDS: Final = 1500


@contextlib.contextmanager
def own_connection(deadline: Deadline) -> Iterator[BaseDatabaseWrapper]:
    """Models in this thread use a connection of their own meanwhile. May raise: Error, TimeoutError.

    The server ends a long statement; where it does not answer at all, the deadline shuts the socket.
    """
    shared = connections.settings["default"]
    patient = copy.deepcopy(shared)
    options = patient.setdefault("OPTIONS", {})
    options["connect_timeout"] = CONNECT_SECONDS
    options["options"] = (
        f"{options.get('options', '')} -c statement_timeout={STATEMENT_MILLISECONDS} "
        f"-c lock_timeout={STATEMENT_MILLISECONDS}"
    ).strip()
    wrapper = connections.create_connection("default")
    wrapper.settings_dict = patient
    connections["default"] = wrapper  # of this thread alone
    try:
        wrapper.ensure_connection()
        # A descriptor of our own: the driver may close its one at any moment.
        line = socket.socket(fileno=os.dup(wrapper.connection.pgconn.socket))
        with line, deadline.cutting(lambda: _shut(line)):
            yield wrapper
    finally:
        with contextlib.suppress(Error, OSError):
            wrapper.close()


def _shut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the server was quicker
        line.shutdown(socket.SHUT_RDWR)
