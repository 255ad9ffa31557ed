"""Entries written into a configuration file in a form that git merges: what two people accept seldom collides.

Each entry is a block of its own, with the key first that tells it from others, sorted by that, and an empty line before
it. Everything else of the file stays as it is, byte for byte; a comment right above a table belongs to it. (Libraries
that keep the layout of TOML leave such a comment to the entry before, and lose empty lines.)
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ..errors import ConfigError
from ..model import UNSAFE, Suppression, clean
from . import files
from .settings import ENTRY

Identity = tuple[str, str, str]
"""What tells an entry from others: fingerprint, path, detector."""

_TABLE = re.compile(r"[ \t]*\[.*\][ \t]*(?:#.*)?$")
_ENTRY = re.compile(r"^[ \t]*\[\[[ \t]*allow[ \t]*\]\]", re.MULTILINE)


def accept(path: bytes, entries: Iterable[Suppression]) -> list[bool]:
    """Write entries into a file, which need not be there yet; of each, whether it took the place of an older one (where
    that was seen is kept).

    ConfigError for a file that holds a mistake, that is a symbolic link, or that cannot be written.
    """
    name, content = clean(path), files.content(path, follow=False) or b""
    document = files.parsed(name, content)
    files.source(name, document, own=False)
    said: dict[int, dict[str, Any]] = dict(enumerate(document.pop("allow", [])))
    text = content.decode()
    windows = 0 < text.count("\n") == text.count("\r\n")
    blocks = _blocks(text.replace("\r\n", "\n") if windows else text)
    replaced = []
    for entry in entries:
        known = [number for number, one in said.items() if _identity(one) == _identity(keys(entry))]
        if known and not entry.seen:
            entry = replace(entry, seen=said[known[0]].get("seen", ""))
        said[known[0] if known else len(said)] = keys(entry)
        replaced.append(bool(known))
        _put(blocks, entry)
    text = "".join(block.text for block in blocks)
    if not _says(text, document, said.values()):
        raise ConfigError(f"{name}: is written in a way that oakum does not change; write [[allow]] tables at its end")
    _write(path, (text.replace("\n", "\r\n") if windows else text).encode())
    return replaced


def keys(entry: Suppression) -> dict[str, Any]:
    """What a file says of an entry, in the order in which it is written."""
    return {key.name: value for key in ENTRY if (value := getattr(entry, key.name))}


def written(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, date):
        return value.isoformat()
    return re.sub(UNSAFE, lambda m: f"\\u{ord(m[0]):04x}", json.dumps(value, ensure_ascii=False))


def block_of(entry: Suppression) -> str:
    """An entry as it is written."""
    return "".join(["[[allow]]\n", *(f"{key} = {written(value)}\n" for key, value in keys(entry).items())])


@dataclass(slots=True)
class _Block:
    """A part of a file: an entry, with the comments above it and what stands between it and the next table; or another
    table; or what stands before all tables."""

    text: str
    identity: Identity | None = None


def _blocks(text: str) -> list[_Block]:
    lines, starts = re.findall(r".*\n|.+", text), [0]
    for at, line in enumerate(lines):
        if _TABLE.match(line):
            start = at
            while start > starts[-1] and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            starts.append(start)
    parts = ("".join(lines[start:stop]) for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True))
    return [_Block(part, _identity_of(part)) for part in parts if part]


def _identity_of(part: str) -> Identity | None:
    if not _ENTRY.search(part):
        return None
    try:
        (table,) = files.parsed("", part.encode())["allow"]
    except ConfigError:  # a line of a text that only looks like the beginning of a table
        return None
    return _identity(table)


def _identity(table: dict[str, Any]) -> Identity:
    return table.get("fingerprint", ""), table.get("path", ""), table.get("detector", "")


def _put(blocks: list[_Block], entry: Suppression) -> None:
    """Put an entry in the place of an older one, or where the order has it."""
    new, identity = block_of(entry), _identity(keys(entry))
    for block in blocks:
        if block.identity == identity:
            lines = block.text.split("\n")
            said = [at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
            lines[said[0] : said[-1] + 1] = new.rstrip("\n").split("\n")
            block.text = "\n".join(lines)
            return
    entries = [at for at, block in enumerate(blocks) if block.identity]
    at = next(
        (at for at in entries if (blocks[at].identity or identity) > identity),
        entries[-1] + 1 if entries else len(blocks),
    )
    if at:
        above = blocks[at - 1]
        above.text += "" if above.text.endswith("\n\n") else "\n" if above.text.endswith("\n") else "\n\n"
    blocks.insert(at, _Block(new + ("\n" if at < len(blocks) else ""), identity))


def _says(text: str, document: dict[str, Any], entries: Iterable[dict[str, Any]]) -> bool:
    """Whether a text says what a document does, and these entries in any order."""
    try:
        changed = files.parsed("", text.encode())
    except ConfigError:
        return False
    found, expected = (
        sorted(repr(sorted(entry.items())) for entry in some) for some in (changed.pop("allow", []), entries)
    )
    return found == expected and changed == document


def _write(path: bytes, content: bytes) -> None:
    """Put a file in the place of another, whole or not at all; its mode stays."""
    if len(content) > files.LARGEST:
        raise ConfigError(f"{clean(path)}: would be larger than {files.LARGEST >> 20} MiB, and is not read then")
    temporary = path + b"." + os.urandom(4).hex().encode()
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(content)
            if os.path.exists(path):
                os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except OSError as e:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise ConfigError(f"{clean(path)}: cannot be written: {e.strerror or e}") from e
