"""What a check of the providers found, as the command and the page show it."""

from typing import Any, Final, Literal

import msgspec

CheckStatus = Literal["ok", "differs", "refused"]

SEARCH: Final = "search"
TRANSACTIONS: Final = "transactions"
PARTS: Final = {
    SEARCH: "no provider lists tokens that pumped: a run finds nothing",
    TRANSACTIONS: "no source of transactions works: a run reads no token",
}
"""Parts of a run that need one provider at least → what happens without."""


class ProviderCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One question to one provider.

    check: what was asked. status: ok; differs: an answer, but not what the product assumes;
    refused: no usable answer. detail: what was found. remedy: what to do, "" = nothing.
    part: the part of a run that it serves, "" = none depends on it alone.
    """

    provider: str
    host: str
    check: str
    status: CheckStatus
    detail: str = ""
    remedy: str = ""
    part: str = ""

    @property
    def is_ok(self) -> bool:
        """Return True if the answer is as assumed."""
        return self.status == "ok"


class ProviderReport(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, and what a run cannot do. can_run: runs can work."""

    checks: list[ProviderCheck]
    problems: list[str]
    can_run: bool


def provider_report(
    checks: list[ProviderCheck], sources: list[list[ProviderCheck]]
) -> ProviderReport:
    """Return the report of all checks.

    sources: for each source of transactions the checks that it must pass; one source
    suffices.
    """
    problems: list[str] = []
    if not any(check.is_ok for check in checks if check.part == SEARCH):
        problems.append(PARTS[SEARCH])
    if not any(source and all(check.is_ok for check in source) for source in sources):
        problems.append(PARTS[TRANSACTIONS])
    return ProviderReport(checks=checks, problems=problems, can_run=not problems)


def report_from(stored: Any) -> ProviderReport | None:
    """Return a report that was stored as JSON, None if it cannot be read."""
    try:
        return msgspec.convert(stored, ProviderReport)
    except msgspec.ValidationError:
        return None
