"""Markets that a transaction touched."""

from discovery.domain.programs import VENUES

_VENUE_IDS = VENUES.keys()


def venue_names(keys: list[str]) -> tuple[str, ...]:
    """Return the names of the market programs among the account keys, in key order
    without repeats.
    """
    if _VENUE_IDS.isdisjoint(keys):
        return ()
    names = [VENUES[key] for key in keys if key in VENUES]
    return tuple(dict.fromkeys(names))
