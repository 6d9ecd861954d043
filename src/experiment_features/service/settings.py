"""What the service is told by environment variables.

====================  ==============================================================================
ETL_HOST, ETL_PORT    where it listens; by default 127.0.0.1 and 5000
ETL_API_TOKEN         the token that every call has to bring; needed where others can reach the service
PGHOST, PGPORT, ...   the server, as in profiles/profiles.yml
FEATURES_SCHEMA       the target schema; by default features
FEATURES_READER       the role that it reads as, where there is one; by default features_reader
====================  ==============================================================================

ETL_API_TOKEN_FILE and PGPASSWORD_FILE name files that hold the secrets, in place of ETL_API_TOKEN and PGPASSWORD.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SettingsError(Exception):
    """A sentence for the user."""


@dataclass(frozen=True)
class Settings:
    """The settings of the service, checked.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        token: it has to come with every call; None where none is needed.
        schema: the target schema.
        reader: the role to read as, where there is one.
        connection: parameters of libpq, such as host and user.
    """

    host: str
    port: int
    token: str | None = field(repr=False)
    schema: str
    reader: str
    connection: Mapping[str, str] = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in an answer or a log."""
        return tuple(secret for secret in (self.token, self.connection.get("password")) if secret)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment holds. Raises SettingsError where they do not go together."""
    engine = environment.get("ENGINE") or "postgres"
    if engine != "postgres":
        raise SettingsError(f"The service needs Postgres, and ENGINE is '{engine}'; start it without ENGINE.")
    port = environment.get("ETL_PORT") or "5000"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise SettingsError(f"ETL_PORT is '{port}', and not a number below 65536.")
    user = environment.get("PGUSER") or "postgres"
    connection = {
        "host": environment.get("PGHOST") or "localhost",
        "port": environment.get("PGPORT") or "5432",
        "user": user,
        "dbname": environment.get("PGDATABASE") or user,
    }
    # Without one, libpq looks into ~/.pgpass.
    password = _secret(environment, "PGPASSWORD")
    if password:
        connection["password"] = password
    settings = Settings(
        host=environment.get("ETL_HOST") or "127.0.0.1",
        port=int(port),
        token=_secret(environment, "ETL_API_TOKEN"),
        schema=environment.get("FEATURES_SCHEMA") or "features",
        reader=environment.get("FEATURES_READER") or "features_reader",
        connection=connection,
    )
    if not (settings.is_local or settings.token):
        raise SettingsError(
            f"On {settings.host} others can reach the service, so it needs a token: set ETL_API_TOKEN, or ETL_HOST to 127.0.0.1."
        )
    return settings


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    path = environment.get(f"{name}_FILE")
    if environment.get(name) or not path:
        return environment.get(name) or None
    try:
        content = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{name}_FILE names {path}, which cannot be read: {reason}.") from None
    if not content:
        raise SettingsError(f"{name}_FILE names {path}, which is empty.")
    return content
