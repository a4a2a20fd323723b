"""Tokens of the past of world `small`."""

DAY = 86_400


def past_tokens(world):
    """Return the tokens of the past by mint."""
    return {mint: token for mint, token in world.tokens.items() if token.kind == "past"}


def past_accounts(world):
    """Return the account ids of the mints of the past."""
    return {token.mint.account for token in past_tokens(world).values()}


def oldest(world):
    """Return (mint, token) of the oldest token."""
    return min(
        past_tokens(world).items(), key=lambda item: item[1].launched_offset_seconds
    )
