"""Patterns that are compiled when they are first used: most runs use few, and each takes part of a millisecond."""

from __future__ import annotations

import re
from typing import Any, cast


class Later:
    """Stands in for a compiled pattern, and takes over its methods once one is asked for."""

    def __init__(self, text: Any, flags: int) -> None:
        self.pattern, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self._flags)
        for method in ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def later(text: bytes, flags: int = 0) -> re.Pattern[bytes]:
    """A pattern over bytes."""
    return cast("re.Pattern[bytes]", Later(text, flags))


def later_text(text: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern over text."""
    return cast("re.Pattern[str]", Later(text, flags))
