"""Names in commands: of files as git takes them, and of anything as a shell does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_MASK = "…[masked]".encode()


def pathspecs(paths: Iterable[bytes], *, below: bool) -> str:
    """Files for a command line, each once, from a folder `below` the top of the work tree too."""
    return " ".join(dict.fromkeys(quoted(_pathspec(path, below=below)) for path in paths if path))


def _pathspec(path: bytes, *, below: bool) -> bytes:
    """A file as git takes it, from a folder `below` the top of the work tree too. A masked part matches anything.

    Source: gitglossary(7), pathspec.
    """
    masked = _MASK in path
    if masked:
        path = b"*".join(re.sub(rb"([*?\[\\])", rb"\\\1", part) for part in path.split(_MASK))
    odd = path.startswith(b":") or (not masked and re.search(rb"[*?\[\\]", path))
    magic = [*([b"top"] if below else []), *([b"glob" if masked else b"literal"] if odd else [])]
    if magic == [b"top"] and path[:1].isalnum():
        return b":/" + path
    return b":(" + b",".join(magic) + b")" + path if magic else path


def quoted(name: bytes) -> str:
    """A name for a POSIX shell; one that is not plain text as its escapes, which a shell takes in `$'…'`."""
    text = name.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in name) + "'"
