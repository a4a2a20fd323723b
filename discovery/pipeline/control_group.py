"""The control group of a run: early buyers of the same tokens that were rejected for
profit, matched to wallets that qualified.

A run finds wallets because they won. The comparison shows whether they win more often
afterwards than similar wallets that did not. The choice depends on the chain alone: a
hash gives the order, the nearest entry rank the match.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from discovery.domain.flags import HARD_FLAGS
from discovery.models import Position, Run, RunControl, RunWallet, Wallet
from discovery.models.enums import WalletOrigin, WalletStatus
from discovery.pipeline.save_trades import BATCH
from walltrack import clock

MAX_COST_RATIO = 2
"""The costs of a wallet and its control differ by at most this factor."""


class _Entry(msgspec.Struct, frozen=True):
    """How a wallet entered a token."""

    wallet: str
    mint: str
    entry_rank: int
    cost_lamports: int


def choose_controls(run: Run, maximum: int | None = None) -> list[str]:
    """Choose and store the control wallets of a run, `maximum` at most (None: as its
    parameters allow); return
    their addresses. Called in a transaction, once all tokens are analysed; a second call
    returns the same. Six queries.
    """
    chosen = run.controls.values_list("wallet_address", flat=True).order_by("pk")
    if chosen:
        return list(chosen)
    if maximum is None:
        maximum = run.params.control_wallets
    qualified = _qualified(run)
    candidates = _candidates(run)
    rows = _matched(run, qualified, candidates, maximum)
    now = clock.now()
    Wallet.objects.bulk_create(
        [
            Wallet(
                address=row.wallet_address,
                origin=WalletOrigin.CONTROL,
                status=WalletStatus.INSUFFICIENT_DATA,
                first_discovered_at=now,
                last_discovered_at=now,
            )
            for row in sorted(rows, key=lambda row: row.wallet_address)
        ],
        ignore_conflicts=True,
    )
    RunControl.objects.bulk_create(rows, batch_size=BATCH)
    return [row.wallet_address for row in rows]


def _qualified(run: Run) -> list[_Entry]:
    """Return the entries that qualified, in the order of a hash."""
    rows = RunWallet.objects.filter(run=run, entry_rank__isnull=False)
    columns = ("wallet_address", "source_token", "entry_rank", "cost_lamports")
    entries = [_Entry(*row) for row in rows.values_list(*columns)]
    return sorted(entries, key=_hash)


def _candidates(run: Run) -> dict[str, list[_Entry]]:
    """Return mint → the entries that were rejected for profit alone, of wallets that are
    not on the watchlist.
    """
    rows = Position.objects.filter(
        run=run, rejection="profit", entry_rank__isnull=False
    ).exclude(wallet_address__in=Wallet.objects.listed().values("address"))
    columns = ("wallet_address", "mint", "entry_rank", "cost_lamports", "flags")
    candidates: dict[str, list[_Entry]] = {}
    for *entry, flags in rows.values_list(*columns):
        if HARD_FLAGS.isdisjoint(flags):
            candidates.setdefault(entry[1], []).append(_Entry(*entry))
    return candidates


def _matched(
    run: Run,
    qualified: Iterable[_Entry],
    candidates: dict[str, list[_Entry]],
    maximum: int,
) -> list[RunControl]:
    used: set[str] = set()
    rows: list[RunControl] = []
    for entry in qualified:
        if len(rows) >= maximum:
            break
        match = _nearest(entry, candidates.get(entry.mint, ()), used)
        if match is None:
            continue
        used.add(match.wallet)
        rows.append(
            RunControl(
                run=run,
                wallet_address=match.wallet,
                mint=match.mint,
                matched_wallet=entry.wallet,
                entry_rank=match.entry_rank,
                cost_lamports=match.cost_lamports,
            )
        )
    return rows


def _nearest(
    entry: _Entry, candidates: Iterable[_Entry], used: set[str]
) -> _Entry | None:
    """Return the unused candidate of similar cost with the nearest entry rank, None
    without one.
    """
    similar = [
        candidate
        for candidate in candidates
        if candidate.wallet not in used and _is_similar(candidate, entry)
    ]
    if not similar:
        return None

    def distance(candidate: _Entry) -> tuple[int, bytes]:
        return abs(candidate.entry_rank - entry.entry_rank), _hash(candidate)

    return min(similar, key=distance)


def _is_similar(one: _Entry, other: _Entry) -> bool:
    lower = min(one.cost_lamports, other.cost_lamports)
    higher = max(one.cost_lamports, other.cost_lamports)
    return higher <= MAX_COST_RATIO * lower


def _hash(entry: _Entry) -> bytes:
    return hashlib.sha256(f"{entry.mint} {entry.wallet}".encode()).digest()
