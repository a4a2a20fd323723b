"""HTTP/1.1 with keep-alive over asyncio: only what JSON clients need, one write per
response.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from simmarket.api.http_messages import Request, Response, json_response

_MAX_BODY_BYTES = 16 * 1024 * 1024
_MAX_HEAD_BYTES = 64 * 1024
_HEAD_END = b"\r\n\r\n"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}

Handler = Callable[[Request], Response]


@dataclass(eq=False)
class BadRequest(Exception):
    """A request that is not valid HTTP here; the connection closes after the response."""

    message: str
    status: int


class Connection(asyncio.Protocol):
    """One client connection; responds in the order of the requests."""

    def __init__(self, handler: Handler, open_connections: set["Connection"]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = bytearray()
        self._is_delayed = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the transport."""
        self._transport = None
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Buffer the bytes and handle every complete request."""
        self._buffer += data
        self._handle_buffered()

    def close(self) -> None:
        """Abort the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _handle_buffered(self) -> None:
        while not self._is_delayed and self._transport is not None:
            try:
                request = self._next_request()
            except BadRequest as error:
                self._send(
                    json_response({"error": error.message}, error.status),
                    keep_alive=False,
                )
                return
            if request is None:
                return
            self._handle(request)

    def _handle(self, request: Request) -> None:
        keep_alive = request.headers.get("connection", "").lower() != "close"
        response = self._handler(request)
        if response.delay_seconds > 0:
            self._is_delayed = True
            loop = asyncio.get_running_loop()
            loop.call_later(response.delay_seconds, self._resume, response, keep_alive)
            return
        self._send(response, keep_alive=keep_alive)

    def _resume(self, response: Response, keep_alive: bool) -> None:
        self._is_delayed = False
        if self._transport is not None:
            self._send(response, keep_alive=keep_alive)
            self._handle_buffered()

    def _next_request(self) -> Request | None:
        """Take one request from the buffer; None if it is incomplete. Raises
        BadRequest.
        """
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise BadRequest("request head too large", 431)
            return None
        line, headers = _parse_head(bytes(self._buffer[:end]))
        body_start = end + len(_HEAD_END)
        body_end = body_start + _content_length(headers)
        if len(self._buffer) < body_end:
            self._invite_body(headers, body_start)
            return None
        body = bytes(self._buffer[body_start:body_end])
        del self._buffer[:body_end]
        return _parse_request(line, headers, body)

    def _invite_body(self, headers: dict[str, str], body_start: int) -> None:
        """Send the interim response that a client with `Expect: 100-continue` waits
        for.
        """
        assert self._transport is not None
        is_expected = headers.get("expect", "").lower() == "100-continue"
        if is_expected and len(self._buffer) == body_start:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, response: Response, *, keep_alive: bool) -> None:
        assert self._transport is not None
        head = _response_head(response, keep_alive=keep_alive)
        if response.is_cut:
            self._transport.write(head + response.body[: len(response.body) // 2])
            self._transport.close()
            return
        self._transport.write(head + response.body)
        if not keep_alive:
            self._transport.close()


def _response_head(response: Response, *, keep_alive: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, 'Status')}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers),
        "Connection: keep-alive" if keep_alive else "Connection: close",
        "\r\n",
    ]
    return "\r\n".join(lines).encode("latin-1")


def _parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    """Return the request line and the headers by lower-case name."""
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for header_line in header_lines:
        name, _, value = header_line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return request_line, headers


def _content_length(headers: dict[str, str]) -> int:
    """Return the size of the body. Raises BadRequest if it is unknown or too large."""
    length = headers.get("content-length", "0")
    if (
        "transfer-encoding" in headers
        or not length.isdigit()
        or int(length) > _MAX_BODY_BYTES
    ):
        raise BadRequest("a Content-Length is required", 411)
    return int(length)


def _parse_request(line: str, headers: dict[str, str], body: bytes) -> Request:
    """Return the request. Raises BadRequest for an invalid request line."""
    parts = line.split(" ")
    if (
        len(parts) != 3
        or not parts[1].startswith("/")
        or not parts[2].startswith("HTTP/1.")
    ):
        raise BadRequest("malformed request", 400)
    path, _, query = parts[1].partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    return Request(parts[0], unquote(path), values, headers, body)
