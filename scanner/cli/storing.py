"""What the commands of sweeps share: where the store is, its key, and the packages that it needs."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from ..errors import UsageError
from .folders import config_folder, state_folder

if TYPE_CHECKING:
    from ..store import Store

Command = TypeVar("Command", bound=Callable[..., Any])
STORE, KEY = "OAKUM_STORE", "OAKUM_STORE_KEY"
"""Variables: a URL with a password has no place among arguments, which everybody on a machine can read."""

_OPTIONS = (
    click.option(
        "--store",
        default="",
        metavar="PATH|URL",
        help=f"Where findings are kept: a file, or postgresql://….  [default: {STORE}, or your state folder]",
    ),
    click.option(
        "--store-key",
        default="",
        metavar="FILE",
        help=f"The key of the store.  [default: the key itself in {KEY}, or a file in your configuration folder]",
    ),
)


def store_options(command: Command) -> Command:
    """The options of a command that opens the store."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def require_extra(extra: str, *modules: str) -> None:
    """UsageError with what to install where one of the modules is missing."""
    if any(importlib.util.find_spec(module) is None for module in modules):
        raise UsageError(f"this needs packages that are not installed: pip install 'oakum[{extra}]'")


@contextmanager
def opened_store(
    flags: Mapping[str, Any], environment: Mapping[str, str], now: datetime, *, create: bool
) -> Iterator[Store]:
    """The store that flags and variables name, as long as the context lasts; made where there is none and it may be."""
    require_extra("sweep", "sqlalchemy", "alembic")
    where = _where(flags["store"], environment)
    if where.startswith("postgres"):
        require_extra("postgresql", "psycopg")
    from ..store import open_store

    store = open_store(where, _key(flags["store_key"], environment, where, create=create), now, create=create)
    try:
        yield store
    finally:
        store.close()


def _where(given: str, environment: Mapping[str, str]) -> str:
    if given and "://" in given and _has_password(given):
        raise UsageError(
            f"--store: others on this machine can read arguments: put the URL with its password into {STORE}, or the "
            "password into ~/.pgpass or PGPASSWORD"
        )
    where = given or environment.get(STORE, "").strip()
    if where:
        return where if "://" in where else os.path.abspath(where)
    folder = state_folder()
    if not folder:
        raise UsageError("--store: there is no folder for it (HOME is not set): name a file")
    return os.path.join(folder, "sweeps.db")


def _has_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "@" in url
    return parts.password is not None or "password=" in parts.query


def _key(given: str, environment: Mapping[str, str], where: str, *, create: bool) -> bytes:
    from ..store.keys import key_for, key_of_text

    if not given and environment.get(KEY):
        return key_of_text(environment[KEY], KEY)
    folder = config_folder()
    if not given and not folder:
        raise UsageError(f"--store-key: there is no folder for it (HOME is not set): name a file, or set {KEY}")
    return key_for(os.path.abspath(given) if given else os.path.join(folder, "store.key"), where, create=create)
