"""Charts of the report, as the page's script draws them: in % of the stake, or in % of
the wallets. A value that is not known leaves a gap.
"""

from collections.abc import Iterable
from typing import Any

from discovery.domain.times import datetime_from_unix
from discovery.reads.report import Report


def report_charts(found: Report) -> dict[str, Any]:
    """Return the charts by name; None for one without any known value."""
    return {
        "weeks": _weeks(found),
        "calibration": _calibration(found),
        "regimes": _regimes(found),
    }


def _weeks(found: Report) -> dict[str, Any] | None:
    weeks = found.weeks
    return _chart(
        [f"week of {datetime_from_unix(week.starts_at):%d %b}" for week in weeks],
        _series("followed wallets", "primary", [week.found_stakes for week in weeks]),
        _series("control wallets", "dim", [week.control_stakes for week in weeks]),
    )


def _calibration(found: Report) -> dict[str, Any] | None:
    fifths = found.calibration.fifths
    return _chart(
        [f"{100 * part.min_score:.0f}–{100 * part.max_score:.0f}" for part in fifths],
        _series("predicted", "dim", [part.predicted for part in fifths]),
        _series("gained", "primary", [part.gained.share for part in fifths]),
    )


def _regimes(found: Report) -> dict[str, Any] | None:
    thirds = found.regimes
    return _chart(
        ["worst days", "middle", "best days"],
        _series(
            "lift",
            "primary",
            [each.lift_stakes for each in (thirds.lower, thirds.middle, thirds.upper)],
        ),
    )


def _chart(labels: list[str], *series: dict[str, Any]) -> dict[str, Any] | None:
    known = any(value is not None for each in series for value in each["values"])
    if not known:
        return None
    return {"labels": labels, "unit": "%", "decimals": 1, "series": series}


def _series(name: str, tone: str, ratios: Iterable[float | None]) -> dict[str, Any]:
    return {"name": name, "tone": tone, "values": [_pct(ratio) for ratio in ratios]}


def _pct(ratio: float | None) -> float | None:
    return None if ratio is None else round(100 * ratio, 2)
