"""Save the tokens that pass the filters at this moment."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from discovery.models import Pumps
from discovery.pipeline.find_tokens import TokenSearchResult
from walltrack import clock

MAX_PROBLEM_LENGTH: Final = 1000


def save_pumps(result: TokenSearchResult | None, messages: Sequence[str]) -> None:
    """Save the result of a search. None, where no source answered: the last list stays.

    messages: what the search lacks; stored with the list.
    """
    now = clock.now()
    problem = "; ".join(messages)[:MAX_PROBLEM_LENGTH]
    values: dict[str, Any] = {"problem": problem, "answered_at": now}
    if result is not None:
        tokens = [msgspec.to_builtins(token) for token in result.tokens]
        values |= {"tokens": tokens, "funnel": result.funnel, "refreshed_at": now}
    Pumps.objects.update_or_create(pk=1, defaults=values)


def save_pumps_error(cause: str) -> None:
    """Store why there is no new list: the last one stays."""
    save_pumps(None, [cause])
