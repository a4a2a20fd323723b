"""What the compose file promises, read from the file itself; the running stack is
checked by stack.sh.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
OURS = {"walltrack-app", "walltrack-dashboard", "walltrack-worker", "walltrack-beat"}
# The image knows its own version.
NOT_PASSED = {"WALLTRACK_VERSION"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return compose["services"]


def test_every_setting_reaches_every_container_of_ours(
    services: dict[str, dict[str, Any]],
) -> None:
    read = set(
        re.findall(
            r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "walltrack/settings.py").read_text()
        )
    )
    for name in OURS:
        assert read - set(services[name]["environment"]) == NOT_PASSED, name


def test_the_schedule_is_on_every_six_hours_unless_told_otherwise(
    services: dict[str, dict[str, Any]],
) -> None:
    environment = services["walltrack-app"]["environment"]
    assert (
        environment["DISCOVERY_SCHEDULER_ENABLED"]
        == "${DISCOVERY_SCHEDULER_ENABLED:-true}"
    )
    assert environment["DISCOVERY_SCHEDULE_HOURS"] == "${DISCOVERY_SCHEDULE_HOURS:-6}"
    assert environment["MARKET"] == "${MARKET:-live}"


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}(.)", text)
        assert uses
        assert set(uses) == {":"}
        assert not re.search(rf"\$\{{{name}:-", text)


def test_all_of_ours_run_one_image_built_once(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {services[name]["image"] for name in OURS} == {
        "walltrack:${WALLTRACK_TAG:-latest}"
    }
    assert [name for name in OURS if "build" in services[name]] == ["walltrack-app"]


def test_only_the_web_is_published_and_on_the_address_that_was_chosen(
    services: dict[str, dict[str, Any]],
) -> None:
    ports = {
        name: service["ports"]
        for name, service in services.items()
        if "ports" in service
    }
    assert ports == {
        "walltrack-app": ["${BIND_ADDRESS:-127.0.0.1}:${PORT:-8080}:8000"],
        "walltrack-dashboard": ["${BIND_ADDRESS:-127.0.0.1}:${UI_PORT:-7865}:8000"],
    }


def test_every_service_is_checked_restarted_and_its_log_rotated(
    services: dict[str, dict[str, Any]],
) -> None:
    assert OURS | {"postgres", "redis", "simmarket"} == set(services)
    for name, service in services.items():
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_the_web_is_checked_as_the_story_asks(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in ("walltrack-app", "walltrack-dashboard"):
        check = services[name]["healthcheck"]
        assert check["test"] == ["CMD", "curl", "-f", "http://localhost:8000/health"]
        assert (
            check["interval"],
            check["timeout"],
            check["retries"],
            check["start_period"],
        ) == (
            "30s",
            "10s",
            3,
            "60s",
        )


def test_the_simulated_market_runs_only_with_its_profile_and_knows_no_secret(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {name for name, service in services.items() if "profiles" in service} == {
        "simmarket"
    }
    assert services["simmarket"]["environment"] == {}


def test_only_the_web_knows_the_first_operators_password(
    services: dict[str, dict[str, Any]],
) -> None:
    told = {
        name
        for name, service in services.items()
        if "ADMIN_PASSWORD" in service.get("environment", {})
    }
    assert told == {"walltrack-app", "walltrack-dashboard"}


def test_no_probe_asks_workers_through_the_broker(
    services: dict[str, dict[str, Any]],
) -> None:
    assert services["walltrack-worker"]["healthcheck"]["test"][-1] == "worker_alive"
    assert services["walltrack-beat"]["healthcheck"]["test"][-1] == "beat_alive"


def test_a_worker_has_longer_to_stop_than_its_soft_shutdown_takes(
    services: dict[str, dict[str, Any]],
) -> None:
    grace_seconds = int(
        services["walltrack-worker"]["stop_grace_period"].removesuffix("s")
    )
    assert grace_seconds >= 2 * settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT


def test_nothing_has_a_fixed_name(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    assert "name" not in compose
    assert not [
        name for name, service in services.items() if "container_name" in service
    ]
    assert all(volume is None for volume in compose["volumes"].values())


def test_what_serves_has_no_rights_to_spare(
    services: dict[str, dict[str, Any]],
) -> None:
    for name in (*OURS, "simmarket"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]


def test_the_queue_is_never_evicted_and_kept_on_disk(
    services: dict[str, dict[str, Any]],
) -> None:
    command = " ".join(services["redis"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


def test_the_image_lets_in_only_what_it_needs() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert all((ROOT / name).exists() for name in allowed)
    assert {
        "walltrack",
        "discovery",
        "health",
        "manage.py",
        "requirements.txt",
    } <= allowed


def test_the_example_of_an_override_changes_services_that_exist(
    services: dict[str, dict[str, Any]],
) -> None:
    example = yaml.safe_load((ROOT / "docker-compose.override.yml.example").read_text())
    assert set(example["services"]) <= set(services)


def test_the_page_about_deploying_names_only_settings_that_exist() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    used = set(re.findall(r"\b([A-Z][A-Z_]+)=|`([A-Z]+_[A-Z_]+)`", page))
    assert {first or second for first, second in used} - named == {
        "KEY",
        "ON_ERROR_STOP",
    }


def test_the_compose_file_reads_nothing_that_the_example_of_settings_does_not_name() -> (
    None
):
    text = (ROOT / "docker-compose.yml").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) - named == {"ADMIN_PASSWORD_FILE"}
