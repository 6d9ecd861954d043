"""The settings of the service, from environment variables.

====================  ==============================================================================
ETL_HOST, ETL_PORT    the address and port to listen on; by default 127.0.0.1 and 5000
ETL_API_TOKEN         the token required with every call; needed if others can reach the service
ETL_PROXIES           addresses or networks of the proxies in front of it, separated by commas
ETL_CONNECTIONS, ...  how much of the service clients may use at once, as listed in `Limits`
PGHOST, PGPORT, ...   the server, as in profiles/profiles.yml
FEATURES_SCHEMA       the target schema; by default features
FEATURES_READER       the role to read as, if it exists; by default features_reader
====================  ==============================================================================

ETL_API_TOKEN_FILE and PGPASSWORD_FILE name files with the secrets, to use instead of ETL_API_TOKEN and PGPASSWORD.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """Explains to the user in one sentence which setting is wrong."""


@dataclass(frozen=True)
class Limits:
    """How much of the service clients may use; the variable of each limit is its name in capitals, preceded by ETL_.

    Args:
        connections: open at once, from all clients.
        connections_per_client: open at once, from one address.
        exports: CSV files being sent at once, to all clients.
        exports_per_client: CSV files being sent at once, to one address.
        idle_seconds: how long a connection is kept between two calls.
        header_seconds: how long the header of a call may take to arrive.
        header_bytes: how large the header of a call may be.
        body_seconds: how long the body of a call may take to arrive.
        body_bytes: how large the body of a call may be.
        stall_seconds: how long a client may take for 16 KiB of a response before it is cut off.
    """

    connections: int = 2000
    connections_per_client: int = 100
    exports: int = 16
    exports_per_client: int = 4
    idle_seconds: float = 5
    header_seconds: float = 10
    header_bytes: int = 16 * 1024
    body_seconds: float = 10
    body_bytes: int = 64 * 1024
    stall_seconds: float = 20


@dataclass(frozen=True)
class Settings:
    """The validated settings of the service.

    Args:
        host: the address to listen on.
        port: the port; 0 for a free one.
        token: to be sent with every call; None if no token is needed.
        schema: the target schema.
        reader: the role to read as, if it exists.
        connection: libpq parameters, such as host and user.
        proxies: networks of the proxies in front of the service, which report whose calls they pass on.
        limits: how much clients may use.
    """

    host: str
    port: int
    token: str | None = field(repr=False)
    schema: str
    reader: str
    connection: Mapping[str, str] = field(repr=False)
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    limits: Limits = Limits()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def is_proxy(self, address: str) -> bool:
        """Whether an address belongs to a configured proxy."""
        return bool(address and self.proxies) and any(ipaddress.ip_address(address.partition("%")[0]) in network for network in self.proxies)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not appear in a response or a log."""
        return tuple(secret for secret in (self.token, self.connection.get("password")) if secret)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment. Raises SettingsError if they are invalid or do not go together."""
    engine = environment.get("ENGINE") or "postgres"
    if engine != "postgres":
        raise SettingsError(f"The service needs Postgres, and ENGINE is '{engine}'; start it without ENGINE.")
    port = environment.get("ETL_PORT") or "5000"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise SettingsError(f"ETL_PORT is '{port}', which is not a number below 65536.")
    user = environment.get("PGUSER") or "postgres"
    connection = {
        "host": environment.get("PGHOST") or "localhost",
        "port": environment.get("PGPORT") or "5432",
        "user": user,
        "dbname": environment.get("PGDATABASE") or user,
    }
    # Without a password, libpq reads ~/.pgpass.
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
        proxies=_proxies(environment.get("ETL_PROXIES") or ""),
        limits=_limits(environment),
    )
    if not (settings.is_local or settings.token):
        raise SettingsError(f"On {settings.host} others can reach the service, so it needs a token: set ETL_API_TOKEN, or ETL_HOST to 127.0.0.1.")
    return settings


def _proxies(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise SettingsError(f"ETL_PROXIES takes addresses or networks, such as 192.0.2.1 or 192.0.2.0/24, separated by commas: {error}.") from None


def _limits(environment: Mapping[str, str]) -> Limits:
    found: dict[str, Any] = {}
    for limit in fields(Limits):
        name = f"ETL_{limit.name.upper()}"
        text = environment.get(name)
        if not text:
            continue
        is_whole = isinstance(limit.default, int) and not limit.name.endswith("_seconds")
        try:
            value = int(text) if is_whole else float(text)
        except ValueError:
            value = 0
        if not (value > 0 and math.isfinite(value)):
            raise SettingsError(f"{name} is '{text}', which is not a {'whole ' if is_whole else ''}number above 0.")
        found[limit.name] = value
    return Limits(**found)


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
