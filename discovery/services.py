"""What people and programs may ask for, once for the API, the pages and the commands.

Each function changes rows and tells workers; none waits for a provider. Who asked is kept with what was asked.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from celery.exceptions import OperationalError as QueueError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from discovery.domain.run_params import Params, check
from discovery.jobs import broker, run_lifecycle, scheduler
from discovery.jobs.run_lifecycle import IdempotencyKeyReused, RunAlreadyActive
from discovery.models import Config, Pumps, Run, Wallet
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStatus, Trigger, WalletStatus
from discovery.pipeline import scoring

__all__ = [
    "IdempotencyKeyReused",
    "QueueError",
    "RunAlreadyActive",
    "StaleVersion",
    "WrongState",
    "cancel",
    "change_wallet",
    "is_enqueued",
    "profile_pending",
    "request_profile",
    "request_pumps",
    "retry",
    "save_config",
    "start",
]

log = logging.getLogger(__name__)

PROFILE_REQUEST_TIMEOUT: Final = timedelta(minutes=10)
"""A profile asked for longer ago got lost on its way and may be asked for again."""
PUMPS_REQUEST_TIMEOUT: Final = timedelta(seconds=60)
"""The same of the list of tokens that pump now."""


class WrongState(Exception):
    """The run is in a state that forbids what was asked. `status` says which."""

    def __init__(self, status: str) -> None:
        super().__init__(f"not possible for a run that is {status}")
        self.status = status


class StaleVersion(Exception):
    """Somebody changed the configuration meanwhile. `current` is the version in force."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the configuration was changed meanwhile: version {current} is in force")
        self.current = current


def start(
    overrides: Mapping[str, Any],
    *,
    trigger: Trigger,
    triggered_by: str,
    idempotency_key: str | None = None,
) -> Run:
    """A queued run with the saved configuration, `overrides` over it.

    idempotency_key: of this caller; the same with the same overrides answers the same run.
    Raises InvalidParams, ActiveRun, IdempotencyKeyReused for a key that was used for another request.
    """
    config = Config.load()
    params = check(overrides, run_lifecycle.saved_params(config))
    return run_lifecycle.start(
        params,
        trigger=trigger,
        triggered_by=triggered_by,
        config_version=config.version,
        **_idempotency(triggered_by, idempotency_key, {name: getattr(params, name) for name in overrides}),
    )


def _idempotency(caller: str, key: str | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of an idempotency key: one for each caller, and what makes two requests the same."""
    if key is None:
        return {}
    return {"idempotency_key": _hash([caller, key]), "idempotency_hash": _hash(sorted(asked.items()))}


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()


def is_enqueued(run: Run) -> bool:
    """Whether workers have been told of a run; False: the queue is out of reach, the sweeper tells them later."""
    return run.status != RunStatus.QUEUED or run.steps.filter(enqueued_at__isnull=False).exists()


def cancel(run_id: uuid.UUID, by: str) -> Run:
    """Ask the run to end; it keeps what it found. Asked twice it ends once.

    Raises Run.DoesNotExist, WrongState where it has ended already.
    """
    run = Run.objects.get(pk=run_id)
    if not run_lifecycle.request_cancel(run_id):
        run.refresh_from_db()
        raise WrongState(run.status)
    log.info("cancel asked for", extra={"run_id": str(run_id), "by": by})
    run.refresh_from_db()
    return run


def retry(run_id: uuid.UUID, *, trigger: Trigger, triggered_by: str, idempotency_key: str | None = None) -> Run:
    """A new run with the parameters and the tokens of one that has ended. idempotency_key: as of `start`.

    Raises Run.DoesNotExist, ActiveRun, WrongState for a run that has not ended and for a skipped slot, which
    never had parameters; IdempotencyKeyReused.
    """
    old = Run.objects.get(pk=run_id)
    if old.status in ACTIVE_RUN_STATUSES or old.status == RunStatus.SKIPPED:
        raise WrongState(old.status)
    return run_lifecycle.start(
        run_lifecycle.run_params(old),
        trigger=trigger,
        triggered_by=triggered_by,
        mints=old.given_mints or (),
        config_version=old.config_version,
        retry_of=old,
        **_idempotency(triggered_by, idempotency_key, {"retry_of": str(run_id)}),
    )


def save_config(changes: Mapping[str, Any], *, version: int, by: str) -> Config:
    """The configuration with `changes` by column, as its next version; the next slot follows at once.

    Nothing changed is nothing saved. Raises InvalidParams, StaleVersion where `version` is not the one in force.
    """
    params = {name: value for name, value in changes.items() if name in Params.__struct_fields__}
    schedule_changes = {name: changes[name] for name in ("enabled", "schedule_hours") if name in changes}
    Config.load()
    with transaction.atomic():
        config = Config.objects.select_for_update().get(pk=1)
        if config.version != version:
            raise StaleVersion(config.version)
        checked = check(params, run_lifecycle.saved_params(config))
        wanted = {**schedule_changes, **{name: getattr(checked, name) for name in params}}
        if "excluded_flags" in wanted:
            wanted["excluded_flags"] = list(wanted["excluded_flags"])
        if all(getattr(config, name) == value for name, value in wanted.items()):
            return config
        enabled_before, hours_before = bool(config.enabled), config.hours
        for name, value in wanted.items():
            setattr(config, name, value)
        now = timezone.now()
        config.next_run_at = scheduler.changed(
            config,
            enabled_before=enabled_before,
            hours_before=hours_before,
            now=now,
        )
        config.version, config.updated_at, config.updated_by = version + 1, now, by[:100]
        _kept_with_author(config, by)
    log.info("configuration changed", extra={"by": by, "version": config.version, "fields": sorted(wanted)})
    return config


def change_wallet(address: str, changes: Mapping[str, str], *, by: str) -> Wallet:
    """The wallet with status, label or note changed.

    A status other than `blacklisted` takes it off the blacklist: its status then is what its record says.
    Raises Wallet.DoesNotExist.
    """
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update().get(pk=address)
        wanted = dict(changes)
        judged = wanted.get("status", WalletStatus.BLACKLISTED) != WalletStatus.BLACKLISTED
        if judged and wallet.profiled_at is None:
            wanted["status"] = WalletStatus.INSUFFICIENT_DATA
        changed = {name: value for name, value in wanted.items() if getattr(wallet, name) != value}
        for name, value in changed.items():
            setattr(wallet, name, value)
        if changed:
            _kept_with_author(wallet, by, list(changed))
    if judged:
        scoring.rescore([address])
        wallet.refresh_from_db()
    return wallet


def _kept_with_author(row: Config | Wallet, by: str, columns: list[str] | None = None) -> None:
    """Save a row whose history says who: keys are no users, so the name stands in the reason."""
    row._change_reason = f"by {by}"[:100]  # type: ignore[union-attr]  # read by simple_history
    row.save(update_fields=columns)


def profile_pending(requested_at: datetime | None) -> bool:
    """Whether a profile that was asked for then is still on its way."""
    return requested_at is not None and timezone.now() - requested_at < PROFILE_REQUEST_TIMEOUT


def request_profile(address: str, *, by: str) -> Wallet:
    """Have a worker profile and score the wallet; one that is on its way is not asked for twice.

    Raises Wallet.DoesNotExist, QueueError where the message could not be sent.
    """
    wallet = Wallet.objects.get(pk=address)
    now = timezone.now()
    asked = Wallet.objects.filter(
        Q(profile_requested_at__isnull=True) | Q(profile_requested_at__lt=now - PROFILE_REQUEST_TIMEOUT), pk=address
    ).update(profile_requested_at=now)
    if asked:
        if not broker.send(broker.PROFILE_TASK, [address], broker.STEPS_QUEUE):
            Wallet.objects.filter(pk=address).update(profile_requested_at=wallet.profile_requested_at)
            raise QueueError("the broker did not take the message")
        log.info("profile asked for", extra={"wallet": address, "by": by})
    wallet.refresh_from_db()
    return wallet


def request_pumps() -> bool:
    """Have a worker look which tokens pass the filters now, once a minute at most; False: it could not be asked."""
    Pumps.objects.get_or_create(pk=1)
    saved_at = Config.load().updated_at
    now = timezone.now()
    due = Q(asked_at__isnull=True) | Q(asked_at__lt=now - PUMPS_REQUEST_TIMEOUT)
    if saved_at is not None:
        due |= Q(asked_at__lt=saved_at)  # other filters, another list
    asked = Pumps.objects.filter(due, pk=1).update(asked_at=now)
    if asked and not broker.send(broker.PUMPS_TASK, [], broker.PERIODIC_QUEUE):
        # The time of asking stays: a queue out of reach is not asked again by everybody who looks.
        problem = "the queue is out of reach: no worker could be asked"
        Pumps.objects.filter(pk=1).update(answered_at=timezone.now(), problem=problem)
        return False
    return True
