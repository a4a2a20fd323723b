"""What a change of the parameters would do to the results of the last runs, on the form."""

import pytest

from discovery.models import Config, Run
from tests.factories import (
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    WalletFactory,
    address,
)
from tests.pages.conftest import Person
from tests.pages.content import params, text

pytestmark = pytest.mark.django_db
PATH = "params/what-if"


@pytest.fixture
def run(config: Config) -> Run:
    run = RunFactory()
    RunTokenFactory(run=run, symbol="PUMP")
    PositionFactory(run=run, wallet=1, profit_pct=60)
    PositionFactory(run=run, wallet=2, rejection="profit", profit_pct=20)
    return run


def test_the_form_offers_it(viewer: Person) -> None:
    page = viewer.page().content.decode()
    assert f'hx-post="/admin/discovery/{PATH}"' in page


def test_values_on_the_form_show_who_would_enter_and_leave(
    run: Run, viewer: Person
) -> None:
    WalletFactory(number=1, verdict="avoid")
    entering = viewer.send(PATH, **params(min_profit_pct="20"))
    assert "Would enter: 1 wallet" in text(entering)
    assert f"/why/?address={address(2)}" in entering.content.decode()
    assert "min profit pct 20 instead of 50" in text(entering)
    leaving = text(viewer.send(PATH, **params(min_profit_pct="61")))
    assert "Would leave: 1 wallet" in leaving
    assert "profit 60.00 % is below the minimum of 61 %" in leaving
    assert "avoid" in leaving


def test_nothing_is_saved(run: Run, operator: Person) -> None:
    operator.send(PATH, **params(min_profit_pct="20"))
    config = Config.objects.get()
    assert (config.min_profit_pct, config.version) == (50, 1)


def test_a_value_that_is_not_allowed_is_named(run: Run, viewer: Person) -> None:
    words = text(viewer.send(PATH, **params(min_profit_pct="501")))
    assert "Nothing was compared: Minimum profit: 501 is not between" in words


@pytest.mark.parametrize("typed", ["0", "21", "many", ""])
def test_a_number_of_runs_that_is_none_is_replaced_by_five(
    typed: str, run: Run, viewer: Person
) -> None:
    answer = viewer.send(PATH, **params(), what_if_runs=typed)
    assert "In the last run 1 wallet qualified" in text(answer)


def test_long_lists_are_cut_with_their_total(run: Run, viewer: Person) -> None:
    for wallet in range(10, 40):
        PositionFactory(run=run, wallet=wallet, rejection="profit", profit_pct=30)
    words = text(viewer.send(PATH, **params(min_profit_pct="30")))
    assert "Would enter: 30 wallets" in words
    assert "The 25 with the best profit are shown." in words


def test_before_the_first_run_it_says_so(viewer: Person) -> None:
    assert "No run has ended yet" in text(viewer.send(PATH, **params()))
