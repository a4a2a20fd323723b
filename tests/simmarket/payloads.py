"""Paths of the simulated token APIs, and comparison of payloads with captured ones."""

DEX, GECKO, JUPITER = (
    "/dexscreener",
    "/geckoterminal/networks/solana",
    "/jupiter/tokens/v2",
)


def mint_of(world, symbol):
    return next(mint for mint, token in world.tokens.items() if token.symbol == symbol)


def type_name(value):
    """Return the type as JSON knows it: integers and floats are numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def assert_same_shape(served, captured, path=""):
    """Every served key is in the captured payload and has the same type there (null has
    any type).
    """
    for key, value in served.items():
        assert key in captured, f"{path}.{key}"
        if value is None or captured[key] is None:
            continue
        assert type_name(value) == type_name(captured[key]), f"{path}.{key}"
        if isinstance(value, dict):
            assert_same_shape(value, captured[key], f"{path}.{key}")


def pumpswap_pair(market, mint):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{mint}")
    return next(pair for pair in pairs if pair["dexId"] == "pumpswap")
