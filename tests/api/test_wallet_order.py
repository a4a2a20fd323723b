"""The order of the watchlist."""

from decimal import Decimal

from tests.api.client import Api
from tests.api.test_wallets_api import addresses
from tests.factories import WalletFactory, address


def test_by_score_the_best_is_first_and_unscored_wallets_last(reader: Api) -> None:
    WalletFactory(number=1, score=None, n_eff=None)
    WalletFactory(number=2, score=Decimal("0.5"), n_eff=Decimal(3))
    WalletFactory(number=3, score=Decimal("0.9"))
    WalletFactory(number=4, score=Decimal("0.5"), n_eff=Decimal(8))
    assert addresses(reader, "?ordering=-score") == [
        address(3),
        address(4),
        address(2),
        address(1),
    ]


def test_the_best_lower_end_of_the_edge_is_first_and_unknown_ones_last(
    reader: Api,
) -> None:
    for number, edge in ((1, None), (2, "-4.5"), (3, "3.25")):
        WalletFactory(number=number, edge_low_pct=edge and Decimal(edge))
    assert addresses(reader) == [address(3), address(2), address(1)]
