"""The user's cache folder: what is dear to make and cheap to check. Never values of secrets, never in a target.

A file is its SHA-256 and the content behind it, written under another name and put in its place, so that a reader sees
a whole file or none, whoever else writes. The folder is ours alone (mode 0700) or it is not used: its files are handed
to a library that trusts them. Whatever goes wrong costs time, never a scan; `problem` says what it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat

LARGEST = 64 << 20
"""Bytes of a file that is read."""
MOST = 24
"""Files that are kept; the oldest go."""
_HEAD = 32
READING = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
"""How a file is opened that may be none: a link at its end is not followed, a FIFO not waited for."""


class Cache:
    """Small files by name in one folder. Without a folder it keeps nothing."""

    def __init__(self, folder: str = "", *, most: int = MOST) -> None:
        self._folder, self._most = folder, most
        self._usable: bool | None = None if folder else False
        self.problem = ""
        """Why the folder is not used, or could not be written; what to do about it."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none, or a damaged one."""
        if not self._ready():
            return None
        try:
            descriptor = os.open(self._path(name), READING)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return None
                content = file.read(LARGEST)
        except OSError:
            return None
        head, body = content[:_HEAD], content[_HEAD:]
        return body if hashlib.sha256(body).digest() == head else None

    def write(self, name: str, *content: bytes) -> None:
        """Keep a file of these parts, in place of an older one."""
        if not self._ready():
            return
        import tempfile

        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")
            with os.fdopen(descriptor, "wb") as file:
                digest = hashlib.sha256()
                for part in content:
                    digest.update(part)
                file.write(digest.digest())
                file.writelines(content)
            os.replace(temporary, self._path(name))
            self._forget_oldest()
        except OSError as e:
            self._refuse(f"cannot be written ({e.strerror or e})")
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def below(self, name: str, *, most: int) -> Cache:
        """A folder of its own in this one."""
        return Cache(os.path.join(self._folder, name) if self._ready() else "", most=most)

    @property
    def usable(self) -> bool:
        """Whether anything can be kept."""
        return self._ready()

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _ready(self) -> bool:
        """Whether the folder is there, made now if need be, and nobody else's."""
        if self._usable is None:
            self._usable = True
            try:
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
                found = os.stat(self._folder)
            except OSError as e:
                self._refuse(f"cannot be made ({e.strerror or e})")
                return False
            if not stat.S_ISDIR(found.st_mode):
                self._refuse("is no folder")
            elif hasattr(os, "getuid") and found.st_uid != os.getuid():
                self._refuse("belongs to somebody else")
            elif os.name == "posix" and found.st_mode & 0o022:
                self._refuse("can be written by others (chmod 700 mends that)")
        return self._usable

    def _refuse(self, why: str) -> None:
        self._usable = False
        self.problem = f"the cache folder {self._folder} {why}; set XDG_CACHE_HOME to another, or use --no-cache"

    def _forget_oldest(self) -> None:
        with os.scandir(self._folder) as entries:
            files = sorted((entry.stat().st_mtime, entry.path) for entry in entries if entry.is_file())
        for _, path in files[: -self._most]:
            os.unlink(path)
