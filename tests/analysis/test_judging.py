"""Judgements against the vectors of the score's specification, and the rules of
verdicts.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from discovery.analysis.effects import measure, shifts_of, token_values
from discovery.analysis.evidence import growth
from discovery.analysis.follower import FollowTerms
from discovery.analysis.judging import judge
from discovery.analysis.token_results import token_results
from discovery.domain.histories import TradingHistory
from discovery.domain.judgements import Judgement, Prior
from tests.analysis.traders import evidence_of

FOLDER = Path(__file__).parent / "score_vectors"
TOLERANCES = {
    "score": 2e-6,
    "edge_pct": 1e-3,
    "edge_low_pct": 1e-3,
    "edge_high_pct": 1e-3,
    "leader_edge_pct": 1e-3,
    "effective_tokens": 1e-4,
    "known_share": 1e-6,
    "q_value": 2e-6,
    "p_value": 1e-5,
}


def _lines(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / name).read_text()
    return [json.loads(line) for line in text.splitlines() if line]


FIRST, *INPUTS = _lines("input.ndjson")
PRIOR = Prior.from_dict({key: FIRST["prior"][key] for key in Prior.__struct_fields__})
HISTORIES = {
    line["wallet"]: msgspec.convert(line, TradingHistory, strict=False)
    for line in INPUTS
}
EXPECTED = {line["wallet"]: line for line in _lines("expected.ndjson")}
STEPS = {line["wallet"]: line for line in _lines("steps.ndjson")}


def _judgement(name: str) -> Judgement:
    judgements, _ = judge([evidence_of(HISTORIES[name])], PRIOR)
    return judgements[0]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_vector_gets_its_judgement(name: str) -> None:
    judgement = msgspec.to_builtins(_judgement(name))
    for key, wanted in EXPECTED[name].items():
        if key == "reason":  # our own words
            continue
        tolerance = TOLERANCES.get(key)
        if tolerance is None or wanted is None:
            assert judgement[key] == wanted, key
        else:
            assert judgement[key] == pytest.approx(wanted, abs=tolerance), key


@pytest.mark.parametrize("name", STEPS)
def test_the_tokens_of_a_vector_have_their_results(name: str) -> None:
    results = [
        result
        for result in token_results(HISTORIES[name], FollowTerms())
        if result.exclusion is None
    ]
    known = [result for result in results if result.leader_return is not None]
    assert len(results) == STEPS[name]["counted"]
    seen = [
        {
            "mint": result.mint,
            "weight": pytest.approx(result.weight),
            "leader": pytest.approx(result.leader_return),
            "levels": pytest.approx(result.follower_returns),
            "growth": pytest.approx([*map(growth, result.follower_returns)]),
        }
        for result in known
    ]
    wanted = sorted(STEPS[name]["tokens"], key=lambda token: token["mint"])
    assert seen == [{**token, "levels": tuple(token["levels"])} for token in wanted]


@pytest.mark.parametrize("name", [name for name in STEPS if "values" in STEPS[name]])
def test_the_effect_of_a_vector_is_measured_step_by_step(name: str) -> None:
    wanted = STEPS[name]
    evidence = evidence_of(HISTORIES[name])
    shifts = shifts_of(evidence, PRIOR.steps)
    values = token_values(evidence, shifts)
    effect = measure(evidence, values, shifts, PRIOR.sigma2)
    assert sorted(values) == pytest.approx(sorted(wanted["values"]))
    assert effect.n == pytest.approx(wanted["n"])
    assert effect.mean == pytest.approx(wanted["mean"])
    assert effect.spread == pytest.approx(wanted["spread"], abs=1e-12)
    assert effect.deviation == pytest.approx(wanted["sd"])
    assert effect.value == pytest.approx(wanted["effect"])
    assert effect.variance == pytest.approx(wanted["se2"])
    assert effect.degrees == pytest.approx(wanted["df"])


def test_a_prior_survives_its_json() -> None:
    assert Prior.from_dict(json.loads(json.dumps(PRIOR.to_dict()))) == PRIOR
