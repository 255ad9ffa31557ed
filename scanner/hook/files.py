"""Files of hooks: read without being led astray, and written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile

from ..cache import READING
from ..errors import HookError
from ..model import clean

MOST = 1 << 20
"""Bytes of a file that are read: hooks and settings are texts."""


def shown(path: str) -> str:
    """A path, fit to be shown."""
    return clean(os.fsencode(path))


def read(path: str, *, whole: bool = False) -> bytes | None:
    """The content of a file, or its first part; empty where a link is there, None where nothing is.

    HookError where it is something else (a folder, a FIFO), cannot be read, or is asked for `whole` and too large.
    """
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return b""
        if not stat.S_ISREG(mode):
            raise HookError(f"{shown(path)} is no file: take it away first")
        with os.fdopen(os.open(path, READING), "rb") as file:
            content = file.read(MOST)
            if whole and file.read(1):
                raise HookError(f"{shown(path)} is too large to be changed: call oakum from it yourself")
            return content
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise HookError(f"{shown(path)} cannot be read: {e.strerror or e}") from e


def write(path: str, content: bytes, *, mode: int = 0o755, aside: str = "") -> None:
    """Put a file in place, its folders made if need be; what is there now goes to the path `aside`, if one is given.

    Whoever looks finds the file before or the one after. HookError when that fails, with all as it was.
    """
    temporary, moved = "", False
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".oakum-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, mode)
        if aside:
            os.rename(path, aside)
            moved = True
        os.replace(temporary, path)
    except OSError as e:
        with contextlib.suppress(OSError):
            if moved:
                os.rename(aside, path)
            os.unlink(temporary)
        raise HookError(f"{shown(path)} cannot be written: {e.strerror or e}. Nothing was changed there") from e


def remove(path: str, *, back: str = "") -> None:
    """Delete a file, or put the one at the path `back` in its place."""
    try:
        if back:
            os.replace(back, path)
        else:
            os.unlink(path)
    except OSError as e:
        raise HookError(f"{shown(path)} cannot be taken away: {e.strerror or e}") from e


def runs(path: str) -> bool:
    """Whether a file can be executed, as the shell sees it."""
    return os.path.isfile(path) and os.access(path, os.X_OK)
