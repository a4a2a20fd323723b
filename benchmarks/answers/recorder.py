"""Asks a question, keeps the answer."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from benchmarks.answers import calls
from benchmarks.answers.form import Normalizer
from benchmarks.answers.servers import Installation, Reply, Request, Web

_IGNORED_HEADERS: Final = frozenset(
    {"date", "server", "connection", "content-length", "transfer-encoding"}
)


class Recorder:
    """The answers of one scenario by the question, in the comparable form."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self._form = Normalizer()

    def add(self, question: str, answer: Any) -> None:
        """Keep one answer. The same question asked again gets a number."""
        question = self._form.text(question)
        number = 1
        label = question
        while label in self.answers:
            number += 1
            label = f"{question} (no. {number})"
        self.answers[label] = self._form.value(answer)

    def command(
        self,
        installation: Installation,
        *arguments: str,
        stdin: bytes = b"",
        label: str = "",
    ) -> Any:
        """Run a command of manage.py and keep its exit code and output; return its
        output as JSON, if it is JSON.
        """
        done = installation.manage(*arguments, stdin=stdin)
        output = _parsed(done.stdout.decode())
        answer = {
            "exit_code": done.returncode,
            "output_lines": output,
            "says_why": bool(done.stderr.strip()),
        }
        self.add(label or f"manage.py {' '.join(arguments)}", answer)
        return output[0] if output and done.returncode == 0 else None

    def call(self, web: Web, request: Request) -> Reply:
        """Send a request and keep the reply."""
        reply = web.send(request)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        answer = {
            "status": reply.status,
            "headers": {
                name: value
                for name, value in headers.items()
                if name not in _IGNORED_HEADERS
            },
            "body": _body(reply, headers.get("content-type", "")),
        }
        self.add(_question(request), answer)
        return reply

    def calls(
        self,
        web: Web,
        requests: Iterable[Request],
        found: Mapping[str, str] | None = None,
    ) -> None:
        """Send requests in their order, with the names of `found` in their paths
        replaced.
        """
        for request in requests:
            path = request.path
            names = dict(found or {})
            if "{newest}" in path:
                names["newest"] = web.json(f"{calls.BASE}/runs?page_size=1")["runs"][0][
                    "id"
                ]
            for name, value in names.items():
                path = path.replace(f"{{{name}}}", value)
            if "{" not in path:
                self.call(web, request._replace(path=path))


def _question(request: Request) -> str:
    parts = [request.method, request.path, f"as {request.role or 'nobody'}"]
    if isinstance(request.body, bytes):
        parts.append(f"with {len(request.body)} bytes {request.body[:40]!r}")
    elif request.body is not None:
        parts.append(f"with {json.dumps(request.body)}")
    parts += [
        f"{name}: {value}"
        for name, value in request.headers.items()
        if name != "Cookie"
    ]
    return " ".join(parts)


def _parsed(text: str) -> list[Any]:
    """Return the lines of a command's output, each as the JSON value that it is, or as
    text.
    """
    lines: list[Any] = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            lines.append(re.sub(r"wt_\S+", "<key>", line))
    return lines


def _body(reply: Reply, content_type: str) -> Any:
    text = reply.body.decode()
    if "json" in content_type and "ndjson" not in content_type:
        return json.loads(text) if text else ""
    if "ndjson" in content_type:
        return _parsed(text)
    if "csv" in content_type:
        rows = csv.reader(io.StringIO(text))
        head = next(rows)
        return {
            "columns": head,
            "rows": [dict(zip(head, row, strict=True)) for row in rows],
        }
    return f"<{content_type.partition(';')[0]}>" if text else ""
