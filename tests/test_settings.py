"""Settings are validated and documented, and messages about them contain no secrets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands

from walltrack.env import Env
from walltrack.logs import redact

ROOT = Path(__file__).resolve().parents[1]
STARTUP_CHECKS = (
    "import sys; from walltrack import startup_checks; sys.exit(startup_checks.main())"
)


def start(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program with these variables in an otherwise minimal environment."""
    minimal = {
        name: os.environ[name]
        for name in ("PATH", "DATABASE_URL")
        if name in os.environ
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**minimal, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def check_startup(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the startup checks with these variables."""
    return start(
        STARTUP_CHECKS, DJANGO_SETTINGS_MODULE="walltrack.settings", **environment
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "DEBUG",
            "maybe",
            "DEBUG: 'maybe' is neither true nor false. Example: DEBUG=true",
        ),
        (
            "DISCOVERY_SCHEDULE_HOURS",
            "25",
            "DISCOVERY_SCHEDULE_HOURS: 25 is not between 1 and 24",
        ),
        (
            "DISCOVERY_SCHEDULE_HOURS",
            "six",
            "DISCOVERY_SCHEDULE_HOURS: 'six' is not a whole number",
        ),
        ("MARKET", "fake", "MARKET: 'fake' is none of live, simulated"),
        ("SOLANA_RPC_URL", "nonsense", "SOLANA_RPC_URL: not a URL"),
        (
            "DATABASE_URL",
            "mysql://x",
            "DATABASE_URL: not a URL with one of the schemes",
        ),
        ("DATABASE_SCHEMA", "Wall Track", "DATABASE_SCHEMA: not a schema name"),
        ("SECRET_KEY", "short", "SECRET_KEY: shorter than 32 characters"),
        ("INSTANCE_NAME", "my copy", "INSTANCE_NAME: it is the prefix of cookie names"),
        ("INSTANCE_NAME", "wärter", "INSTANCE_NAME: it is the prefix of cookie names"),
        (
            "PUBLIC_URL",
            "https://x.example/app",
            "PUBLIC_URL: only scheme, host and port",
        ),
        ("PUBLIC_URL", "https:x.example", "PUBLIC_URL: only scheme, host and port"),
        ("PUBLIC_URL", "https://:8080", "PUBLIC_URL: only scheme, host and port"),
        (
            "DISCOVERY_HOUR_SECONDS",
            "10",
            "DISCOVERY_HOUR_SECONDS: a value other than 3600 requires MARKET=simulated",
        ),
    ],
)
def test_an_invalid_value_prevents_the_start_and_names_the_variable(
    name: str, value: str, message: str
) -> None:
    result = start("import walltrack.settings", **{name: value})
    assert result.returncode != 0
    assert message in result.stderr


def test_the_value_of_an_invalid_url_is_not_printed() -> None:
    result = start(
        "import walltrack.settings", DATABASE_URL="mysql://user:hunter2@db/x"
    )
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: not set, or a placeholder"),
        ({"SECRET_KEY": "changeme" * 5}, "SECRET_KEY: not set, or a placeholder"),
        (
            {"SECRET_KEY": "django-insecure-" + "k" * 40},
            "SECRET_KEY: not set, or a placeholder",
        ),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: shorter than 32 characters"),
        ({"DEBUG": "true"}, "DEBUG: true shows settings and tracebacks"),
        (
            {"DEBUG": "true", "PUBLIC_URL": "https://walltrack.example"},
            "DEBUG: true shows settings and tracebacks",
        ),
        (
            {"ALLOWED_HOSTS": "walltrack.example,*"},
            "ALLOWED_HOSTS: '*' accepts any host name",
        ),
        (
            {"DATABASE_URL": "postgresql://walltrack:walltrack@db/x"},
            "DATABASE_URL: its password",
        ),
        (
            {"DATABASE_URL": "postgresql://walltrack:changeme@db/x"},
            "DATABASE_URL: its password",
        ),
    ],
)
def test_a_server_refuses_to_start_with_unsafe_settings(
    environment: dict[str, str], message: str
) -> None:
    variables = {
        "SECRET_KEY": "k" * 40,
        "DATABASE_URL": "postgresql://walltrack:s3cret@db/x",
    } | environment
    result = check_startup(**variables)
    assert result.returncode == 1
    assert result.stderr.startswith(f"WallTrack does not start. {message}")
    assert len(result.stderr.splitlines()) == 1
    assert start("import walltrack.wsgi", **variables).returncode != 0


def test_a_server_with_https_and_no_proxy_warns_and_starts() -> None:
    variables = {"SECRET_KEY": "k" * 40, "PUBLIC_URL": "https://walltrack.example"}
    result = check_startup(**variables)
    assert result.returncode == 0
    assert "TRUSTED_PROXY_COUNT is 0" in result.stderr


def test_a_server_starts_with_safe_settings() -> None:
    variables = {
        "SECRET_KEY": "k" * 40,
        "DATABASE_URL": "postgresql://walltrack:s3cret@db/x",
    }
    assert check_startup(**variables).stderr == ""
    assert start("import walltrack.wsgi", **variables).returncode == 0


def test_a_refusal_contains_no_secret() -> None:
    result = start(
        "import walltrack.wsgi",
        SECRET_KEY="k" * 40,
        DATABASE_URL="postgresql://hunter2:hunter2@db/x",
    )
    assert "DATABASE_URL: its password" in result.stderr
    assert "hunter2" not in result.stderr


def test_the_development_server_starts_with_debug() -> None:
    program = "import sys; sys.argv = ['manage.py', 'runserver']; import walltrack.wsgi"
    assert start(program, DEBUG="true").returncode == 0


def read_setting(name: str, **environment: str) -> str:
    """Return the text of a setting in this environment."""
    result = start(
        f"from walltrack import settings; print(settings.{name})", **environment
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://walltrack.example", "walltrack.example"),
        ("http://192.0.2.7:8080", "192.0.2.7"),
        ("http://[::1]", "[::1]"),
    ],
)
def test_the_host_of_the_public_url_is_allowed(url: str, host: str) -> None:
    assert host in read_setting("ALLOWED_HOSTS", PUBLIC_URL=url)


def test_with_a_simulated_market_every_default_url_is_the_simulated_one() -> None:
    names = (
        "DEXSCREENER",
        "GECKOTERMINAL",
        "JUPITER",
        "SOLANA_RPC",
        "HELIUS",
        "PRICES",
    )
    simulated = {"MARKET": "simulated", "SIMULATED_URL": "http://simmarket:9100/"}
    for name in names:
        assert read_setting(f"{name}_URL", **simulated).startswith(
            "http://simmarket:9100/"
        )
        assert read_setting(
            f"{name}_URL", SIMULATED_URL="http://simmarket:9100"
        ).startswith("https://")
    assert (
        read_setting("PRICES_URL", **simulated, PRICES_URL="http://elsewhere")
        == "http://elsewhere"
    )
    assert read_setting("HELIUS_API_KEY", **simulated) == "simulated"


def test_only_migrations_use_the_direct_database_url() -> None:
    urls = {
        "DATABASE_URL": "postgresql://pooler/x",
        "DATABASE_DIRECT_URL": "postgresql://server/x",
    }
    program = "import sys; sys.argv = ['manage.py', '{}']; from walltrack import settings as s; print(s.DATABASES)"
    assert "'HOST': 'server'" in start(program.format("migrate"), **urls).stdout
    assert "'HOST': 'pooler'" in start(program.format("discover"), **urls).stdout


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    assert (
        Env({"HELIUS_API_KEY_FILE": str(tmp_path / "key")}).secret("HELIUS_API_KEY")
        == "from-a-file"
    )


def test_a_missing_secret_file_is_reported_with_its_path() -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"HELIUS_API_KEY_FILE: /no/such cannot be read"
    ):
        Env({"HELIUS_API_KEY_FILE": "/no/such"}).secret("HELIUS_API_KEY")


@pytest.mark.parametrize(
    "placeholder", ["", "changeme", "<your key>", "your-api-key-here"]
)
def test_a_placeholder_counts_as_no_key(placeholder: str) -> None:
    assert Env({"HELIUS_API_KEY": placeholder}).secret("HELIUS_API_KEY") == ""


def test_the_documented_settings_are_those_that_are_read() -> None:
    modules = ("settings.py", "follow.py", "upkeep.py", "simulated.py")
    sources = [(ROOT / "walltrack" / name).read_text() for name in modules]
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', "\n".join(sources)))
    documented = set(
        re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    )
    assert documented == read


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("GET https://x/?api-key=abc123&y=1", "GET https://x/?api-key=***&y=1"),
        ("postgresql://user:hunter2@db/x", "postgresql://user:***@db/x"),
        ('{"x-api-key": "abc"}', '{"x-api-key": "***"}'),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("11 tokens to analyse", "11 tokens to analyse"),
    ],
)
def test_keys_and_passwords_are_redacted(line: str, clean: str) -> None:
    assert redact(line) == clean


def test_every_command_has_a_test() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    commands = {name for name, app in get_commands().items() if app == "discovery"}
    assert commands == {
        "beat_alive",
        "check_providers",
        "create_api_key",
        "decode_swaps",
        "discover",
        "explain_wallet",
        "export_wallets",
        "first_operator",
        "import_wallets",
        "init_env",
        "migrate",
        "rejudge_wallets",
        "report",
        "score_histories",
        "score_history",
        "worker_alive",
    }
    for name in commands:
        assert re.search(rf'"{name}"', tests), f"no test runs {name}"


def test_no_file_has_more_than_400_lines() -> None:
    packages = ("walltrack", "discovery", "health", "simmarket", "benchmarks", "tests")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    modules = [path for path in paths if "migrations" not in path.parts]
    assert [
        str(path.relative_to(ROOT))
        for path in modules
        if len(path.read_text().splitlines()) > 400
    ] == []
