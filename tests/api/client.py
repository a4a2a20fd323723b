"""A program that calls the API."""

import json
from typing import Any

from django.test import Client

ROOT = "/api/discovery"


class Api:
    """Calls the API the way a program does."""

    def __init__(self, client: Client, key: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`path` is below /api/discovery unless it begins with /api."""
        return self.raw(method, path, "" if body is None else json.dumps(body), **headers)

    def raw(self, method: str, path: str, text: str | bytes, **headers: str) -> Any:
        """The same with the body as it goes over the wire."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"content_type": named.pop("Content-Type", "application/json")} if text else {}
        url = path if path.startswith("/api") else f"{ROOT}/{path}"
        return self.client.generic(method, url, data=text, headers={**self.headers, **named}, **kind)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)
