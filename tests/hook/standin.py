"""Programs that stand in for oakum and for other hooks: each notes how it was called, all in one log."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

Call = tuple[str, list[str], bytes]
"""Who was called, its arguments, and what it was given on standard input."""

_SCRIPT = """#!/bin/sh
for one; do printf '%s\\036' "$one"; done > {log}.arguments
{{ printf '%s\\035' {label}; cat {log}.arguments; printf '\\035'; {read}; printf '\\034'; }} >> {log}
read -r code < {answer}
exit "$code"
"""


@dataclass(frozen=True)
class Program:
    """A program at a path. It answers with the exit code in its file of answers."""

    path: Path
    label: str
    log: Path

    @property
    def _answer(self) -> Path:
        return self.log.with_name(f"answer-{self.label}")

    def answer(self, code: int) -> None:
        """How it ends from now on."""
        self._answer.write_text(f"{code}\n")

    def make(self, *, reads: bool = True, mode: int = 0o755) -> bytes:
        """Put it there, answering with success; its bytes."""
        words = {"log": shlex.quote(str(self.log)), "answer": shlex.quote(str(self._answer)), "label": self.label}
        text = _SCRIPT.format(read="cat" if reads else ":", **words).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(text)
        self.path.chmod(mode)
        self.answer(0)
        return text


@dataclass(frozen=True)
class Log:
    """The calls of all of them, in order."""

    path: Path

    def program(self, path: Path, label: str) -> Program:
        """One more program, not yet there."""
        return Program(path, label, self.path)

    def calls(self) -> list[Call]:
        """All calls since the last time."""
        text = self.path.read_bytes() if self.path.exists() else b""
        self.path.unlink(missing_ok=True)
        parts = [call.split(b"\x1d") for call in text.split(b"\x1c")[:-1]]
        return [(p[0].decode(), [a.decode() for a in p[1].split(b"\x1e")[:-1]], p[2]) for p in parts]

    def who(self) -> list[str]:
        """Who was called since the last time."""
        return [label for label, _, _ in self.calls()]
