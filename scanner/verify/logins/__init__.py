"""Logins to servers that the user named: a protocol a module, each with `log_in`, spoken over a socket that was given.

The protocols are spoken here and not by drivers: a driver does what a server asks of it (it sends a password as plain
text, a local file, a hash by an old method), reads what it is sent without a bound, and connects by itself. Here a
login is tried once, nothing follows it but what reads who it is and what it may do, and all is bounded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...model import Facts
from ..credential import UnaskedError
from .wire import Wire


class RefusedError(Exception):
    """The server says that the login itself is wrong: the text is its code."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password for a server. `database` may be empty; `realm` is the database that knows the user, where
    that is said (MongoDB's authSource)."""

    scheme: str
    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    database: str = ""
    realm: str = ""


LogIn = Callable[[Login, Wire], Facts]
"""What a module of a protocol does: log in once, and tell what can be read of the login without changing anything.

RefusedError where the server says that the login is wrong, UnaskedError where it says nothing of it, LaterError where
it may say so later; what is not as the protocol has it may raise ValueError, LookupError or struct.error.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """How a scheme is spoken: the module, the usual port, whether it begins with TLS."""

    module: str
    port: int
    tls: bool = False


KNOWN = {
    "postgresql": Known("postgresql", 5432),
    "postgres": Known("postgresql", 5432),
    "timescaledb": Known("postgresql", 5432),
    "cockroachdb": Known("postgresql", 26257),
    "redshift": Known("postgresql", 5439),
    "mysql": Known("mysql", 3306),
    "mysql2": Known("mysql", 3306),
    "mariadb": Known("mysql", 3306),
    "redis": Known("redis", 6379),
    "rediss": Known("redis", 6379, tls=True),
    "mongodb": Known("mongodb", 27017),
    "mongodb+srv": Known("mongodb", 27017),
    # Users log in to send (RFC 6409); port 25 is for servers.
    "smtp": Known("smtp", 587),
    "submission": Known("smtp", 587),
    "smtps": Known("smtp", 465, tls=True),
    "ldap": Known("ldap", 389),
    "ldaps": Known("ldap", 636, tls=True),
    "ssh": Known("ssh", 22),
    "sftp": Known("ssh", 22),
    "scp": Known("ssh", 22),
}
BY_PORT = {5432: "postgresql", 3306: "mysql", 6379: "redis", 27017: "mongodb"}
"""What is spoken where only the port is known."""


def log_in_of(known: Known) -> LogIn:
    """The function of a protocol's module."""
    module: Any = importlib.import_module(f".{known.module}", __package__)
    log_in: LogIn = module.log_in
    return log_in


def library(name: str) -> Any:
    """A library that only a protocol needs. UnaskedError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnaskedError(f"{name.partition('.')[0]} is not installed: pip install 'oakum[verify]'") from None
