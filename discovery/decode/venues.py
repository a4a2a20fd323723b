"""Markets that a transaction touched."""

from discovery.domain.programs import VENUES


def venue_names(keys: list[str]) -> tuple[str, ...]:
    """Return the names of the market programs among the account keys, in key order
    without repeats.
    """
    names = filter(None, map(VENUES.get, keys))
    return tuple(dict.fromkeys(names))
