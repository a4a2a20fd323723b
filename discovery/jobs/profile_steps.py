"""The steps of a run that profile wallets: those that it found, some that earlier runs
left unprofiled, and its control wallets.
"""

from typing import Final

from discovery.domain.run_errors import ErrorCode, run_error
from discovery.jobs import step_queue
from discovery.jobs.run_errors import append_errors
from discovery.models import Run, Wallet
from discovery.models.enums import StepKind
from discovery.pipeline.control_group import choose_controls
from discovery.pipeline.profile_room import most_promising, profile_room

CONTROL_PAYLOAD: Final = {"arm": "control"}
"""Payload of the steps that profile control wallets."""
MAX_UNPROFILED_LEFTOVERS: Final = 200


def add_profile_steps(run: Run) -> None:
    """Add the steps, as far as there is time until the next run, and credits. Called in
    the transaction that begins the stage.
    """
    if not run.params.profile_immediately:
        return
    finds = _wallets_found(run)
    leftovers = _leftovers(run, finds)
    max_controls = min(run.params.control_wallets, len(finds))
    room = profile_room(run, len(finds), len(leftovers), max_controls)
    if room.note:
        append_errors(run.pk, [run_error("run", ErrorCode.PLAN_CUT, room.note)])
    wallets = most_promising(run, finds, room.finds) + leftovers[: room.leftovers]
    step_queue.add_steps(run.pk, StepKind.WALLET, wallets)
    controls = choose_controls(run, room.controls) if room.controls else []
    step_queue.add_steps(run.pk, StepKind.WALLET, controls, CONTROL_PAYLOAD)


def _wallets_found(run: Run) -> list[str]:
    wallets = Wallet.objects.listed().not_blacklisted()
    of_run = wallets.filter(address__in=run.wallets.values("wallet_address"))
    return list(of_run.order_by("address").values_list("address", flat=True))


def _leftovers(run: Run, finds: list[str]) -> list[str]:
    """Return wallets of earlier runs without a profile; none for a run over named
    tokens.
    """
    if run.given_mints:
        return []
    wallets = Wallet.objects.listed().not_blacklisted().unprofiled()
    newest_first = wallets.exclude(address__in=finds).order_by("-last_discovered_at")
    addresses = newest_first.values_list("address", flat=True)
    return list(addresses[:MAX_UNPROFILED_LEFTOVERS])
