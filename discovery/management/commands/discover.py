"""One discovery in the terminal."""

import asyncio
import contextlib
import getpass
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from discovery.domain.addresses import parse_address
from discovery.domain.funnel import ordered_funnel
from discovery.domain.run_params import NUMBER_SPECS, PARAM_SPECS, InvalidParams, check_params
from discovery.jobs import run_lifecycle
from discovery.jobs.inline_runner import run_inline
from discovery.management.terminal import ProgressReporter, Quiet, plan_text, stdout_console, wallet_table
from discovery.models import Config, Run
from discovery.models.enums import RunStatus, Trigger
from discovery.pipeline.cost_estimate import estimate_cost, expected_source
from discovery.reads import run_results
from discovery.reads.progress import has_live_workers, progress

LOOK_SECONDS = 0.3
CANCEL_SECONDS = 12
EXIT_FAILED, EXIT_BAD_OPTION, EXIT_ACTIVE, EXIT_INTERRUPTED = 1, 2, 3, 130


class Command(BaseCommand):
    """Finds tokens that pumped, their early buyers, and keeps those who really took profit out."""

    help = (
        "Run one discovery now: by the workers, or in this process where none is alive. "
        "Options left out come from the saved configuration. "
        "Exit codes: 0 completed, 1 failed or cancelled, 2 bad option, 3 another run is active, 130 Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Every parameter of a run, the tokens, and the form of the answer."""
        for spec in NUMBER_SPECS.values():
            words = f"{spec.help} {spec.bounds} {spec.unit}"
            parser.add_argument(
                spec.option,
                dest=spec.name,
                metavar=spec.unit.upper(),
                help=words.replace("%", "%%"),
            )
        parser.add_argument(
            "--token",
            action="append",
            default=[],
            metavar="MINT",
            help="analyse this token instead of searching, past the pump and age filters and --max-tokens; repeatable",
        )
        parser.add_argument(
            "--plan", action="store_true", help="print what the run would cost, ask nobody, change nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
        parser.add_argument(
            "--all-buyers", action="store_true", help="show the early buyers that did not qualify as well"
        )
        parser.add_argument(
            "--foreground", action="store_true", help="carry the run out in this process; no worker is needed"
        )
        parser.add_argument("--quiet", action="store_true", help="no progress on standard error")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError with the exit code of the case."""
        given = {name: options[name] for name in NUMBER_SPECS if options[name] is not None}
        mints = self._mints(options["token"])
        try:
            check_params(given)  # bad options are reported even if no database answers
        except InvalidParams as error:
            raise self._bad_options(error) from None
        try:
            config = Config.load()
            params = check_params(given, config.params)
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {str(error).strip()}", returncode=EXIT_FAILED) from None
        if options["plan"]:
            plan = estimate_cost(expected_source(), len(mints) or params.max_tokens, given=bool(mints))
            self.stdout.write(json.dumps(_plan_object(plan)) if options["json"] else plan_text(plan))
            return
        foreground = options["foreground"] or not has_live_workers()
        try:
            run = run_lifecycle.start(
                run_lifecycle.RunRequest(
                    params=params,
                    trigger=Trigger.MANUAL,
                    triggered_by=_who(),
                    mints=tuple(mints),
                    config_version=config.version,
                    in_foreground=foreground,
                )
            )
        except run_lifecycle.RunAlreadyActive as error:
            raise CommandError(str(error), returncode=EXIT_ACTIVE) from None
        try:
            with _hushed(), Quiet() if options["quiet"] or options["json"] else ProgressReporter() as reporter:
                if foreground:
                    async_to_sync(_until_signalled)(run, reporter)
                else:
                    _watched(run, reporter)
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise CommandError(f"interrupted; run {run.pk} keeps what it found", returncode=EXIT_INTERRUPTED) from None
        except DatabaseError as error:
            words = f"the database went away during run {run.pk}: {str(error).strip()}"
            raise CommandError(words, returncode=EXIT_FAILED) from None
        run.refresh_from_db()
        if options["json"]:
            self.stdout.write(json.dumps(_object(run, all_buyers=options["all_buyers"])))
        else:
            self._show(run, all_buyers=options["all_buyers"])
        if run.status != RunStatus.COMPLETED:
            raise CommandError(f"run {run.pk} {run.status}", returncode=EXIT_FAILED)

    def _mints(self, texts: list[str]) -> list[str]:
        try:
            return [parse_address(text) for text in dict.fromkeys(texts)]
        except ValueError as error:
            raise CommandError(f"--token: {error}", returncode=EXIT_BAD_OPTION) from None

    @staticmethod
    def _bad_options(error: InvalidParams) -> CommandError:
        words = "\n".join(f"{PARAM_SPECS[name].option}: {problem}" for name, problem in error.problems.items())
        return CommandError(words, returncode=EXIT_BAD_OPTION)

    def _show(self, run: Run, *, all_buyers: bool) -> None:
        console = stdout_console()
        rows = run_results.wallets(run.pk, all_buyers=all_buyers)
        if rows:
            console.print(wallet_table(rows, all_buyers=all_buyers, width=console.width))
        elif not run.tokens.exists():
            console.print("No token passed the filters: the funnel below says where they fell.")
        else:
            console.print("No early buyer took enough profit out; --all-buyers shows them all with their figures.")
        console.print(
            f"Run {run.pk}: {run.status}{' with errors' if run.status == RunStatus.COMPLETED and run.errors else ''} "
            f"in {run.duration_seconds} s · {run.tokens_analyzed} tokens · {run.new_wallets} new wallets, "
            f"{run.updated_wallets} known, {run.profiled_wallets} profiled · "
            f"{sum(row['calls'] for row in run.usage.values()):,} provider calls"
        )
        console.print(
            "Funnel: " + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in ordered_funnel(run.funnel))
        )
        for error in run.errors or []:
            text = error if isinstance(error, str) else f"{error['step']}: {error['message']}"
            console.print(f"Lost: {text}", style="yellow", markup=False)


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """The terminal shows the run's progress: lines of the log that are no warning would stand between."""
    shown = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    before = [handler.level for handler in shown]
    for handler in shown:
        handler.setLevel(max(handler.level, logging.WARNING))
    try:
        yield
    finally:
        for handler, level in zip(shown, before, strict=True):
            handler.setLevel(level)


def _watched(run: Run, reporter: Quiet) -> None:
    """Show what workers do with the run until it is over. Ctrl-C asks them to end it and waits for that."""
    try:
        while (now := progress(run.pk)).active:
            reporter.show(now)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        run_lifecycle.request_cancel(run.pk)
        patience = time.monotonic() + CANCEL_SECONDS
        while progress(run.pk).active and time.monotonic() < patience:
            time.sleep(LOOK_SECONDS)
        raise
    reporter.show(now)


def _who() -> str:
    """The user of this process, by name where it has one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _until_signalled(run: Run, reporter: Quiet) -> None:
    """Conduct the run; the first Ctrl-C or TERM cancels it, which closes it properly, the second ends the process.

    The loop runs beside the main thread, where signals arrive: without this they would not reach it.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    before: dict[signal.Signals, Any] = {}

    def cancel(*_: object) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        loop.call_soon_threadsafe(task.cancel)

    def listen() -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before[number] = signal.signal(number, cancel)

    def hush() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(DatabaseError):  # the run itself tells of a lost database
                reporter.show(await sync_to_async(progress)(run.pk))

    await sync_to_async(listen)()
    watching = asyncio.ensure_future(watch())
    try:
        await run_inline(run)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await sync_to_async(hush)()
    reporter.show(await sync_to_async(progress)(run.pk))


def _plan_object(plan: Any) -> dict[str, Any]:
    return {
        "source": plan.source,
        "tokens": plan.tokens,
        "calls": plan.calls,
        "total_calls": plan.total_calls,
        "helius_credits": plan.helius_credits,
        "seconds": plan.seconds,
    }


def _object(run: Run, *, all_buyers: bool) -> dict[str, Any]:
    """The answer as one object: lamports as strings, percentages as numbers, times in ISO-8601 with Z."""
    return {
        "run_id": str(run.pk),
        "status": run.status,
        "tokens": [
            {
                "mint": token.mint,
                "symbol": token.symbol,
                "launched_at": _iso(token.launched_at),
                "launch_clock": token.launch_clock,
                "early_buyers": token.early_buyers,
                "qualified": token.qualified,
            }
            for token in run_results.tokens(run)
        ],
        "wallets": [
            {
                "address": row.address,
                "mint": row.mint,
                "qualified": row.qualified,
                "profit_pct": _number(row.profit_pct),
                "realised_lamports": str(row.realised_lamports),
                "cost_lamports": str(row.cost_lamports),
                "first_buy_at": _iso(row.first_buy_at),
                "entry_rank": row.entry_rank,
                "entry_seconds": row.entry_seconds,
                "history_incomplete": row.history_incomplete,
                "rejection": row.rejection,
                "flags": list(row.flags),
                "is_new": row.is_new,
                "score": _number(row.score),
            }
            for row in run_results.wallets(run.pk, all_buyers=all_buyers)
        ],
        "funnel": run.funnel,
        "usage": run.usage,
        "errors": run.errors or [],
    }


def _number(value: Decimal | None) -> float | None:
    """A percentage or score for JSON, where numbers are what consumers expect; its decimals survive the way exactly."""
    return None if value is None else float(value)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
