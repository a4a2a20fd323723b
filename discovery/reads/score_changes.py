"""What changed from one score snapshot to the next, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from discovery.domain.display import counted
from discovery.domain.flags import flag_label
from discovery.domain.judgements import Exclusion
from discovery.models import ScoreSnapshot
from discovery.models.enums import SnapshotArm

_RETURNS: Final = (
    "leader_return",
    "follower_return_costs",
    "follower_return_behind",
    "follower_return_late",
)


class _State(StrEnum):
    """Whether a token counts, and why not."""

    COUNTS = "counts"
    UNKNOWN = "unknown"
    SEED = Exclusion.SEED.value
    YOUNG = Exclusion.YOUNG.value
    DUST = Exclusion.DUST.value
    CUT = Exclusion.CUT.value


_GAINED: Final[dict[_State | None, str]] = {
    None: "new",
    _State.YOUNG: "matured",
    _State.UNKNOWN: "result known now",
    _State.SEED: "no seed token any more",
    _State.DUST: "more put in",
    _State.CUT: "read from the beginning now",
}
"""State before → why a token counts now. None: not seen before."""
_LOST: Final[dict[_State | None, str]] = {
    None: "older than the days of a profile",
    _State.YOUNG: "bought again",
    _State.UNKNOWN: "result not known any more",
    _State.SEED: "seed token now",
    _State.DUST: "too little put in",
    _State.CUT: "bought before the history that was read",
}
"""State after → why a token no longer counts. None: not in the profile any more."""


class Population(NamedTuple):
    """The run whose wallets a snapshot was judged against; None: those of a first run."""

    run_id: UUID | None
    started_at: datetime | None

    @property
    def text(self) -> str:
        """The run in words, its time in UTC."""
        if self.run_id is None:
            return "of a first run"
        if self.started_at is None:
            return f"run {str(self.run_id)[:8]}"
        return f"run of {self.started_at.day} {self.started_at:%b %H:%M}"


class _Tokens(NamedTuple):
    states: Mapping[str, _State]
    returns: Mapping[str, tuple[float | None, ...]]


def changes_between(
    before: ScoreSnapshot, after: ScoreSnapshot, populations: tuple[Population, ...]
) -> list[str]:
    """Return what changed between two snapshots of a wallet, in words; what changed the
    most comes first. populations: those of both. Never empty.
    """
    of_tokens = list(_token_changes(_tokens(before), _tokens(after)))
    others = [*_flag_changes(before, after), *_other_changes(before, after)]
    changes = [*of_tokens, *others]
    old, new = populations
    if old.run_id != new.run_id:
        text = f"another population ({new.text})"
        changes.append(text if changes else f"same tokens, {text}")
    return changes or ["same tokens and population; older results weigh less"]


def _tokens(snapshot: ScoreSnapshot) -> _Tokens:
    evidence = snapshot.evidence
    seeds = frozenset(evidence.get("seeds", ()))
    states: dict[str, _State] = {}
    returns: dict[str, tuple[float | None, ...]] = {}
    for token in evidence.get("tokens", ()):
        mint = token["mint"]
        states[mint] = _state(token, is_seed=mint in seeds)
        returns[mint] = tuple(token[name] for name in _RETURNS)
    return _Tokens(states, returns)


def _state(token: Mapping[str, Any], *, is_seed: bool) -> _State:
    if is_seed:
        return _State.SEED
    if token["exclusion"]:
        return _State(token["exclusion"])
    if token["leader_return"] is None:
        return _State.UNKNOWN
    return _State.COUNTS


def _token_changes(before: _Tokens, after: _Tokens) -> Iterator[str]:
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    changed = 0
    for mint in before.states.keys() | after.states.keys():
        old, new = before.states.get(mint), after.states.get(mint)
        if old == _State.COUNTS and new == _State.COUNTS:
            changed += before.returns[mint] != after.returns[mint]
        elif new == _State.COUNTS:
            gained[_GAINED[old]] += 1
        elif old == _State.COUNTS:
            lost[_LOST[new]] += 1
    if gained:
        yield _changed_tokens(gained, "more")
    if lost:
        yield _changed_tokens(lost, "fewer")
    if changed:
        yield f"result of {counted(changed, 'token')} changed"


def _changed_tokens(reasons: Counter[str], direction: str) -> str:
    """Return "3 more tokens count (2 matured, 1 new)"."""
    total = reasons.total()
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    details = ", ".join(f"{count} {reason}" for reason, count in ordered)
    verb = "counts" if total == 1 else "count"
    return f"{counted(total, f'{direction} token')} {verb} ({details})"


def _flag_changes(before: ScoreSnapshot, after: ScoreSnapshot) -> Iterator[str]:
    old, new = set(before.flags), set(after.flags)
    for flag in sorted(new - old):
        yield f"flag {flag_label(flag)}"
    for flag in sorted(old - new):
        yield f"flag {flag_label(flag)} removed"


def _other_changes(before: ScoreSnapshot, after: ScoreSnapshot) -> Iterator[str]:
    if before.arm != after.arm:
        old, new = SnapshotArm(before.arm).label, SnapshotArm(after.arm).label
        yield f"counted as {new}, before as {old}"
    if before.score_version != after.score_version:
        yield f"score version {after.score_version}, before {before.score_version}"
