"""The commands of people and programs, shared by the API, the pages and the management
commands.

Each function changes rows and sends messages to workers; none waits for a provider, and
none needs the broker: the rows are the requests. The author is stored with each change.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
from django.db import transaction
from django.db.models import Q

from discovery.domain.chain_text import clean_text
from discovery.domain.wallet_labels import MAX_REASON_LENGTH, clean_label, clean_tags
from discovery.jobs import lone_steps, run_lifecycle, scheduler
from discovery.jobs.run_lifecycle import (
    IdempotencyKeyReused,
    RunAlreadyActive,
    RunRequest,
)
from discovery.models import Config, Pumps, Run, RunStep, Wallet
from discovery.models.enums import RunStatus, StepKind, Trigger, WalletStatus
from discovery.models.param_columns import column_value
from discovery.pipeline import scoring
from walltrack import clock

__all__ = [
    "IdempotencyKeyReused",
    "NotBlacklisted",
    "RunAlreadyActive",
    "StaleVersion",
    "WrongState",
    "cancel_run",
    "change_tags",
    "change_wallet",
    "is_enqueued",
    "request_profile",
    "request_pumps",
    "retry_run",
    "save_config",
    "start_run",
]

log = logging.getLogger(__name__)

PUMPS_REQUEST_INTERVAL: Final = timedelta(seconds=60)
"""The list of tokens that pump now is requested once in this time at most."""


class WrongState(Exception):
    """The run is in a state that forbids the request. `status` says which."""

    def __init__(self, status: str) -> None:
        super().__init__(f"not possible for a run that is {status}")
        self.status = status


class StaleVersion(Exception):
    """Somebody else changed the configuration meanwhile. `current` is the version in
    force.
    """

    def __init__(self, current: int) -> None:
        super().__init__(
            f"the configuration was changed meanwhile: version {current} is in force"
        )
        self.current = current


class NotBlacklisted(Exception):
    """A reason was given for a wallet that is not blacklisted."""

    def __init__(self) -> None:
        super().__init__("the wallet is not blacklisted")


def start_run(
    overrides: Mapping[str, Any],
    *,
    trigger: Trigger,
    triggered_by: str,
    idempotency_key: str | None = None,
) -> Run:
    """Queue a run with the saved configuration and `overrides` over it, which the
    caller has checked.

    idempotency_key: of this caller; the same key with the same overrides returns the
    same run. Raises RunAlreadyActive, IdempotencyKeyReused.
    """
    config = Config.load()
    params = msgspec.structs.replace(config.params, **overrides)
    request = RunRequest(
        params=params,
        trigger=trigger,
        triggered_by=triggered_by,
        config_version=config.version,
    )
    return run_lifecycle.start(
        _with_idempotency(request, idempotency_key, dict(overrides))
    )


def _with_idempotency(
    request: RunRequest, key: str | None, content: Mapping[str, Any]
) -> RunRequest:
    """Return the request with its idempotency key, made unique for each caller, and a
    hash of its content.
    """
    if key is None:
        return request
    return msgspec.structs.replace(
        request,
        idempotency_key=_hash([request.triggered_by, key]),
        idempotency_hash=_hash(sorted(content.items())),
    )


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()


def is_enqueued(run: Run) -> bool:
    """Return True if workers have been sent the run; else the queue is unreachable and
    the sweeper sends it later.
    """
    return (
        run.status != RunStatus.QUEUED
        or run.steps.filter(enqueued_at__isnull=False).exists()
    )


def cancel_run(run_id: uuid.UUID, by: str) -> Run:
    """Ask the run to end; it keeps what it found. A second request changes nothing.

    Raises Run.DoesNotExist, WrongState if the run has ended already.
    """
    run = Run.objects.get(pk=run_id)
    is_accepted = run_lifecycle.request_cancel(run_id)
    run.refresh_from_db()
    if not is_accepted:
        raise WrongState(run.status)
    log.info("cancellation requested", extra={"run_id": str(run_id), "by": by})
    return run


def retry_run(
    run_id: uuid.UUID,
    *,
    trigger: Trigger,
    triggered_by: str,
    idempotency_key: str | None = None,
) -> Run:
    """Queue a new run with the parameters and tokens of one that has ended.
    idempotency_key: as of `start_run`.

    Raises Run.DoesNotExist, RunAlreadyActive, IdempotencyKeyReused, and WrongState for
    a run that has not ended or a skipped slot, which never had parameters.
    """
    earlier = Run.objects.get(pk=run_id)
    if not Run.objects.finished().filter(pk=run_id).exists():
        raise WrongState(earlier.status)
    request = RunRequest(
        params=earlier.params,
        trigger=trigger,
        triggered_by=triggered_by,
        mints=tuple(earlier.given_mints or ()),
        config_version=earlier.config_version,
        retry_of=earlier.pk,
        attempt=earlier.attempt + 1,
    )
    return run_lifecycle.start(
        _with_idempotency(request, idempotency_key, {"retry_of": str(run_id)})
    )


def save_config(changes: Mapping[str, Any], *, version: int, by: str) -> Config:
    """Save `changes`, which the caller has checked, as the next version of the
    configuration; the next slot follows at once.

    changes: parameters and columns of the schedule by name. Without a difference
    nothing is saved. Raises StaleVersion if `version` is not the one in force.
    """
    values = {name: column_value(value) for name, value in changes.items()}
    Config.load()
    with transaction.atomic():
        config = Config.objects.select_for_update().get(pk=1)
        if config.version != version:
            raise StaleVersion(config.version)
        if all(getattr(config, name) == value for name, value in values.items()):
            return config
        was_enabled, previous_hours = bool(config.enabled), config.hours
        for name, value in values.items():
            setattr(config, name, value)
        now = clock.now()
        config.next_run_at = scheduler.slot_after_change(
            config,
            was_enabled=was_enabled,
            previous_hours=previous_hours,
            now=now,
        )
        config.version = version + 1
        config.updated_at = now
        config.updated_by = by[:100]
        _save_with_author(config, by)
    log.info(
        "configuration changed",
        extra={"by": by, "version": config.version, "fields": sorted(values)},
    )
    return config


def change_wallet(address: str, changes: Mapping[str, Any], *, by: str) -> Wallet:
    """Change columns of a wallet: `status`, `label`, `note`, `tags`, `is_pinned`,
    `blacklist_reason`.

    A status other than `blacklisted` takes the wallet off the blacklist: its status is
    then computed from its record, and the reason is cleared. Raises
    Wallet.DoesNotExist, also for a control wallet; NotBlacklisted for a reason without
    a blacklisted wallet.
    """
    values = _clean_changes(changes)
    is_rescored = (
        values.get("status", WalletStatus.BLACKLISTED) != WalletStatus.BLACKLISTED
    )
    with transaction.atomic():
        wallet = Wallet.objects.listed().select_for_update().get(pk=address)
        status = values.get("status", wallet.status)
        if values.get("blacklist_reason") and status != WalletStatus.BLACKLISTED:
            raise NotBlacklisted
        if is_rescored:
            values["blacklist_reason"] = ""
        if is_rescored and wallet.profiled_at is None:
            values["status"] = WalletStatus.INSUFFICIENT_DATA
        _save_changes(wallet, values, by)
    if is_rescored:
        scoring.rescore([address])
        wallet.refresh_from_db()
    return wallet


def _clean_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of columns as they are stored: texts cleaned and cut."""
    values = dict(changes)
    if "label" in values:
        values["label"] = clean_label(values["label"])
    if "tags" in values:
        values["tags"] = list(clean_tags(values["tags"]))
    if "blacklist_reason" in values:
        values["blacklist_reason"] = clean_text(
            values["blacklist_reason"], MAX_REASON_LENGTH
        )
    return values


def _save_changes(wallet: Wallet, values: Mapping[str, Any], by: str) -> None:
    """Save the values that differ from the stored ones. Without one nothing is saved."""
    changed = {
        name: value for name, value in values.items() if getattr(wallet, name) != value
    }
    for name, value in changed.items():
        setattr(wallet, name, value)
    if changed:
        _save_with_author(wallet, by, list(changed))


def change_tags(
    address: str, *, add: Iterable[str] = (), remove: Iterable[str] = (), by: str
) -> Wallet:
    """Add tags to a wallet and remove others; those of other people stay.

    Raises Wallet.DoesNotExist, also for a control wallet.
    """
    removed = set(remove)
    with transaction.atomic():
        wallet = Wallet.objects.listed().select_for_update().get(pk=address)
        remaining = [tag for tag in wallet.tags if tag not in removed]
        tags = list(clean_tags([*remaining, *add]))
        _save_changes(wallet, {"tags": tags}, by)
    return wallet


def _save_with_author(
    row: Config | Wallet, by: str, columns: list[str] | None = None
) -> None:
    """Save a row with its author in the history. API keys are no users, so the name is
    stored as the reason.
    """
    row._change_reason = f"by {by}"[:100]  # type: ignore[union-attr]  # read by simple_history
    row.save(update_fields=columns)


def request_profile(address: str, *, by: str) -> Wallet:
    """Ask a worker to profile and score the wallet; a request that is pending is not
    repeated. Without a worker or a broker the request waits.

    Raises Wallet.DoesNotExist.
    """
    with transaction.atomic():
        wallet = Wallet.objects.listed().select_for_update().get(pk=address)
        if RunStep.objects.open_lone(StepKind.PROFILE, address).exists():
            return wallet
        lone_steps.add_lone_step(StepKind.PROFILE, address)
        wallet.profile_requested_at = clock.now()
        Wallet.objects.filter(pk=address).update(
            profile_requested_at=wallet.profile_requested_at
        )
    log.info("profile requested", extra={"wallet": address, "by": by})
    return wallet


def request_provider_check() -> bool:
    """Ask a worker to ask every provider. Return False if the request still waits because
    no worker could be sent it.
    """
    with transaction.atomic():
        lone_steps.add_lone_step(StepKind.CHECK)
    waiting = RunStep.objects.open_lone(StepKind.CHECK).pending()
    return not waiting.filter(enqueued_at__isnull=True).exists()


def request_pumps() -> bool:
    """Ask a worker for the tokens that pass the filters now, once a minute at most.

    Return False if the request still waits because no worker could be sent it: all are
    busy, or the broker is unreachable.
    """
    Pumps.objects.get_or_create(pk=1)
    now = clock.now()
    is_due = Q(asked_at__isnull=True) | Q(asked_at__lt=now - PUMPS_REQUEST_INTERVAL)
    saved_at = Config.load().updated_at
    if saved_at is not None:
        is_due |= Q(asked_at__lt=saved_at)  # other filters give another list
    with transaction.atomic():
        if Pumps.objects.filter(is_due, pk=1).exists():
            # The step first, as in its completion: another order could deadlock.
            lone_steps.add_lone_step(StepKind.PUMPS)
            Pumps.objects.filter(pk=1).update(asked_at=now)
    waiting = RunStep.objects.open_lone(StepKind.PUMPS).pending()
    return not waiting.filter(enqueued_at__isnull=True).exists()
