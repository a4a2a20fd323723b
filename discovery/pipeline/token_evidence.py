"""Token results in the database: saved with a profile, read as evidence of a score."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from discovery.analysis.evidence import Evidence, read_evidence
from discovery.analysis.flags import address_flags
from discovery.analysis.token_results import TokenResult, age_weight
from discovery.domain.histories import Arm
from discovery.domain.judgements import Exclusion, Unknown
from discovery.domain.times import datetime_from_unix, unix_from_datetime
from discovery.models import ScoreSnapshot, Wallet
from discovery.models import TokenResult as TokenResultRow
from discovery.models.enums import ARM_OF_ORIGIN, SnapshotArm, WalletOrigin
from discovery.pipeline.save_trades import BATCH

_LEVEL_COLUMNS = (
    "follower_return_costs",
    "follower_return_behind",
    "follower_return_late",
)
"""The columns of a follower's returns by level of seeing."""
_ARMS: Final[dict[SnapshotArm, Arm]] = {
    SnapshotArm.FOUND: "found",
    SnapshotArm.CONTROL: "control",
    SnapshotArm.MANUAL: "other",
}
"""Arm of a snapshot → the wallet's part in the population of a score."""


class WalletEvidence(msgspec.Struct, frozen=True):
    """The token results of one wallet.

    bag_sources: mint → where the value of what is held comes from. as_of: unix seconds.
    """

    wallet: str
    results: Sequence[TokenResult]
    bag_sources: Mapping[str, str]
    as_of: int


def save_token_results(evidence: Iterable[WalletEvidence]) -> None:
    """Replace the token results of these wallets. Called inside a transaction. Two
    statements.
    """
    wallets: list[str] = []
    rows: list[TokenResultRow] = []
    for own in evidence:
        wallets.append(own.wallet)
        rows += [_row(own, result) for result in own.results]
    TokenResultRow.objects.filter(wallet_address__in=wallets).delete()
    TokenResultRow.objects.bulk_create(rows, batch_size=BATCH)


def _row(own: WalletEvidence, result: TokenResult) -> TokenResultRow:
    returns = dict(zip(_LEVEL_COLUMNS, result.follower_returns, strict=False))
    return TokenResultRow(
        wallet_address=own.wallet,
        mint=result.mint,
        as_of=datetime_from_unix(own.as_of),
        entry_at=datetime_from_unix(result.entry_at),
        put_in_lamports=result.put_in_lamports,
        proceeds_lamports=round(result.proceeds_lamports),
        bag_lamports=round(result.bag_lamports),
        bag_source=own.bag_sources.get(result.mint, "") if result.bag_lamports else "",
        leader_return=result.leader_return,
        unknown_reason=result.unknown or "",
        exclusion=result.exclusion or "",
        **returns,
    )


def load_token_results(
    addresses: Iterable[str], seeds: Mapping[str, AbstractSet[str]]
) -> dict[str, list[TokenResult]]:
    """Return wallet → its token results, by mint. One query.

    seeds: address → mints of its first discovery, which are no evidence.
    """
    results: dict[str, list[TokenResult]] = {}
    rows = TokenResultRow.objects.filter(wallet_address__in=list(addresses))
    for row in rows.order_by("wallet_address", "mint").iterator(chunk_size=BATCH):
        is_seed = row.mint in seeds.get(row.wallet_address, frozenset())
        result = _result(row)
        if is_seed:
            result = msgspec.structs.replace(result, exclusion=Exclusion.SEED)
        results.setdefault(row.wallet_address, []).append(result)
    return results


def flags_of_wallet(wallet: Wallet) -> tuple[str, ...]:
    """Return the names of the wallet's flags, with those that its address alone gives."""
    return tuple(sorted({*wallet.flags, *address_flags(wallet.address)}))


def evidence_of_wallet(wallet: Wallet, results: Iterable[TokenResult]) -> Evidence:
    """Return the evidence that a wallet is judged by."""
    return read_evidence(
        wallet.address,
        _ARMS[ARM_OF_ORIGIN[WalletOrigin(wallet.origin)]],
        flags_of_wallet(wallet),
        results,
    )


def stored_evidence(results: Iterable[TokenResult]) -> list[dict[str, Any]]:
    """Return token results as a snapshot stores them."""
    return [_stored_result(result) for result in results]


def _stored_result(result: TokenResult) -> dict[str, Any]:
    returns = dict.fromkeys(_LEVEL_COLUMNS)
    return {
        "mint": result.mint,
        "entry_at": result.entry_at,
        "put_in_lamports": result.put_in_lamports,
        "leader_return": result.leader_return,
        **returns,
        **dict(zip(_LEVEL_COLUMNS, result.follower_returns, strict=False)),
        "unknown_reason": result.unknown or "",
        "exclusion": result.exclusion or "",
    }


def evidence_of_snapshot(snapshot: ScoreSnapshot) -> Evidence:
    """Return the evidence that a snapshot was judged by."""
    as_of = snapshot.evidence["as_of"]
    seeds = frozenset(snapshot.evidence["seeds"])
    results: list[TokenResult] = []
    for values in snapshot.evidence["tokens"]:
        entry_at = values["entry_at"]
        returns = [values[column] for column in _LEVEL_COLUMNS]
        exclusion = values["exclusion"]
        if values["mint"] in seeds:
            exclusion = Exclusion.SEED
        result = TokenResult(
            mint=values["mint"],
            entry_at=entry_at,
            weight=age_weight(as_of - entry_at),
            put_in_lamports=values["put_in_lamports"],
            proceeds_lamports=0.0,
            bag_lamports=0.0,
            leader_return=values["leader_return"],
            follower_returns=tuple(value for value in returns if value is not None),
            unknown=Unknown(values["unknown_reason"])
            if values["unknown_reason"]
            else None,
            exclusion=Exclusion(exclusion) if exclusion else None,
        )
        results.append(result)
    return read_evidence(
        snapshot.wallet_address,
        _ARMS[SnapshotArm(snapshot.arm)],
        snapshot.flags,
        results,
    )


def _result(row: TokenResultRow) -> TokenResult:
    """Return a stored result as analysis knows it."""
    entry_at = unix_from_datetime(row.entry_at)
    returns = [getattr(row, column) for column in _LEVEL_COLUMNS]
    return TokenResult(
        mint=row.mint,
        entry_at=entry_at,
        weight=age_weight(unix_from_datetime(row.as_of) - entry_at),
        put_in_lamports=row.put_in_lamports,
        proceeds_lamports=row.proceeds_lamports,
        bag_lamports=row.bag_lamports,
        leader_return=row.leader_return,
        follower_returns=tuple(value for value in returns if value is not None),
        unknown=Unknown(row.unknown_reason) if row.unknown_reason else None,
        exclusion=Exclusion(row.exclusion) if row.exclusion else None,
    )
