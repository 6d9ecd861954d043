"""What docker-compose.yml promises, without a Docker engine; `make lint` checks it against the Compose specification."""

from __future__ import annotations

from pathlib import Path

import yaml
from conftest import PROJECT

from experiment_features.service.settings import read_settings

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())


def test_what_is_promised() -> None:
    service = COMPOSE["services"]["postgres"]
    assert service["image"].partition(":")[2][:1].isdigit()
    assert service["healthcheck"]["test"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert any(volume.startswith("postgres_data:") for volume in service["volumes"]) and "postgres_data" in COMPOSE["volumes"]
    assert any("seeds" in volume and volume.endswith(":ro") for volume in service["volumes"])


def test_holds_no_password() -> None:
    service = COMPOSE["services"]["postgres"]
    assert "POSTGRES_PASSWORD" not in service["environment"]
    assert service["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/postgres_password"
    assert COMPOSE["secrets"]["postgres_password"] == {"environment": "PGPASSWORD"}
    assert "PGPASSWORD=\n" in (PROJECT / ".env.example").read_text()


def test_the_http_service() -> None:
    service = COMPOSE["services"]["service"]
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert all(port.startswith("127.0.0.1:") and port.endswith(":5000") for port in service["ports"])
    # The token and the password come as files, and neither is in the settings.
    for name, secret in (("ETL_API_TOKEN", "etl_api_token"), ("PGPASSWORD", "postgres_password")):
        assert name not in service["environment"] and service["environment"][f"{name}_FILE"] == f"/run/secrets/{secret}"
        assert secret in service["secrets"] and COMPOSE["secrets"][secret] == {"environment": name}
    assert "ETL_API_TOKEN=\n" in (PROJECT / ".env.example").read_text()


def test_the_service_starts_with_the_settings_of_its_container(tmp_path: Path) -> None:
    environment = dict(COMPOSE["services"]["service"]["environment"])
    for name in ("ETL_API_TOKEN", "PGPASSWORD"):
        (tmp_path / name).write_text("a-secret-of-the-tests\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    settings = read_settings(environment)
    assert (settings.token, settings.connection["password"]) == ("a-secret-of-the-tests", "a-secret-of-the-tests")
    assert not settings.is_local and settings.port == 5000 and settings.connection["host"] == "postgres"


def test_the_image() -> None:
    """A Dockerfile cannot be built without an engine: this checks that every file it names exists, and that it does not run as root."""
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY")]
    assert copied == ["requirements/service.lock", "."] and (PROJECT / copied[0]).exists()
    assert "USER service" in lines and lines.index("USER service") < next(n for n, line in enumerate(lines) if line.startswith("CMD"))
    assert any("/health" in line for line in lines)
    kept = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert all((PROJECT / name).exists() for name in kept)
    # All folders that dbt_project.yml names have to be in the image.
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    named = {path.split("/")[0] for key, paths in project.items() if key.endswith("-paths") for path in paths}
    assert named <= set(kept)
