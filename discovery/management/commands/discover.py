"""`manage.py discover`: one discovery run in the terminal."""

import asyncio
import contextlib
import getpass
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from asgiref.sync import async_to_sync, sync_to_async
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from discovery.costs import PlanView, cost_plan, plan_lines
from discovery.domain.addresses import parse_address
from discovery.domain.funnel import ordered_funnel
from discovery.domain.run_params import (
    NUMBER_SPECS,
    PARAM_SPECS,
    InvalidParams,
    Params,
    check_params,
)
from discovery.jobs import run_lifecycle
from discovery.jobs.inline_runner import run_inline
from discovery.management.signals import InterruptHandler
from discovery.management.terminal import (
    ProgressReporter,
    QuietReporter,
    stdout_console,
    verdict_lines,
    wallet_table,
)
from discovery.models import Config, Run
from discovery.models.enums import RunStatus, Trigger
from discovery.reads import run_results
from discovery.reads.cut_windows import cut_windows
from discovery.reads.progress import has_live_workers, progress
from discovery.reads.row_values import error_details

POLL_SECONDS: Final = 0.3
CANCEL_SECONDS: Final = 12
EXIT_FAILED, EXIT_BAD_OPTION, EXIT_ACTIVE, EXIT_INTERRUPTED = 1, 2, 3, 130


class Command(BaseCommand):
    """Finds tokens that pumped and their early buyers, and keeps the buyers that took
    profit out.
    """

    help = (
        "Run one discovery now: by the workers, or in this process if none is alive. "
        "Options left out come from the saved configuration. "
        "Exit codes: 0 completed, 1 failed or cancelled, 2 bad option, 3 another run is active, 130 Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add every parameter of a run, the tokens, and the form of the output."""
        for spec in NUMBER_SPECS.values():
            description = f"{spec.help} {spec.bounds} {spec.unit}"
            parser.add_argument(
                spec.option,
                dest=spec.name,
                metavar=spec.unit.upper(),
                help=description.replace("%", "%%"),
            )
        parser.add_argument(
            "--token",
            action="append",
            default=[],
            metavar="MINT",
            help="analyse this token instead of searching, past the pump and age filters and --max-tokens; repeatable",
        )
        parser.add_argument(
            "--plan",
            action="store_true",
            help="print the expected cost of the run and of a month; no provider call, no change",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object instead of a table",
        )
        parser.add_argument(
            "--all-buyers",
            action="store_true",
            help="show the early buyers that did not qualify as well",
        )
        parser.add_argument(
            "--foreground",
            action="store_true",
            help="run every step in this process; no worker is needed",
        )
        parser.add_argument(
            "--quiet", action="store_true", help="no progress on standard error"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError with the exit code of the case."""
        given = {
            name: options[name] for name in NUMBER_SPECS if options[name] is not None
        }
        mints = _parse_mints(options["token"])
        # Wrong options are reported even if the database is unreachable.
        _check_options(given)
        try:
            config = Config.load()
        except DatabaseError as error:
            cause = str(error).strip()
            raise CommandError(
                f"the database does not answer: {cause}", returncode=EXIT_FAILED
            ) from None
        params = check_params(given, config.params)
        if options["plan"]:
            self._print_plan(params, mints, as_json=options["json"])
            return
        run = self._run(params, mints, config.version, options)
        if options["json"]:
            self.stdout.write(
                json.dumps(_run_object(run, all_buyers=options["all_buyers"]))
            )
        else:
            _print_results(run, all_buyers=options["all_buyers"])
        if run.status != RunStatus.COMPLETED:
            raise CommandError(f"run {run.pk} {run.status}", returncode=EXIT_FAILED)

    def _print_plan(self, params: Params, mints: list[str], *, as_json: bool) -> None:
        plan = cost_plan(params, named=len(mints))
        words = (
            json.dumps(_plan_object(plan)) if as_json else "\n".join(plan_lines(plan))
        )
        self.stdout.write(words)

    def _run(
        self,
        params: Params,
        mints: list[str],
        config_version: int,
        options: Mapping[str, Any],
    ) -> Run:
        """Start a run, show its progress and return it when it has ended."""
        in_foreground = options["foreground"] or not has_live_workers()
        request = run_lifecycle.RunRequest(
            params=params,
            trigger=Trigger.MANUAL,
            triggered_by=_user_name(),
            mints=tuple(mints),
            config_version=config_version,
            in_foreground=in_foreground,
        )
        try:
            run = run_lifecycle.start(request)
        except run_lifecycle.RunAlreadyActive as error:
            raise CommandError(str(error), returncode=EXIT_ACTIVE) from None
        is_quiet = options["quiet"] or options["json"]
        try:
            with (
                _warnings_only(),
                QuietReporter() if is_quiet else ProgressReporter() as reporter,
            ):
                if in_foreground:
                    async_to_sync(_run_in_foreground)(run, reporter)
                else:
                    _watch(run, reporter)
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise CommandError(
                f"interrupted; run {run.pk} keeps what it found",
                returncode=EXIT_INTERRUPTED,
            ) from None
        except DatabaseError as error:
            cause = f"the database went away during run {run.pk}: {str(error).strip()}"
            raise CommandError(cause, returncode=EXIT_FAILED) from None
        run.refresh_from_db()
        return run


def _parse_mints(texts: list[str]) -> list[str]:
    try:
        return [parse_address(text) for text in dict.fromkeys(texts)]
    except ValueError as error:
        raise CommandError(f"--token: {error}", returncode=EXIT_BAD_OPTION) from None


def _check_options(given: Mapping[str, Any]) -> None:
    try:
        check_params(given)
    except InvalidParams as error:
        lines = [
            f"{PARAM_SPECS[name].option}: {problem}"
            for name, problem in error.problems.items()
        ]
        raise CommandError("\n".join(lines), returncode=EXIT_BAD_OPTION) from None


@contextlib.contextmanager
def _warnings_only() -> Iterator[None]:
    """Keep log lines below warning off the terminal while it shows progress."""
    with contextlib.ExitStack() as restoring:
        for handler in logging.getLogger().handlers:
            if type(handler) is logging.StreamHandler:
                restoring.callback(handler.setLevel, handler.level)
                handler.setLevel(max(handler.level, logging.WARNING))
        yield


def _watch(run: Run, reporter: QuietReporter) -> None:
    """Show what workers do with the run until it has ended. Ctrl-C cancels the run and
    waits for its end.
    """
    try:
        while (current := progress(run.pk)).active:
            reporter.show(current)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        run_lifecycle.request_cancel(run.pk)
        deadline = time.monotonic() + CANCEL_SECONDS
        while progress(run.pk).active and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        raise
    reporter.show(current)


async def _run_in_foreground(run: Run, reporter: QuietReporter) -> None:
    """Run every step in this process and show the progress. A signal cancels the run."""
    watcher = asyncio.ensure_future(_show_progress(run, reporter))
    try:
        await InterruptHandler().guard(run_inline(run))
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    reporter.show(await sync_to_async(progress)(run.pk))


async def _show_progress(run: Run, reporter: QuietReporter) -> None:
    while True:
        await asyncio.sleep(POLL_SECONDS)
        # The run itself reports a lost database.
        with contextlib.suppress(DatabaseError):
            reporter.show(await sync_to_async(progress)(run.pk))


def _user_name() -> str:
    """Return the name of the user of this process, or the user id if it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _print_results(run: Run, *, all_buyers: bool) -> None:
    console = stdout_console()
    wallets = run_results.found_wallets(run.pk, all_buyers=all_buyers)
    if wallets:
        console.print(wallet_table(wallets, all_buyers=all_buyers, width=console.width))
        for line in verdict_lines(wallets):
            console.print(line, markup=False, highlight=False)
    elif not run.tokens.exists():
        console.print(
            "No token passed the filters: the funnel below shows where they were filtered out."
        )
    else:
        console.print(
            "No early buyer took enough profit out; --all-buyers shows them all with their figures."
        )
    console.print(_summary(run))
    tokens = run_results.found_tokens(run)
    for note in cut_windows(tokens, run.params.early_window_minutes):
        console.print(note, markup=False, highlight=False)
    funnel = [
        f"{name.replace('_', ' ')} {count:,}"
        for name, count in ordered_funnel(run.funnel)
    ]
    console.print(f"Funnel: {', '.join(funnel)}")
    for error in error_details(run.errors):
        text = f"Lost: {error.step}: {error.message}"
        console.print(text, style="yellow", markup=False)


def _summary(run: Run) -> str:
    status = run.status
    if run.status == RunStatus.COMPLETED and run.errors:
        status = f"{status} with errors"
    calls = sum(usage["calls"] for usage in run.usage.values())
    figures = [
        f"Run {run.pk}: {status} in {run.duration_seconds} s",
        f"{run.tokens_analyzed} tokens",
        f"{run.new_wallets} new wallets, {run.updated_wallets} known, {run.profiled_wallets} profiled",
        f"{calls:,} provider calls",
    ]
    return " · ".join(figures)


def _plan_object(plan: PlanView) -> dict[str, Any]:
    """Return the figures of the run, and the rest of the plan beside them."""
    whole: dict[str, Any] = msgspec.to_builtins(plan)
    return {"source": whole.pop("source"), **whole.pop("run"), **whole}


def _run_object(run: Run, *, all_buyers: bool) -> dict[str, Any]:
    """Return the results as one object: lamports as strings, percentages as numbers,
    times in ISO 8601 with `Z`.
    """
    wallets = run_results.found_wallets(run.pk, all_buyers=all_buyers)
    return {
        "run_id": str(run.pk),
        "status": run.status,
        "tokens": [_token_object(token) for token in run_results.found_tokens(run)],
        "wallets": [_wallet_object(wallet) for wallet in wallets],
        "funnel": run.funnel,
        "usage": run.usage,
        "errors": run.errors,
    }


def _token_object(token: run_results.FoundToken) -> dict[str, Any]:
    return {
        "mint": token.mint,
        "symbol": token.symbol,
        "launched_at": _iso_or_none(token.launched_at),
        "launch_clock": token.launch_clock,
        "window_read_until": _iso_or_none(token.window_read_until),
        "early_buyers": token.early_buyers,
        "qualified": token.qualified,
    }


def _wallet_object(wallet: run_results.FoundWallet) -> dict[str, Any]:
    return {
        "address": wallet.address,
        "mint": wallet.mint,
        "qualified": wallet.qualified,
        "profit_pct": _number_or_none(wallet.profit_pct),
        "realised_lamports": _text_or_none(wallet.realised_lamports),
        "cost_lamports": str(wallet.cost_lamports),
        "first_buy_at": _iso_or_none(wallet.first_buy_at),
        "entry_rank": wallet.entry_rank,
        "entry_seconds": wallet.entry_seconds,
        "knowledge": wallet.knowledge,
        "unknown_reason": wallet.unknown_reason,
        "known_share": _number_or_none(wallet.known_share),
        "has_moved_out": wallet.has_moved_out,
        "later_cycles": wallet.later_cycles,
        "history_incomplete": wallet.history_incomplete,
        "rejection": wallet.rejection,
        "flags": list(wallet.flags),
        "is_new": wallet.is_new,
        "score": _number_or_none(wallet.score),
        "verdict": wallet.verdict,
        "verdict_reason": wallet.verdict_reason,
        "edge_pct": _number_or_none(wallet.edge_pct),
        "edge_low_pct": _number_or_none(wallet.edge_low_pct),
        "edge_high_pct": _number_or_none(wallet.edge_high_pct),
    }


def _text_or_none(lamports: int | None) -> str | None:
    """Return an amount as text: JSON numbers lose digits beyond 2⁵³."""
    return None if lamports is None else str(lamports)


def _number_or_none(value: Decimal | None) -> float | None:
    """Return a percentage or score as the number that JSON consumers expect; its few
    digits survive exactly.
    """
    if value is None:
        return None
    return float(value)


def _iso_or_none(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
