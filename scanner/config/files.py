"""Configuration files: found, opened with care (a target is hostile), parsed, and read strictly."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cache import READING
from ..errors import ConfigError
from ..model import Suppression, clean
from . import NAME, OWN, PROJECT
from .settings import ENTRY, SETTINGS, Setting

LARGEST = 1 << 20
"""Bytes of a configuration file."""
LINK = "is a symbolic link, which is not followed; put the file itself there, or name it with --config"
MOST_DOTS = 200
"""Dots of a line: the time that a key takes grows with the square of its parts, and tables in tables have an end."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one file says: by the names of settings what it writes, and what that means; and the entries it allows."""

    name: str
    settings: Mapping[str, tuple[Any, Any]]
    allow: tuple[Suppression, ...]


def of_target(root: bytes) -> Iterator[Source]:
    """What the two files at the root of a target say that may configure oakum."""
    path, project = (os.path.normpath(os.path.join(root, name)) for name in (os.fsencode(NAME), os.fsencode(PROJECT)))
    if text := content(path, follow=False):
        yield source(clean(path), parsed(clean(path), text), own=False)
    if os.path.isfile(project) and not os.path.islink(project):  # what else it may be is no mistake of ours
        text = content(project, follow=False)
        if text and b"oakum" in text:
            yield from _part(clean(project), text)


def of_user(folder: str) -> Iterator[Source]:
    """What the user's own file says; files that it names are relative to its folder."""
    path = os.path.join(os.fsencode(folder), os.fsencode(OWN))
    if text := content(path, follow=True):
        yield source(clean(path), parsed(clean(path), text), own=True, folder=folder)


def named(file: str) -> Iterator[Source]:
    """What a file says that the user names in place of the target's; ConfigError where there is none."""
    text = content(os.fsencode(file), follow=True)
    if text is None:
        raise ConfigError(f"{clean(file)}: there is no such file; --no-config does without one")
    if os.path.basename(file) == PROJECT:
        yield from _part(clean(file), text)
    else:
        yield source(clean(file), parsed(clean(file), text), own=False)


def _part(name: str, text: bytes) -> Iterator[Source]:
    """The part of a pyproject.toml that is for oakum."""
    tool = parsed(name, text).get("tool")
    if isinstance(tool, dict) and "oakum" in tool:
        yield source(f"{name} [tool.oakum]", tool["oakum"], own=False)


def content(path: bytes, *, follow: bool) -> bytes | None:
    """The content of a regular file; None where there is none."""
    if not follow and os.path.islink(path):
        raise ConfigError(f"{clean(path)}: {LINK}")
    try:
        descriptor = os.open(path, READING & ~getattr(os, "O_NOFOLLOW", 0) if follow else READING)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise ConfigError(f"{clean(path)}: cannot be read: {e.strerror or e}") from e
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigError(f"{clean(path)}: is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ConfigError(f"{clean(path)}: is larger than {LARGEST >> 20} MiB")
    return text


def parsed(name: str, text: bytes) -> dict[str, Any]:
    """TOML as a document."""
    import tomllib  # 8 ms that a hook without a configuration has no use for

    try:
        if any(line.count(b".") > MOST_DOTS for line in text.split(b"\n")):
            raise ConfigError(f"{name}: a line with more than {MOST_DOTS} dots is not read")
        return tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError as e:
        raise ConfigError(f"{name}: is not UTF-8 (byte {e.start}); TOML is") from e
    except (ValueError, RecursionError) as e:
        raise ConfigError(f"{name}: is not valid TOML: {clean(str(e))[:200]}") from e


def source(name: str, document: object, *, own: bool, folder: str = "") -> Source:
    """What a document says; ConfigError for a mistake in it."""
    table = _table(name, document)
    push = _table(f"{name}: push", table.pop("push", {}))
    allow = table.pop("allow", [])
    if not isinstance(allow, list):
        raise ConfigError(f"{name}: allow: entries are written as [[allow]] tables")
    entries = tuple(entry(f"{name}: allow {number}", one, name) for number, one in enumerate(allow, 1))
    flat = {f'"{key}"' if "." in key else key: value for key, value in table.items()}
    flat |= {f"push.{key}": value for key, value in push.items()}
    settings = dict(_read(name, flat, SETTINGS, extra=("push", "allow")))
    for setting in SETTINGS:
        if setting.own and not own and setting.name in settings:
            why = "only the user's own configuration may set this: a target may only suppress"
            raise ConfigError(f"{name}: {setting.name}: {why}")
    if "detectors" in settings:
        paths = [os.path.join(folder, path) for path in settings["detectors"][1]]
        settings["detectors"] = (paths, tuple(paths))
    return Source(name, settings, entries)


def _table(where: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: is a table")
    return dict(value)


def entry(where: str, value: object, source: str) -> Suppression:
    """What an `[[allow]]` table says."""
    read = {name: meaning for name, (_, meaning) in _read(where, _table(where, value), ENTRY)}
    made = Suppression(**{"reason": "", "source": source, **read})
    if not made.reason:
        raise ConfigError(f"{where}: reason: is required: say why this is accepted")
    if bool(made.fingerprint) == bool(made.path or made.detector):
        raise ConfigError(f"{where}: has either a fingerprint, or a path, a detector or both of them")
    return made


def _read(
    where: str, table: Mapping[str, Any], settings: Iterable[Setting], *, extra: Iterable[str] = ()
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Of each key its value as it is written, and what that means."""
    known = {setting.name: setting for setting in settings}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{where}: {clean(key)[:60]}: there is no such setting; {_likely(key, [*known, *extra])}")
        meaning = known[key].kind.read(value)
        if meaning is None:
            raise ConfigError(
                f"{where}: {key}: {clean(repr(value))[:60]} is not allowed: expected {known[key].kind.allowed}"
            )
        yield key, (value, meaning)


def _likely(key: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(key[:60].replace("_", "-"), known, 1)
    return f"did you mean {close[0]}?" if close else f"those that are: {', '.join(known)}"
