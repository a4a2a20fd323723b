"""The port of the web server: whether it is free, who has it, and whether the server
responds on it.
"""

import contextlib
import errno
import http.client
import socket
from pathlib import Path

from walltrack.quickstart.errors import QuickstartError

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
MIN_UNPRIVILEGED_PORT = 1024
TCP_LISTEN = "0A"


def check_port(port: int) -> None:
    """Raise QuickstartError if the web server could not listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise _port_error(port, error) from error


def _port_error(port: int, error: OSError) -> QuickstartError:
    other_port = port + 1
    if port < MIN_UNPRIVILEGED_PORT:
        other_port = DEFAULT_PORT
    if error.errno == errno.EADDRINUSE:
        cause = f"is taken{_port_owner(port)}"
        remedy = "Stop that process, or use another port"
    else:
        cause = f"cannot be used: {error.strerror}"
        remedy = "Use another port"
    return QuickstartError(
        f"Port {port} {cause}.\n{remedy}: make run PORT={other_port}"
    )


def _port_owner(port: int) -> str:
    """Return the process that listens on a TCP port of this machine, or "" if this user
    cannot see it.
    """
    sockets = _listening_sockets(port)
    if not sockets:
        return ""
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) in sockets:
                return f" by process {descriptor.parts[2]} ({_command_line(descriptor.parents[1])})"
    return ""


def _listening_sockets(port: int) -> set[str]:
    sockets: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            lines = Path(table).read_text().splitlines()[1:]
            sockets.update(_sockets_in(lines, port))
    return sockets


def _sockets_in(lines: list[str], port: int) -> list[str]:
    """Return the links of the sockets that listen on `port`, as /proc/PID/fd shows
    them.
    """
    sockets: list[str] = []
    for line in lines:
        columns = line.split()
        local_address, state, inode = columns[1], columns[3], columns[9]
        if state == TCP_LISTEN and local_address.endswith(f":{port:04X}"):
            sockets.append(f"socket:[{inode}]")
    return sockets


def _command_line(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return " ".join(words).strip()[:80]


def is_responding(port: int) -> bool:
    """Return True if a web server on `port` answers a request without an error of its
    own.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    with (
        contextlib.closing(connection),
        contextlib.suppress(OSError, http.client.HTTPException),
    ):
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    return False
