"""A database connection for one check: opened for it, with short timeouts, and closed
after it.
"""

import contextlib
import copy
import os
import socket
from collections.abc import Iterator
from typing import Any, Final

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from health.deadlines import Deadline

CONNECT_TIMEOUT_SECONDS: Final = 2  # libpq accepts no less
STATEMENT_TIMEOUT_MS: Final = 1500


@contextlib.contextmanager
def dedicated_connection(deadline: Deadline) -> Iterator[BaseDatabaseWrapper]:
    """Make the models of this thread use a connection of their own within the block.

    The server cancels a long statement. If the server does not respond at all, the
    deadline shuts the socket down. Raises Error or TimeoutError.
    """
    wrapper = connections.create_connection("default")
    wrapper.settings_dict = _settings_with_timeouts()
    connections["default"] = wrapper  # for this thread only
    try:
        wrapper.ensure_connection()
        # Duplicated, because the driver may close its own descriptor at any moment.
        link = socket.socket(fileno=os.dup(wrapper.connection.pgconn.socket))
        with link, deadline.aborting(lambda: _shut_down(link)):
            yield wrapper
    finally:
        with contextlib.suppress(Error, OSError):
            wrapper.close()


def _settings_with_timeouts() -> dict[str, Any]:
    values: dict[str, Any] = copy.deepcopy(connections.settings["default"])
    options = values.setdefault("OPTIONS", {})
    options["connect_timeout"] = CONNECT_TIMEOUT_SECONDS
    options["options"] = (
        f"{options.get('options', '')} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
        f"-c lock_timeout={STATEMENT_TIMEOUT_MS}"
    ).strip()
    return values


def _shut_down(link: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the server has closed it first
        link.shutdown(socket.SHUT_RDWR)
