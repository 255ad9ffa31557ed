"""A lock between processes: a file that the kernel knows as locked until its holder gives it back, or dies."""

from __future__ import annotations

import os
import sys


class Lock:
    """A file of the name that is locked while somebody holds it. It stays there: to delete one that another has just
    opened would give both of them a lock."""

    def __init__(self, path: bytes) -> None:
        self._path = path
        self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """Of the file: a process that inherits it holds the lock, too."""
        return self._descriptor

    def take(self) -> bool:
        """Take it, if nobody has it; whether we have it now."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            if _locked(descriptor):
                self._descriptor, descriptor = descriptor, -1
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return self._descriptor >= 0

    def give_back(self) -> None:
        """Let others have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)  # which unlocks it, unless a git of ours lives on that has it, too
            self._descriptor = -1


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
