r"""Names as programs write them: with escapes as in C (`\n`, `\377`, `\ `), or quoted for a shell (`'a'$'\n''b'`).

Source: https://www.gnu.org/software/coreutils/manual/html_node/Formatting-the-file-names.html.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|[^\n])")
_CONTROLS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_QUOTED = re.compile(rb"""\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL)


def unescaped(name: bytes) -> bytes:
    """A name without the escapes of C."""
    return _ESCAPE.sub(_meant, name) if b"\\" in name else name


def without_octal(name: bytes) -> bytes:
    """A name without its octal escapes (`\\012`), a backslash before anything else being one."""
    return _OCTAL.sub(_meant, name) if b"\\" in name else name


def unquoted(name: bytes) -> bytes:
    """A name that is quoted for a shell, as it is."""
    return _QUOTED.sub(_part, name)


def _meant(escape: re.Match[bytes]) -> bytes:
    said = escape[1]
    return bytes([int(said, 8)]) if len(said) == 3 else _CONTROLS.get(said, said)


def _part(part: re.Match[bytes]) -> bytes:
    for escaped in (part[1], part[3]):
        if escaped is not None:
            return unescaped(escaped)
    return part[2] if part[2] is not None else part[4]
