"""A judgement with the columns that it is stored in and the evidence that it rests on."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from discovery.analysis.token_results import TokenResult
from discovery.domain.judgements import Judgement
from discovery.models.enums import WalletOrigin


class JudgedWallet(msgspec.Struct, frozen=True):
    """A wallet's judgement with the values of its columns. profiled_at: of the profile
    that they were computed from.

    known_since: when it was found, added or chosen as a control wallet.
    origin, flags (names), seeds (mints) and results are those that were judged: what is
    stored may have changed since.
    """

    judgement: Judgement
    columns: dict[str, Any]
    profiled_at: datetime | None
    origin: WalletOrigin
    known_since: datetime
    flags: tuple[str, ...]
    seeds: tuple[str, ...]
    results: Sequence[TokenResult]

    @property
    def score(self) -> Decimal | None:
        """The score as it is stored, four places."""
        score: Decimal | None = self.columns["score"]
        return score
