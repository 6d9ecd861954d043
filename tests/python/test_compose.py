"""docker-compose.yml against the Compose specification; no Docker engine is needed for it.

compose-spec.json is the JSON schema of the Compose specification (Apache License 2.0), as the npm package
dclint 3.1.0 ships it.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import PROJECT

SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())


def test_follows_the_specification() -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(COMPOSE)


def test_the_check_can_fail() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate({"services": {"postgres": {"imagee": "postgres"}}})


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
