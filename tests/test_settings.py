"""Settings: typed, named where they are bad, documented, and free of secrets."""

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
SETTINGS = {"DJANGO_SETTINGS_MODULE": "walltrack.settings"}


def start(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python process with these variables over a bare environment."""
    bare = {name: os.environ[name] for name in ("PATH", "DATABASE_URL") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DEBUG", "maybe", "DEBUG: 'maybe' is neither true nor false. Example: DEBUG=true"),
        ("DISCOVERY_SCHEDULE_HOURS", "25", "DISCOVERY_SCHEDULE_HOURS: 25 is not between 1 and 24"),
        ("DISCOVERY_SCHEDULE_HOURS", "six", "DISCOVERY_SCHEDULE_HOURS: 'six' is not a whole number"),
        ("MARKET", "fake", "MARKET: 'fake' is none of live, simulated"),
        ("SOLANA_RPC_URL", "nonsense", "SOLANA_RPC_URL: not a URL"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: not a URL with one of the schemes"),
        ("DATABASE_SCHEMA", "Wall Track", "DATABASE_SCHEMA: not a schema name"),
        ("SECRET_KEY", "short", "SECRET_KEY: shorter than 32 characters"),
        ("INSTANCE_NAME", "my copy", "INSTANCE_NAME: it is the prefix of cookie names"),
        ("INSTANCE_NAME", "wärter", "INSTANCE_NAME: it is the prefix of cookie names"),
        ("PUBLIC_URL", "https://x.example/app", "PUBLIC_URL: only scheme, host and port"),
        ("PUBLIC_URL", "https:x.example", "PUBLIC_URL: only scheme, host and port"),
        ("PUBLIC_URL", "https://:8080", "PUBLIC_URL: only scheme, host and port"),
        ("DISCOVERY_HOUR_SECONDS", "10", "DISCOVERY_HOUR_SECONDS: a value other than 3600 requires MARKET=simulated"),
    ],
)
def test_a_bad_value_refuses_to_start_and_names_the_variable(name: str, value: str, words: str) -> None:
    done = start("import walltrack.settings", **{name: value})
    assert done.returncode != 0
    assert words in done.stderr


def test_the_value_of_a_bad_url_is_not_repeated() -> None:
    done = start("import walltrack.settings", DATABASE_URL="mysql://user:hunter2@db/x")
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: not set, or a placeholder"),
        ({"SECRET_KEY": "changeme" * 5}, "SECRET_KEY: not set, or a placeholder"),
        ({"SECRET_KEY": "django-insecure-" + "k" * 40}, "SECRET_KEY: not set, or a placeholder"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: shorter than 32 characters"),
        ({"DEBUG": "true"}, "DEBUG: true shows settings and tracebacks"),
        ({"DEBUG": "true", "PUBLIC_URL": "https://walltrack.example"}, "DEBUG: true shows settings and tracebacks"),
        ({"ALLOWED_HOSTS": "walltrack.example,*"}, "ALLOWED_HOSTS: '*' accepts any host name"),
        ({"DATABASE_URL": "postgresql://walltrack:walltrack@db/x"}, "DATABASE_URL: its password"),
        ({"DATABASE_URL": "postgresql://walltrack:changeme@db/x"}, "DATABASE_URL: its password"),
    ],
)
def test_a_server_refuses_to_start_with_what_is_only_for_a_machine_of_ones_own(
    environment: dict[str, str], words: str
) -> None:
    given = {"SECRET_KEY": "k" * 40, "DATABASE_URL": "postgresql://walltrack:s3cret@db/x"} | environment
    asked = start(
        "import sys; from walltrack import startup_checks; sys.exit(startup_checks.main())", **SETTINGS, **given
    )
    assert asked.returncode == 1
    assert asked.stderr.startswith(f"WallTrack does not start. {words}")
    assert len(asked.stderr.splitlines()) == 1
    assert start("import walltrack.wsgi", **given).returncode != 0


def test_a_server_whose_https_nobody_speaks_says_so_and_starts() -> None:
    given = {"SECRET_KEY": "k" * 40, "PUBLIC_URL": "https://walltrack.example"}
    asked = start(
        "import sys; from walltrack import startup_checks; sys.exit(startup_checks.main())", **SETTINGS, **given
    )
    assert asked.returncode == 0
    assert "TRUSTED_PROXY_COUNT is 0" in asked.stderr


def test_a_server_starts_with_settings_of_its_own() -> None:
    given = {"SECRET_KEY": "k" * 40, "DATABASE_URL": "postgresql://walltrack:s3cret@db/x"}
    assert (
        start(
            "import sys; from walltrack import startup_checks; sys.exit(startup_checks.main())", **SETTINGS, **given
        ).stderr
        == ""
    )
    assert start("import walltrack.wsgi", **given).returncode == 0


def test_no_secret_stands_in_a_refusal() -> None:
    asked = start("import walltrack.wsgi", SECRET_KEY="k" * 40, DATABASE_URL="postgresql://hunter2:hunter2@db/x")
    assert "DATABASE_URL: its password" in asked.stderr
    assert "hunter2" not in asked.stderr


def test_debugging_is_for_the_development_server() -> None:
    program = "import sys; sys.argv = ['manage.py', 'runserver']; import walltrack.wsgi"
    assert start(program, DEBUG="true").returncode == 0


def read_setting(name: str, **environment: str) -> str:
    """What the settings make of an environment."""
    done = start(f"from walltrack import settings; print(settings.{name})", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://walltrack.example", "walltrack.example"),
        ("http://192.0.2.7:8080", "192.0.2.7"),
        ("http://[::1]", "[::1]"),
    ],
)
def test_the_name_of_the_public_url_is_one_of_its_own(url: str, host: str) -> None:
    assert host in read_setting("ALLOWED_HOSTS", PUBLIC_URL=url)


def test_over_the_simulated_market_nothing_outside_is_asked_unless_it_is_named() -> None:
    names = ("DEXSCREENER", "GECKOTERMINAL", "JUPITER", "SOLANA_RPC", "HELIUS", "PRICES")
    simulated = {"MARKET": "simulated", "SIMULATED_URL": "http://simmarket:9100/"}
    for name in names:
        assert read_setting(f"{name}_URL", **simulated).startswith("http://simmarket:9100/")
        assert read_setting(f"{name}_URL", SIMULATED_URL="http://simmarket:9100").startswith("https://")
    assert read_setting("PRICES_URL", **simulated, PRICES_URL="http://elsewhere") == "http://elsewhere"
    assert read_setting("HELIUS_API_KEY", **simulated) == "simulated"


def test_migrations_go_around_a_pooler_and_nothing_else_does() -> None:
    urls = {"DATABASE_URL": "postgresql://pooler/x", "DATABASE_DIRECT_URL": "postgresql://server/x"}
    program = "import sys; sys.argv = ['manage.py', '{}']; from walltrack import settings as s; print(s.DATABASES)"
    assert "'HOST': 'server'" in start(program.format("migrate"), **urls).stdout
    assert "'HOST': 'pooler'" in start(program.format("discover"), **urls).stdout


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    assert Env({"HELIUS_API_KEY_FILE": str(tmp_path / "key")}).secret("HELIUS_API_KEY") == "from-a-file"


def test_a_missing_secret_file_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"HELIUS_API_KEY_FILE: /no/such cannot be read"):
        Env({"HELIUS_API_KEY_FILE": "/no/such"}).secret("HELIUS_API_KEY")


@pytest.mark.parametrize("placeholder", ["", "changeme", "<your key>", "your-api-key-here"])
def test_a_placeholder_counts_as_no_key(placeholder: str) -> None:
    assert Env({"HELIUS_API_KEY": placeholder}).secret("HELIUS_API_KEY") == ""


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "walltrack/settings.py").read_text()))
    documented = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
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
def test_keys_and_passwords_are_taken_out_of_log_lines(line: str, clean: str) -> None:
    assert redact(line) == clean


def test_every_command_of_ours_has_a_test() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    ours = {name for name, app in get_commands().items() if app == "discovery"}
    assert ours == {
        "beat_alive",
        "create_api_key",
        "decode_swaps",
        "discover",
        "explain_wallet",
        "first_operator",
        "init_env",
        "migrate",
        "worker_alive",
    }
    for name in ours:
        assert re.search(rf'"{name}"', tests), f"no test runs {name}"


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    packages = ("walltrack", "discovery", "health", "simmarket", "benchmarks", "tests")
    long = [
        str(path.relative_to(ROOT))
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts and len(path.read_text().splitlines()) > 400
    ]
    assert long == []
