"""Markets that a transaction touched."""

from discovery.domain.programs import VENUES


def venue_names(keys: list[str]) -> tuple[str, ...]:
    """Return the names of the market programs among the account keys, in key order
    without repeats.
    """
    names = [VENUES[key] for key in keys if key in VENUES]
    return tuple(dict.fromkeys(names))
