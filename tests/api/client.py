"""A client of the API, as programs call it."""

import json
from typing import Any

from django.test import Client

ROOT = "/api/discovery"


class Api:
    """Call the API, with a key if there is one. A path is below /api/discovery unless
    it begins with /api.
    """

    def __init__(self, client: Client, key: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send `body` as JSON. `If_Match` stands for the header If-Match."""
        text = "" if body is None else json.dumps(body)
        return self.raw(method, path, text, **headers)

    def raw(self, method: str, path: str, text: str | bytes, **headers: str) -> Any:
        """Send the body as it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        options = (
            {"content_type": named.pop("Content-Type", "application/json")}
            if text
            else {}
        )
        url = path if path.startswith("/api") else f"{ROOT}/{path}"
        return self.client.generic(
            method, url, data=text, headers={**self.headers, **named}, **options
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)
