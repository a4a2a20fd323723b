"""One discovery in the terminal."""

import asyncio
import getpass
import json
import os
import signal
import threading
from decimal import Decimal
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from discovery.analysis.params import BOUNDS, BadParams, Params, check
from discovery.domain.addresses import parse_address
from discovery.domain.findings import EarlyBuyer
from discovery.domain.funnel import ordered
from discovery.domain.units import round_half_even
from discovery.management.terminal import ProgressReporter, Quiet, plan_text, stdout_console, wallet_table
from discovery.models import DiscoveryConfig, DiscoveryRun
from discovery.models.choices import RunStatus, Trigger
from discovery.runs import ledger
from discovery.runs.conduct import Outcome, Reporter, conduct, plan_for
from discovery.runs.store import moment, profit_pct

EXIT_FAILED, EXIT_BAD_OPTION, EXIT_ACTIVE, EXIT_INTERRUPTED = 1, 2, 3, 130
HELP = {
    "min_price_change_pct": "least price change over 24 h",
    "min_volume_usd": "least volume over 24 h",
    "min_liquidity_usd": "least liquidity",
    "max_token_age_hours": "most hours since launch",
    "early_window_minutes": "a first buy this soon after launch is early",
    "min_profit_pct": "least realised profit on the token",
    "max_tokens": "most tokens to analyse",
    "max_requests_per_run": "most provider calls; the run ends cleanly there",
}


class Command(BaseCommand):
    """Finds tokens that pumped, their early buyers, and keeps those who really took profit out."""

    help = (
        "Run one discovery here and now. Options left out come from the saved configuration. "
        "Exit codes: 0 completed, 1 failed or cancelled, 2 bad option, 3 another run is active, 130 Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Every parameter of a run, the tokens, and the form of the answer."""
        for name, bound in BOUNDS.items():
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                dest=name,
                metavar=bound.unit.upper(),
                help=f"{HELP[name]}, {bound.least:,f}–{bound.most:,f} {bound.unit}".replace("%", "%%"),
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
        parser.add_argument("--quiet", action="store_true", help="no progress on standard error")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run. Raises CommandError with the exit code of the case."""
        given = {name: options[name] for name in BOUNDS if options[name] is not None}
        mints = self._mints(options["token"])
        try:
            check(given)  # bad options are told even where no database answers
        except BadParams as error:
            raise self._bad_options(error) from None
        try:
            config = DiscoveryConfig.load()
            params = check(given, ledger.saved_params(config))
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {str(error).strip()}", returncode=EXIT_FAILED) from None
        if options["plan"]:
            source = "helius" if settings.HELIUS_API_KEY else "solana_rpc"
            plan = plan_for(
                "helius" if source == "helius" else "solana_rpc", len(mints) or params.max_tokens, given=bool(mints)
            )
            self.stdout.write(json.dumps(_plan_object(plan)) if options["json"] else plan_text(plan))
            return
        try:
            run = ledger.start(
                params,
                trigger=Trigger.MANUAL,
                triggered_by=_who(),
                mints=mints,
                config_version=config.version,
            )
        except ledger.ActiveRun as error:
            raise CommandError(str(error), returncode=EXIT_ACTIVE) from None
        quiet = options["quiet"] or options["json"]
        try:
            outcome = self._conduct(run, params, quiet=quiet, schedule_hours=config.schedule_hours or 6)
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise CommandError(f"interrupted; run {run.pk} keeps what it found", returncode=EXIT_INTERRUPTED) from None
        except DatabaseError as error:
            words = f"the database went away during run {run.pk}: {str(error).strip()}"
            raise CommandError(words, returncode=EXIT_FAILED) from None
        run.refresh_from_db()
        if options["json"]:
            self.stdout.write(json.dumps(_object(run, outcome, all_buyers=options["all_buyers"])))
        else:
            self._show(run, outcome, all_buyers=options["all_buyers"])
        if run.status != RunStatus.COMPLETED:
            raise CommandError(f"run {run.pk} {run.status}", returncode=EXIT_FAILED)

    def _mints(self, texts: list[str]) -> list[str]:
        try:
            return [parse_address(text) for text in dict.fromkeys(texts)]
        except ValueError as error:
            raise CommandError(f"--token: {error}", returncode=EXIT_BAD_OPTION) from None

    @staticmethod
    def _bad_options(error: BadParams) -> CommandError:
        words = "\n".join(f"--{name.replace('_', '-')}: {problem}" for name, problem in error.problems.items())
        return CommandError(words, returncode=EXIT_BAD_OPTION)

    @staticmethod
    def _conduct(run: DiscoveryRun, params: Params, *, quiet: bool, schedule_hours: int) -> Outcome:
        with Quiet() if quiet else ProgressReporter() as reporter:
            return async_to_sync(_until_signalled)(run, params, reporter, schedule_hours)

    def _show(self, run: DiscoveryRun, outcome: Outcome, *, all_buyers: bool) -> None:
        console = stdout_console()
        rows = _rows(run, outcome, all_buyers=all_buyers)
        if rows:
            console.print(wallet_table(rows, all_buyers=all_buyers, width=console.width))
        elif not outcome.candidates:
            console.print("No token passed the filters: the funnel below says where they fell.")
        else:
            console.print("No early buyer took enough profit out; --all-buyers shows them all with their figures.")
        console.print(
            f"Run {run.pk}: {run.status}{' with errors' if run.status == RunStatus.COMPLETED and run.errors else ''} "
            f"in {run.duration_seconds} s · {run.tokens_analyzed} tokens · {run.new_wallets} new wallets, "
            f"{run.updated_wallets} known · {sum(row['calls'] for row in run.usage.values()):,} provider calls"
        )
        console.print(
            "Funnel: " + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in ordered(run.funnel))
        )
        for error in run.errors or []:
            text = error if isinstance(error, str) else f"{error['step']}: {error['message']}"
            console.print(f"Lost: {text}", style="yellow", markup=False)


def _who() -> str:
    """The user of this process, by name where it has one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _until_signalled(run: DiscoveryRun, params: Params, reporter: Reporter, schedule_hours: int) -> Outcome:
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

    await sync_to_async(listen)()
    try:
        return await conduct(run, params, reporter, schedule_hours=schedule_hours)
    finally:
        await sync_to_async(hush)()


def _rows(run: DiscoveryRun, outcome: Outcome, *, all_buyers: bool) -> list[tuple[EarlyBuyer, str, bool | None]]:
    """Buyers with symbol and newness, best profit first."""
    new = dict(run.wallets.values_list("wallet_address", "is_new"))
    rows = [
        (
            buyer,
            result.candidate.symbol or result.candidate.mint[:8],
            new.get(buyer.wallet) if buyer.qualified else None,
        )
        for result in outcome.results
        for buyer in result.buyers
        if buyer.qualified or all_buyers
    ]
    rows.sort(key=lambda row: (not row[0].qualified, -(row[0].position.profit_pct or 0), row[0].wallet))
    return rows


def _plan_object(plan: Any) -> dict[str, Any]:
    return {
        "source": plan.source,
        "tokens": plan.tokens,
        "calls": plan.calls,
        "total_calls": plan.total_calls,
        "helius_credits": plan.helius_credits,
        "seconds": plan.seconds,
    }


def _object(run: DiscoveryRun, outcome: Outcome, *, all_buyers: bool) -> dict[str, Any]:
    """The answer as one object: lamports as strings, percentages as numbers, times in ISO-8601 with Z."""
    wallets = []
    for buyer, _, is_new in _rows(run, outcome, all_buyers=all_buyers):
        profit = profit_pct(buyer)
        wallets.append(
            {
                "address": buyer.wallet,
                "mint": buyer.mint,
                "qualified": buyer.qualified,
                "profit_pct": None if profit is None else _number(profit),
                "realised_lamports": str(round_half_even(buyer.position.realised_lamports)),
                "cost_lamports": str(round_half_even(buyer.position.put_in_lamports)),
                "first_buy_at": _iso(buyer.first_buy_time),
                "entry_rank": buyer.entry_rank,
                "entry_seconds": buyer.entry_seconds,
                "history_incomplete": buyer.position.history_incomplete,
                "rejection": buyer.rejection,
                "flags": list(buyer.flags),
                "is_new": is_new,
                "score": None,
            }
        )
    analysed = {result.candidate.mint: result for result in outcome.results}
    tokens = []
    for token in outcome.candidates:
        result = analysed.get(token.mint)
        tokens.append(
            {
                "mint": token.mint,
                "symbol": token.symbol,
                "launched_at": _iso(result.launched_at if result else token.launched_at),
                "launch_clock": result.launch_clock if result else token.launch_clock,
                "early_buyers": len(result.buyers) if result else None,
                "qualified": sum(buyer.qualified for buyer in result.buyers) if result else None,
            }
        )
    return {
        "run_id": str(run.pk),
        "status": run.status,
        "tokens": tokens,
        "wallets": wallets,
        "funnel": run.funnel,
        "usage": run.usage,
        "errors": run.errors or [],
    }


def _number(value: Decimal) -> float:
    """A percentage for JSON, where numbers are what consumers expect; two decimals survive the way exactly."""
    return float(value)


def _iso(seconds: int | None) -> str | None:
    at = moment(seconds)
    return None if at is None else at.isoformat().replace("+00:00", "Z")
