"""Flags of a wallet, each with its evidence. So far: plumbing; the others need funders and slots of whole launches."""

from discovery.domain.addresses import is_wallet


def flags_of(wallet: str) -> tuple[str, ...]:
    """The wallet's flags. `plumbing`: off the curve (a program's account) or a known service."""
    return () if is_wallet(wallet) else ("plumbing",)
