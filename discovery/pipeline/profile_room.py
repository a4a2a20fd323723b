"""How many wallets a run may profile, so that it ends before the next scheduled one
begins, and a scheduled run within its share of the month's credits.
"""

from typing import Final

import msgspec

from discovery.analysis.estimate import UnitUse, provider_of, seconds_of_call
from discovery.domain.usage import sum_usage
from discovery.models import Config, Run, RunWallet
from discovery.models.database_time import database_now
from discovery.models.enums import Trigger
from discovery.pipeline.cost_estimate import (
    Estimator,
    as_source,
    interval_seconds,
    load_estimator,
)
from discovery.pipeline.credit_budget import credit_budget

ALL: Final = 1.0


class ProfileRoom(msgspec.Struct, frozen=True):
    """How many wallets of each kind may be profiled. note: what was cut and why, "" =
    nothing.
    """

    finds: int
    leftovers: int
    controls: int
    note: str = ""


def profile_room(run: Run, finds: int, leftovers: int, controls: int) -> ProfileRoom:
    """Return how many of the wallets that the run found, of those that earlier runs left
    unprofiled, and of the control wallets may be profiled. Wallets found and control
    wallets are cut by the same share; leftovers get what remains. A run over named tokens
    is not cut.
    """
    if run.given_mints or not finds + leftovers + controls:
        return ProfileRoom(finds, leftovers, controls)
    estimator = load_estimator(as_source(run.source))
    config = Config.load()
    wallet, control = estimator.costs.wallet, estimator.costs.control
    seconds = _seconds_left(run, config)
    rooms = [
        _Room(
            "time", seconds, _seconds(estimator, wallet), _seconds(estimator, control)
        )
    ]
    credits_left = _credits_left(run, config)
    if credits_left is not None:
        rooms.append(_Room("credits", credits_left, wallet.credits, control.credits))
    tightest = min(rooms, key=lambda room: room.share(finds, controls))
    share = tightest.share(finds, controls)
    if share < ALL:
        kept = max(min(finds, 1), int(finds * share))
        kept_controls = int(controls * share)
        note = _note(tightest.name, config, finds, kept, controls, kept_controls)
        return ProfileRoom(kept, 0, kept_controls, note)
    kept = min(room.units_left(finds, controls, leftovers) for room in rooms)
    return ProfileRoom(finds, kept, controls)


class _Room(msgspec.Struct, frozen=True):
    """An amount that is left, and what a wallet and a control wallet take of it."""

    name: str
    left: float
    wallet: float
    control: float

    def share(self, finds: int, controls: int) -> float:
        needed = finds * self.wallet + controls * self.control
        return ALL if needed <= self.left else max(0.0, self.left) / needed

    def units_left(self, finds: int, controls: int, leftovers: int) -> int:
        if not self.wallet:
            return leftovers
        rest = self.left - finds * self.wallet - controls * self.control
        return max(0, min(leftovers, int(rest / self.wallet)))


def _seconds(estimator: Estimator, use: UnitUse) -> float:
    calls = use.calls.get(provider_of(estimator.source), 0.0)
    return calls * seconds_of_call(estimator.source, estimator.costs, estimator.rates)


def _seconds_left(run: Run, config: Config) -> float:
    """Return the real seconds until the next scheduled run: the run's own times are those
    of a market that may be simulated.
    """
    now = database_now()
    elapsed = now - (run.created_at or now)
    return interval_seconds(config) - elapsed.total_seconds()


def _credits_left(run: Run, config: Config) -> int | None:
    if run.trigger_type != Trigger.SCHEDULED:
        return None
    budget = credit_budget(config, without_run=run.pk)
    if budget is None:
        return None
    usage = sum_usage(run.steps.values_list("usage", flat=True))
    return budget.allowance - usage.get("helius", {}).get("credits", 0)


def _note(
    name: str, config: Config, finds: int, kept: int, controls: int, kept_controls: int
) -> str:
    cause = f"all of them would take longer than the {config.hours} h between runs"
    if name == "credits":
        cause = (
            "all of them would use more than the run's share of this month's credits"
        )
    return (
        f"{kept} of {finds} wallets found and {kept_controls} of {controls} control wallets are profiled, those "
        f"with the largest profits first: {cause}. Later runs profile the others if they have room"
    )


def most_promising(run: Run, addresses: list[str], count: int) -> list[str]:
    """Return so many of the wallets that the run found, the largest profits first. One
    query if any is left out.
    """
    if count >= len(addresses):
        return addresses
    profits: dict[str, int] = dict.fromkeys(addresses, 0)
    rows = RunWallet.objects.filter(run=run, wallet_address__in=addresses)
    for address, realised in rows.values_list("wallet_address", "realised_lamports"):
        profits[address] += realised or 0
    ordered = sorted(addresses, key=lambda address: (-profits[address], address))
    return ordered[:count]
