"""The results of a wallet by token."""

from datetime import timedelta

from tests.api.client import Api
from tests.factories import (
    NOW,
    RunFactory,
    RunWalletFactory,
    TokenResultFactory,
    WalletFactory,
    address,
)


def test_the_tokens_of_a_wallet_are_its_evidence(reader: Api) -> None:
    WalletFactory(number=1)
    run = RunFactory()
    RunWalletFactory(run=run, wallet=1, source_token=address(50))
    TokenResultFactory(wallet=1, mint=address(50), entry_at=NOW - timedelta(days=30))
    TokenResultFactory(wallet=1, mint=address(51))
    rows = reader.get(f"wallets/{address(1)}/tokens").json()["tokens"]
    assert [row["mint"] for row in rows] == [address(51), address(50)]
    assert [row["exclusion"] for row in rows] == ["", "seed"]
    assert (rows[0]["level"], rows[0]["follower_return"]) == ("behind the leader", 0.41)
    assert rows[0]["put_in_lamports"] == "1000000000"


def test_only_the_tokens_of_the_first_discovery_are_seeds(reader: Api) -> None:
    WalletFactory(number=1)
    first, later = RunFactory(started_at=NOW - timedelta(days=9)), RunFactory()
    RunWalletFactory(run=later, wallet=1, source_token=address(51))
    RunWalletFactory(run=first, wallet=1, source_token=address(50))
    for number in (50, 51):
        TokenResultFactory(wallet=1, mint=address(number))
    rows = reader.get(f"wallets/{address(1)}/tokens").json()["tokens"]
    assert {row["mint"]: row["exclusion"] for row in rows} == {
        address(50): "seed",
        address(51): "",
    }
