"""The report of the forward record in the terminal."""

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from discovery.analysis.forward_outlook import ArmOutlook
from discovery.analysis.forward_record import ArmGrowth, Lift
from discovery.analysis.forward_words import (
    claim_text,
    missing_text,
    most_missing_text,
    wait_text,
)
from discovery.reads.report import OutcomeCounts, Report
from discovery.templatetags.formatting import ratio_pct, return_pct, score100

_NOT_KNOWN: Final = "not known yet"
_HOURS_PER_DAY: Final = 24


def print_report(console: Console, found: Report) -> None:
    """Print the sentence, then a table for each part of the report."""
    days = found.horizon_hours // _HOURS_PER_DAY
    console.print(Text(found.sentence, style="bold"))
    console.print(f"Measured {days} d after the judgement. Growth in % of the stake.")
    if not found.control_wallets:
        console.print(
            "New runs take no control wallets (control_wallets is 0): nothing new can be proved."
        )
    console.print("", _arm_table(found), _lift_table(found), _version_table(found))
    console.print(f"Claim: {claim_text(found.lift, found.claim)}.", markup=False)
    console.print("", _calibration_table(found), _missing_table(found))
    console.print(_outcomes_text(found.outcomes), markup=False)


def _arm_table(found: Report) -> Table:
    table = _table(
        "group",
        "a trade %",
        "90 %",
        "wallet %",
        "trades",
        "wallets",
        "tokens",
        "not known",
        "late / behind / costs only",
    )
    _add(table, "followed", *_arm_cells(found.lift.found))
    _add(table, "control", *_arm_cells(found.lift.control))
    return table


def _arm_cells(arm: ArmGrowth) -> tuple[str, ...]:
    return (
        _growth(arm.growth_stakes),
        _bounds(arm.low_stakes, arm.high_stakes),
        _growth(arm.leader_growth_stakes),
        f"{arm.trades:,}",
        f"{arm.wallets:,}",
        f"{arm.tokens:,}",
        f"{arm.unknown_trades:,}",
        " / ".join(f"{count:,}" for count in reversed(arm.trades_by_level)),
    )


def _lift_table(found: Report) -> Table:
    table = _table("lift", "%", "90 %, one look", "90 %, daily looks", "missing")
    thirds = found.regimes
    rows = {"all days": found.lift}
    if thirds.lower_cut_stakes is not None:
        rows["worst third of the days"] = thirds.lower
        rows["middle third"] = thirds.middle
        rows["best third of the days"] = thirds.upper
    for name, measured in rows.items():
        _add(table, name, *_lift_cells(measured))
    if thirds.lower_cut_stakes is None:
        needed = "three days with a known median early buyer"
        _add(table, "thirds of the days", _NOT_KNOWN, "", "", needed)
    return table


def _version_table(found: Report) -> Table:
    table = _table("score", "%", "90 %, one look", "90 %, daily looks", "missing")
    for version, measured in found.by_version.items():
        _add(table, f"version {version}", *_lift_cells(measured))
    if not found.by_version:
        _add(table, "no trade yet", "", "", "", "")
    return table


def _lift_cells(measured: Lift) -> tuple[str, ...]:
    return (
        _growth(measured.lift_stakes),
        _bounds(measured.low_stakes, measured.high_stakes),
        _bounds(measured.sequential_low_stakes, measured.sequential_high_stakes),
        most_missing_text(measured),
    )


def _calibration_table(found: Report) -> Table:
    table = _table("score", "predicted %", "gained %", "90 %", "wallets")
    for part in found.calibration.fifths:
        _add(
            table,
            f"{score100(part.min_score)} to {score100(part.max_score)}",
            ratio_pct(part.predicted),
            ratio_pct(part.gained.share),
            f"{ratio_pct(part.gained.low)} to {ratio_pct(part.gained.high)}",
            f"{part.gained.hits:,} of {part.gained.total:,}",
        )
    if not found.calibration.fifths:
        known = found.calibration.known
        _add(table, f"{_NOT_KNOWN}: {known} of 5 wallets have an outcome", "", "", "")
    return table


def _missing_table(found: Report) -> Table:
    table = _table("group", "missing", "when")
    rows: dict[str, ArmOutlook] = {
        "followed": found.outlook.found,
        "control": found.outlook.control,
    }
    for name, ahead in rows.items():
        missing = missing_text(ahead.missing, name) or "nothing"
        _add(table, name, missing, wait_text(ahead.days))
    return table


def _outcomes_text(outcomes: OutcomeCounts) -> str:
    if not outcomes.planned:
        return "Outcomes: none is planned yet."
    text = (
        f"Outcomes: {outcomes.measured:,} of {outcomes.planned:,} measured, {outcomes.overdue:,} due, "
        f"{outcomes.stopped:,} stopped, {outcomes.unmeasurable:,} cannot be known"
    )
    if outcomes.next_due_at is not None:
        text += f"; next due {outcomes.next_due_at:%Y-%m-%d %H:%M} UTC"
    return f"{text}."


def _growth(stakes: float | None) -> str:
    return _NOT_KNOWN if stakes is None else return_pct(stakes)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{return_pct(low)} to {return_pct(high)}"


def _table(*heads: str) -> Table:
    return Table(*heads, box=SIMPLE_HEAD, pad_edge=False)


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(cell) for cell in cells))
