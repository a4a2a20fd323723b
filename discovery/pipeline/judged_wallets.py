"""A judgement with the columns that it is stored in."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from discovery.domain.judgements import Judgement


class JudgedWallet(msgspec.Struct, frozen=True):
    """A wallet's judgement with the values of its columns. profiled_at: of the profile
    that they were computed from.
    """

    judgement: Judgement
    columns: dict[str, Any]
    profiled_at: datetime | None

    @property
    def score(self) -> Decimal | None:
        """The score as it is stored, four places."""
        score: Decimal | None = self.columns["score"]
        return score
