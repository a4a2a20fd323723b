"""Readers of the JSON of /health/detailed."""

from typing import Any


def not_passing(health: dict[str, Any]) -> dict[str, str]:
    """Return the status of the checks that do not pass."""
    return {
        name: check["status"]
        for name, check in health["checks"].items()
        if check["status"] != "pass"
    }
