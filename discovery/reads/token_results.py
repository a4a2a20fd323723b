"""Results of a wallet by token: the evidence of its score."""

from collections.abc import Container
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from discovery.domain.judgements import Exclusion
from discovery.domain.units import Lamports
from discovery.models import RunWallet, TokenResult
from discovery.models.enums import TokenExclusion, TokenUnknown, ValueSource
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import one_of
from discovery.reads.watched import require_wallet

_LEVELS: Final = (
    ("late", "follower_return_late"),
    ("behind the leader", "follower_return_behind"),
    ("costs only", "follower_return_costs"),
)
"""Levels of seeing and the columns of the follower's return, the closest first."""


class TokenResultRow(msgspec.Struct, frozen=True):
    """All that a wallet did in one token, as its last profile saw it. Returns are
    ratios: 0.5 = +50 %.
    """

    mint: str
    entry_at: Annotated[datetime, Meta(description="First purchase.")]
    put_in_lamports: Annotated[Lamports, Meta(description="Purchases with their fees.")]
    proceeds_lamports: Annotated[
        Lamports, Meta(description="Sales of bought units, net of fees.")
    ]
    bag_lamports: Annotated[
        Lamports, Meta(description="What the units still held would bring.")
    ]
    bag_source: Annotated[
        str, one_of(ValueSource, "Where that value comes from; empty without one.")
    ]
    leader_return: Annotated[
        float | None, Meta(description="Null if the result is not known.")
    ]
    follower_return: Annotated[
        float | None,
        Meta(description="Of a follower, at the closest prices that were seen."),
    ]
    level: Annotated[
        str,
        Meta(
            description="How closely: `costs only`, `behind the leader`, `late`; empty if not known."
        ),
    ]
    unknown_reason: Annotated[
        str, one_of(TokenUnknown, "Why the result is not known; empty if it is.")
    ]
    exclusion: Annotated[
        str, one_of(TokenExclusion, "Why the token is no evidence; empty if it is.")
    ]


def wallet_tokens(
    address: str, page: Page, *, exists: bool = False
) -> Slice[TokenResultRow]:
    """Return a page of the wallet's token results, last bought first. Raises
    Wallet.DoesNotExist.

    Four queries; three with `exists`, which skips the check that the wallet is on the
    watchlist.
    """
    if not exists:
        require_wallet(address)
    seeds = RunWallet.objects.seeds([address]).get(address, set())
    rows = TokenResult.objects.filter(wallet_address=address)
    found = paging.sliced(rows.order_by("-entry_at", "mint"), page)
    return Slice([_row(row, seeds) for row in found.rows], found.total, found.more)


def all_tokens(address: str) -> list[TokenResultRow]:
    """Return all of the wallet's token results, last bought first. Two queries."""
    seeds = RunWallet.objects.seeds([address]).get(address, set())
    rows = TokenResult.objects.filter(wallet_address=address)
    return [_row(row, seeds) for row in rows.order_by("-entry_at", "mint")]


def _row(row: TokenResult, seeds: Container[str]) -> TokenResultRow:
    level, follower_return = _closest(row)
    is_seed = row.mint in seeds
    return TokenResultRow(
        mint=row.mint,
        entry_at=row.entry_at,
        put_in_lamports=row.put_in_lamports,
        proceeds_lamports=row.proceeds_lamports,
        bag_lamports=row.bag_lamports,
        bag_source=row.bag_source,
        leader_return=row.leader_return,
        follower_return=follower_return,
        level=level,
        unknown_reason=row.unknown_reason,
        exclusion=Exclusion.SEED.value if is_seed else row.exclusion,
    )


def _closest(row: TokenResult) -> tuple[str, float | None]:
    """Return the closest level of seeing and the follower's return there."""
    for level, column in _LEVELS:
        value: float | None = getattr(row, column)
        if value is not None:
            return level, value
    return "", None
