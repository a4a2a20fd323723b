"""Markets that a transaction touched."""

from discovery.domain.programs import VENUES


def venue_names(keys: list[str]) -> tuple[str, ...]:
    """Return the names of the market programs among the account keys, in key order
    without repeats.
    """
    names: dict[str, None] = {}  # a set that keeps its order
    for key in keys:
        if key in VENUES:
            names[VENUES[key]] = None
    return tuple(names)
