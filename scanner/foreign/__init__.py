"""Files of other scanners that say what to pass over: recognised, and read into entries of one form.

Nothing is looked for here: what a place holds, and which detector means the same as a rule, `pipeline/adopt.py` finds
out. Formats are written down from the documentation of those scanners and from what they write.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..errors import ForeignError
from ..model import clean
from . import detect_secrets, gitleaks, kingfisher, trufflehog
from .entries import Entry, Excluded, Known, Unmapped, shown

__all__ = ["KINDS", "MOST", "Entry", "Excluded", "Known", "Unmapped", "read"]

MOST = 16 << 20
"""Bytes of a file."""

Parse = Callable[[str, bytes], Iterator[Entry]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of file: the scanner it is for, how it is told by its name or by its content, and what reads it."""

    kind: str
    name: str
    content: bytes
    parse: Parse


_NEVER, _NONE = rb"(?!)", r"(?!)"
FORMS = (
    Form("gitleaks", _NONE, rb'\A\s*\[(?s:.*)"RuleID"', gitleaks.report),
    Form("gitleaks", r"leaks\.toml$", rb"(?m)^\s*\[+(?:rules\.)?(?:allowlists?|extend)\]", gitleaks.configuration),
    Form("gitleaks", r"leaksignore$", _NEVER, gitleaks.ignore_file),
    Form("detect-secrets", r"secrets\.baseline", rb'\A\s*\{(?s:.*)"hashed_secret"', detect_secrets.baseline),
    Form("trufflehog", _NONE, rb'\A\s*[\[{](?s:.*)"SourceMetadata"', trufflehog.report),
    Form("kingfisher", _NONE, rb"(?m)^(?:ExactFindings|fingerprint_algorithm):", kingfisher.baseline),
    Form("trufflehog", _NONE, _NEVER, trufflehog.exclude_paths),
)
"""A file is of the first form that its name tells, or else its content. The last of a kind is for what is said to be of
that kind, and tells by nothing which form it has."""
KINDS = ("betterleaks", *dict.fromkeys(form.kind for form in FORMS))


def read(name: str, content: bytes, kind: str = "") -> list[Entry]:
    """The entries of a file, their texts fit to be shown. `kind` is one of `KINDS`, or empty: then it is recognised.

    ForeignError for one that is damaged, too large, or of no known form.
    """
    name = clean(os.path.basename(name))
    if len(content) > MOST:
        raise ForeignError(f"{name}: is larger than {MOST >> 20} MiB; split it, and import the parts one by one")
    content = _as_utf8(content)
    entries = _form(name, content, "gitleaks" if kind == "betterleaks" else kind).parse(name, content)
    return [_fit(entry) for entry in entries]


def _form(name: str, content: bytes, kind: str) -> Form:
    meant = [form for form in FORMS if kind in ("", form.kind)]
    fitting = [form for form in meant if re.search(form.name, name, re.IGNORECASE)]
    fitting = fitting or [form for form in meant if re.search(form.content, content)]
    for form in fitting or (meant[-1:] if kind else ()):
        return form
    raise ForeignError(f"{name}: is of no form that is known; say whose it is with --kind ({', '.join(KINDS)})")


def _as_utf8(content: bytes) -> bytes:
    """Text that begins with a byte order mark, as PowerShell writes it, without one."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace").encode("utf-8", "replace")
    return content


def _fit(entry: Entry) -> Entry:
    if isinstance(entry, Unmapped):
        return Unmapped(shown(entry.says), clean(entry.why))
    return replace(entry, says=shown(entry.says))
