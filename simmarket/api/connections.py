"""HTTP/1.1 with keep-alive over asyncio: just what JSON clients need, one write per answer."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from simmarket.api.http_messages import Request, Response, json_response

_MAX_BODY_BYTES = 16 * 1024 * 1024
_MAX_HEAD_BYTES = 64 * 1024
_PHRASES = {status.value: status.phrase for status in HTTPStatus}

Handler = Callable[[Request], Response]


class Connection(asyncio.Protocol):
    """One client connection; answers in the order of the requests."""

    def __init__(self, handler: Handler, open_connections: set["Connection"]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = bytearray()
        self._waiting = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._transport = None
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Collect bytes and answer every complete request."""
        self._buffer += data
        self._answer_all()

    def close(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _answer_all(self) -> None:
        while not self._waiting and self._transport is not None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MAX_HEAD_BYTES:
                    self._send(json_response({"error": "request head too large"}, 431), keep=False)
                return
            line, headers = _parse_head(bytes(self._buffer[:end]))
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers or not length.isdigit() or int(length) > _MAX_BODY_BYTES:
                self._send(json_response({"error": "a Content-Length is required"}, 411), keep=False)
                return
            total = end + 4 + int(length)
            if len(self._buffer) < total:
                if headers.get("expect", "").lower() == "100-continue" and len(self._buffer) == end + 4:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self._buffer[end + 4 : total])
            del self._buffer[:total]
            request = _request(line, headers, body)
            if request is None:
                self._send(json_response({"error": "malformed request"}, 400), keep=False)
                return
            keep = headers.get("connection", "").lower() != "close"
            response = self._handler(request)
            if response.delay_seconds > 0:
                self._waiting = True
                loop = asyncio.get_running_loop()
                loop.call_later(response.delay_seconds, self._resume, response, keep)
                return
            self._send(response, keep=keep)

    def _resume(self, response: Response, keep: bool) -> None:
        self._waiting = False
        if self._transport is not None:
            self._send(response, keep=keep)
            self._answer_all()

    def _send(self, response: Response, *, keep: bool) -> None:
        assert self._transport is not None
        lines = [
            f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, 'Status')}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers),
            "Connection: keep-alive" if keep else "Connection: close",
            "\r\n",
        ]
        head = "\r\n".join(lines).encode("latin-1")
        if response.cut:
            self._transport.write(head + response.body[: len(response.body) // 2])
            self._transport.close()
            return
        self._transport.write(head + response.body)
        if not keep:
            self._transport.close()


def _parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = {}
    for row in rest:
        name, _, value = row.partition(":")
        headers[name.strip().lower()] = value.strip()
    return line, headers


def _request(line: str, headers: dict[str, str], body: bytes) -> Request | None:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[1].startswith("/") or not parts[2].startswith("HTTP/1."):
        return None
    path, _, query = parts[1].partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    return Request(parts[0], unquote(path), values, headers, body)
