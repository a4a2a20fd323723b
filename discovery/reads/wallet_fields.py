"""Types of the fields that rows and details of wallets share, with their descriptions."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

Score = Annotated[
    Decimal | None,
    Meta(
        description="Probability that following the wallet pays, 0–1; null if its results are not known."
    ),
]
QValue = Annotated[
    Decimal | None,
    Meta(description="Share of luck in a list that is cut at this wallet, 0–1."),
]
PValue = Annotated[
    Decimal | None, Meta(description="Probability that luck alone does as well, 0–1.")
]

BlacklistReason = Annotated[
    str, Meta(description="Why it is blacklisted, in the words of an operator.")
]
IsPinned = Annotated[bool, Meta(description="Marked by an operator.")]
IsStale = Annotated[bool, Meta(description="The profile is older than twice its rule.")]
ReadFrom = Annotated[
    datetime | None,
    Meta(
        description="The profile begins then: the wallet has too many transactions. Null: it covers all its days."
    ),
]
