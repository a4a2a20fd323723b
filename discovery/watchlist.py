"""Adding lists of wallets to the watchlist, for the API, the pages and the management
commands.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone
from msgspec import Meta

from discovery.domain.wallet_labels import clean_tags
from discovery.domain.wallet_lists import EntryResult, ListEntry
from discovery.jobs import lone_steps
from discovery.models import RunToken, Wallet
from discovery.models.enums import (
    EntryResultChoice,
    StepKind,
    WalletOrigin,
    WalletStatus,
)
from discovery.reads.additions import addition_id
from discovery.reads.row_values import one_of
from walltrack import clock

log = logging.getLogger(__name__)

BATCH: Final = 500
MAX_ATTEMPTS: Final = 3
_UNREAD_COLUMNS: Final = ("profile", "score_detail", "flags", "verdict_reason")
"""Large columns that neither adding nor the history needs."""


class EntryAnswer(msgspec.Struct, frozen=True):
    """What became of an entry of a list."""

    number: Annotated[
        int, Meta(description="Line of the text or item of the array, 1 = the first.")
    ]
    address: str
    result: Annotated[str, one_of(EntryResultChoice)]
    reason: Annotated[
        str, Meta(description="Why it was not added, or what changed; may be empty.")
    ]


class Addition(msgspec.Struct, frozen=True):
    """The result of adding a list. id: under which the progress of its profiles can be
    read; None if nothing was added. counts: by result.
    """

    id: str | None
    answers: list[EntryAnswer]
    counts: Mapping[EntryResult, int]
    profiles_requested: int

    @property
    def usable(self) -> int:
        """Number of entries whose wallet is on the watchlist now."""
        return self.counts[EntryResult.ADDED] + self.counts[EntryResult.KNOWN]


class _Request(msgspec.Struct, frozen=True):
    """What is added, and by whom. at: identifies the addition; added_at: the same by the
    clock of the market.
    """

    entries: Sequence[ListEntry]
    tags: tuple[str, ...]
    origin: WalletOrigin
    at: datetime
    added_at: datetime
    by: str
    profile: bool


class _Merge(msgspec.Struct):
    """The wallets of a list by what has to be saved, and what changes in known ones."""

    new: list[Wallet]
    promoted: list[Wallet]
    changed: list[Wallet]
    changes: dict[str, str]

    @property
    def added(self) -> list[str]:
        return [wallet.address for wallet in (*self.new, *self.promoted)]


def add_wallets(
    entries: Sequence[ListEntry],
    *,
    by: str,
    origin: WalletOrigin,
    tags: Iterable[str] = (),
    profile: bool = True,
) -> Addition:
    """Add the usable entries to the watchlist in one transaction, and request a profile
    of each wallet that is new to it.

    A wallet that is known keeps its label, and its tags; those of the list fill empty
    ones. A control wallet becomes a listed one and counts as added. The number of
    queries does not depend on the number of entries, except for one more each BATCH
    rows.

    by: the author in the history. tags: for every wallet of the list, known ones
    included.
    """
    at = timezone.now()
    usable = [entry for entry in entries if entry.rejection is None]
    mints = _known_mints(usable)
    wallets = [entry for entry in usable if entry.address not in mints]
    request = _Request(
        entries=wallets,
        tags=clean_tags(tags),
        origin=origin,
        at=at,
        added_at=clock.now(),
        by=by,
        profile=profile,
    )
    merge = _save(request)
    answers = [_answer(entry, mints, merge) for entry in entries]
    added = merge.added
    counts = Counter(EntryResult(answer.result) for answer in answers)
    log.info(
        "wallets added",
        extra={"by": by, **{str(name): count for name, count in counts.items()}},
    )
    return Addition(
        id=addition_id(at) if added else None,
        answers=answers,
        counts={result: counts[result] for result in EntryResult},
        profiles_requested=len(added) if profile else 0,
    )


def _known_mints(entries: Iterable[ListEntry]) -> set[str]:
    """Return the addresses that are tokens of runs. One query."""
    addresses = [entry.address for entry in entries]
    mints = RunToken.objects.filter(mint__in=addresses).values_list("mint", flat=True)
    return set(mints)


def _answer(entry: ListEntry, mints: set[str], merge: _Merge) -> EntryAnswer:
    result, reason = entry.rejection, entry.reason
    if result is None and entry.address in mints:
        result, reason = EntryResult.NOT_A_WALLET, "a token that a run analysed"
    elif result is None and entry.address in merge.changes:
        result, reason = EntryResult.KNOWN, merge.changes[entry.address]
    elif result is None:
        result = EntryResult.ADDED
    return EntryAnswer(entry.number, entry.address, result, reason)


def _save(request: _Request) -> _Merge:
    """Save the wallets, their history and the requests for profiles in one transaction.
    It is repeated if somebody else, such as a run, adds one of the wallets at the same
    time.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with transaction.atomic():
                merge = _merge(request)
                _write(merge, request)
                if request.profile and merge.added:
                    request_profiles(merge.added, by=request.by)
        except IntegrityError:
            if attempt == MAX_ATTEMPTS:
                raise
        else:
            return merge
    raise AssertionError("unreachable")


def _merge(request: _Request) -> _Merge:
    """Return the wallets as they have to be saved. Locks those that exist. One query."""
    addresses = [entry.address for entry in request.entries]
    existing = Wallet.objects.select_for_update().filter(address__in=addresses)
    rows = existing.defer(*_UNREAD_COLUMNS).order_by("address")
    known = {wallet.address: wallet for wallet in rows}
    merge = _Merge([], [], [], {})
    # By address, as runs save them: two transactions that wait for each other in
    # different orders would block for ever.
    for entry in sorted(request.entries, key=lambda entry: entry.address):
        wallet = known.get(entry.address)
        if wallet is None:
            merge.new.append(_new_wallet(entry, request))
            continue
        changes = _fill(wallet, entry, request.tags)
        if wallet.origin == WalletOrigin.CONTROL:
            wallet.origin = request.origin
            merge.promoted.append(wallet)
            continue
        merge.changes[entry.address] = "; ".join(changes)
        if changes:
            merge.changed.append(wallet)
    return merge


def _new_wallet(entry: ListEntry, request: _Request) -> Wallet:
    return Wallet(
        address=entry.address,
        status=WalletStatus.INSUFFICIENT_DATA,
        origin=request.origin,
        label=entry.label,
        tags=list(clean_tags([*entry.tags, *request.tags])),
        first_discovered_at=request.added_at,
        last_discovered_at=request.added_at,
    )


def _fill(wallet: Wallet, entry: ListEntry, tags: tuple[str, ...]) -> list[str]:
    """Set the label and the tags that the wallet does not have. Return what changed, in
    words.
    """
    changes: list[str] = []
    if entry.label and not wallet.label:
        wallet.label = entry.label
        changes.append(f"label set to “{entry.label}”")
    before = list(wallet.tags)
    wallet.tags = list(clean_tags([*(before or entry.tags), *tags]))
    new_tags = [tag for tag in wallet.tags if tag not in before]
    if new_tags:
        changes.append(f"tags added: {', '.join(new_tags)}")
    return changes


def _write(merge: _Merge, request: _Request) -> None:
    """Save the wallets, and their history at one time, which identifies the addition."""
    Wallet.objects.bulk_create(merge.new, batch_size=BATCH)
    Wallet.objects.bulk_update(
        merge.promoted, ["origin", "label", "tags"], batch_size=BATCH
    )
    Wallet.objects.bulk_update(merge.changed, ["label", "tags"], batch_size=BATCH)
    for wallets, are_known in (
        ([*merge.new, *merge.promoted], False),
        (merge.changed, True),
    ):
        Wallet.history.bulk_history_create(
            wallets,
            batch_size=BATCH,
            update=are_known,
            default_change_reason=f"by {request.by}"[:100],
            default_date=request.at,
        )


def request_profiles(addresses: Sequence[str], *, by: str) -> None:
    """Ask workers to profile these wallets; a request that is pending is not repeated.
    The requests wait if no worker or broker is reachable. Belongs into a transaction.
    """
    lone_steps.add_lone_steps(StepKind.PROFILE, addresses)
    wallets = Wallet.objects.filter(address__in=addresses)
    wallets.update(profile_requested_at=clock.now())
    log.info("profiles requested", extra={"count": len(addresses), "by": by})
