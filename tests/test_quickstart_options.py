"""What `make run` derives from its options: programs, tokens, port, environment, secret key."""

import stat
from argparse import Namespace
from pathlib import Path

import pytest

from walltrack.quickstart.errors import QuickstartError
from walltrack.quickstart.options import parse_options
from walltrack.quickstart.programs import (
    child_environment,
    choose_programs,
    load_secret_key,
    read_mints,
)

MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
OTHER_MINT = "DQmMnakiKr1YNE2gcpggLCzBrauBwFbQkAaao2FTbjgp"


def options_of(*arguments: str) -> Namespace:
    return parse_options(arguments)


def test_the_market_and_the_discovery_use_the_mints_of_the_trades(
    tmp_path: Path,
) -> None:
    trades = tmp_path / "trades.csv"
    trades.write_text(
        f"mint,sol\n{MINT},1\nnot an address,1\n{OTHER_MINT},2\n{MINT},3\n"
    )
    programs = choose_programs(options_of("--trades", str(trades)))
    assert programs.market[-2:] == ["--trades", str(trades)]
    assert "--world" not in programs.market
    assert programs.discover[-5:] == [
        "discover",
        "--token",
        MINT,
        "--token",
        OTHER_MINT,
    ]


def test_without_trades_the_market_uses_a_world_and_a_seed() -> None:
    programs = choose_programs(options_of("--seed", "3"))
    assert programs.market[-4:] == ["--world", "small", "--seed", "3"]
    assert programs.discover[-1] == "discover"


def test_discover_passes_its_arguments_on_and_starts_no_web_server() -> None:
    options = options_of("discover", "--token", MINT, "--plan")
    assert not options.web
    assert choose_programs(options).discover[-4:] == [
        "discover",
        "--token",
        MINT,
        "--plan",
    ]


@pytest.mark.parametrize("text", [None, "sol,tokens\n1,2\n", "mint\n\n"])
def test_a_trades_file_without_tokens_is_refused_with_its_path(
    tmp_path: Path, text: str | None
) -> None:
    trades = tmp_path / "trades.csv"
    if text is not None:
        trades.write_text(text)
    with pytest.raises(QuickstartError, match=r"The trades file .*trades\.csv "):
        read_mints(trades)


def test_the_port_comes_from_the_option_or_else_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "8090")
    assert options_of().port == 8090
    assert options_of("--port", "8091").port == 8091
    monkeypatch.setenv("PORT", "")
    assert options_of().port == 8080
    with pytest.raises(SystemExit) as exit_info:
        options_of("--port", "70000")
    assert exit_info.value.code == 2
    assert "70000 is not between 1 and 65535" in capsys.readouterr().err


def test_the_environment_of_children_has_every_url_and_no_foreign_setting() -> None:
    environment = child_environment(
        {
            "PATH": "/bin",
            "PGSSLMODE": "require",
            "DJANGO_SETTINGS_MODULE": "other",
            "DATABASE_URL": "elsewhere",
        },
        database_url="postgresql://d",
        redis_url="redis://r",
        market_url="http://127.0.0.1:9",
        port=8081,
        secret_key="s",
    )
    assert environment == {
        "PATH": "/bin",
        "DATABASE_URL": "postgresql://d",
        "REDIS_URL": "redis://r",
        "MARKET": "simulated",
        "SECRET_KEY": "s",
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PUBLIC_URL": "http://127.0.0.1:8081",
        "DEXSCREENER_URL": "http://127.0.0.1:9/dexscreener",
        "GECKOTERMINAL_URL": "http://127.0.0.1:9/geckoterminal",
        "JUPITER_URL": "http://127.0.0.1:9/jupiter",
        "SOLANA_RPC_URL": "http://127.0.0.1:9/rpc",
        "HELIUS_URL": "http://127.0.0.1:9/helius",
        "HELIUS_API_KEY": "simulated",
        "PRICES_URL": "http://127.0.0.1:9/prices",
        "PROVIDER_RPS": "500",
        "WORKER_CONCURRENCY": "4",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def test_the_secret_key_is_created_once_and_readable_by_its_owner_only(
    tmp_path: Path,
) -> None:
    first = load_secret_key(tmp_path)
    assert len(first) >= 50
    assert load_secret_key(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
