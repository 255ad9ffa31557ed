"""The types that pass between the stages, and nothing else.

Content, git paths and positions are `bytes` and byte counts until they are reported. Lines and columns count from 1,
columns in bytes, ends exclusive. Every type is frozen; a new stage means a new type.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from .canonical import canonical
from .patterns import later, later_text
from .verification import Verification

Facts = tuple[tuple[str, str], ...]
"""What can be said of a secret offline: (name, value) pairs, each name from `FACT_NAMES`."""

FACT_NAMES = frozenset(
    "access_key_id account algorithm allows audience canary checksum client_id cost created database email "
    "encrypted encryption_scope endpoint expires host identity ip issuer key_expires key_id key_size key_type "
    "mode name permissions policy port privilege problems project protocol public_key realm region resource "
    "revocation role scheme scope scopes service signature signed_by starts strength subject team tenant type "
    "unknown user version workspace".split()
)
"""The closed vocabulary of facts; a named group of a pattern or a check may give no other."""

KINDS = (
    "admin-credential",
    "access-key",
    "sas",
    "token",
    "secret",
    "password",
    "private-key",
    "connection-string",
    "webhook-url",
    "password-hash",
    "exposure",
)
SEVERITIES = ("critical", "high", "medium", "low")
BANDS = ("critical", "high", "medium", "low")
WRITERS = ("admin", "full", "write")
"""Of the fact `privilege`, what may change something."""
SIGNED_KINDS = frozenset({"sas", "webhook-url"})
"""Kinds in which stands, in clear, what they open."""
HIDDEN_KINDS = frozenset({"password", "admin-credential", "connection-string", "password-hash"})
"""Kinds of which a mask shows nothing."""


# --- what is searched -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a blob: `content` begins at byte `offset`; `last` says that the blob ends where it ends.

    A blob of ordinary size is one piece. A larger one comes in pieces, in order, that overlap by `PIECE_OVERLAP`.
    """

    content: bytes
    offset: int = 0
    last: bool = True


PIECE_SIZE = 16 << 20
PIECE_OVERLAP = 160 << 10
"""More than twice the widest detector ("block", 64 KiB), so that each match lies whole in one of two pieces."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a tree, by its path as the target was named."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Stdin:
    """What came in on standard input."""


Reach = Literal["head", "branch", "history", "unreachable", "staged"]
"""Where git still has it: at the default branch's head, at another branch's head, in the history of a branch or tag
only, outside of them (see `via`), or in the index only."""

REACH_WORDS: dict[Reach, str] = {
    "head": "at the head of the default branch",
    "staged": "staged, not committed yet",
    "branch": "at the head of another branch",
    "history": "in history only: no branch head has it, every clone does",
    "unreachable": "reached by no branch or tag",
}
"""What each reach means, for people."""


@dataclass(frozen=True, slots=True)
class GitBlob:
    """A git blob: its object id, where it stood, the first commit that brought it there, and what still reaches it.

    `path` and `commit` are empty for a blob that no commit or index names. `via` names a branch whose head has it,
    where that is not the default one; of an unreachable one it says what keeps it: a ref such as `refs/stash` or
    `refs/pull/7/head`, `reflog`, or `dangling`.
    """

    blob: str
    path: bytes = b""
    commit: str = ""
    author: str = ""
    date: str = ""
    reach: Reach = "unreachable"
    via: str = ""


@dataclass(frozen=True, slots=True)
class GitMessage:
    """A commit or an annotated tag, headers and all, or a note; `target` is the object id that carries it."""

    message: Literal["commit", "tag", "note"]
    target: str
    author: str = ""
    date: str = ""
    reach: Reach = "unreachable"
    via: str = ""


Exposure = Literal["public", "unknown", "private"]
Readers = Literal["public", "unknown", "internal", "private"]
"""Who can read a repository: anybody, all with an account of the company (`internal`), or those who were let in."""
"""Who can read what a store holds: anybody, nobody knows, or only who has a credential for it."""

EXPOSURE_WORDS: dict[Exposure, str] = {
    "public": "anybody can read it",
    "unknown": "in a store",
    "private": "in a store that only its own users can read",
}
"""What each exposure means, for people."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of a store: the store's name as the report tells it, container, key, version and etag where known."""

    store: str
    container: bytes
    key: bytes
    version: str = ""
    etag: str = ""
    exposure: Exposure = "unknown"


@dataclass(frozen=True, slots=True)
class ListingEntry:
    """What a listing says of an object: its key and, a line each, its metadata, tags and URLs.

    `listing` is the listing as the report names it; `key` is empty for what it says of a container.
    """

    listing: str
    container: bytes
    key: bytes
    exposure: Exposure = "unknown"


Origin = File | GitBlob | GitMessage | Stdin | StoredObject | ListingEntry


# --- what to look for -----------------------------------------------------------------------------------------------

Check = Callable[[bytes, Facts], "Facts | None"]
"""An offline check with its argument bound, given the value and what its pattern tells of it: the facts it found, which
stand in for those of the same name (an empty one takes it away), or None when the value fails it."""

Proof = Callable[[bytes, Facts, "bytes | None"], "bool | None"]
"""Whether a key made a signature, given the value, its facts and the key (None: the one that is public, if there is
one); None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Detector:
    """What to look for, read from a detector file (see docs/detectors.md for the fields).

    `regex` is the pattern's text and `expression` what the vectorised matcher is given of it, one a line (empty: its
    keywords), which ends between the two numbers of bytes of `ends` behind the beginning of a match and takes at most
    `expression_width` bytes; `width` is the widest match, `behind` and `ahead` the widest look-behind and look-ahead,
    all in bytes; `prefix` is the fixed text that each of its secrets begins with; `generic` marks a detector that knows
    no provider's format; `proved` one whose checks say more than "not impossible".
    `proof` tells whether a key that a detector of `proved_by` found made this one's signature. `verify` says how its
    provider is asked.
    """

    id: str
    name: str
    provider: str
    kind: str
    severity: str
    regex: str
    keywords: tuple[bytes, ...]
    width: int
    behind: int = 0
    ahead: int = 0
    prefix: bytes = b""
    expression: str = ""
    ends: tuple[int, int] = (0, 0)
    expression_width: int = 0
    checks: tuple[Check, ...] = ()
    proved: bool = False
    proof: Proof | None = None
    proved_by: tuple[str, ...] = ()
    min_entropy: float = 0.0
    parts: tuple[str, ...] = ()
    part_distance: int = 0
    part_only: bool = False
    facts: Facts = ()
    rotate: str = ""
    source: str = ""
    sample: str = ""
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()
    verify: Verification | None = None

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The compiled pattern: compiled when it is first used, as most patterns never are."""
        return _compiled(self.regex)

    @property
    def generic(self) -> bool:
        """True for a detector that goes by a name and an assignment, and knows no provider's format."""
        return self.provider == "generic"

    @property
    def specificity(self) -> int:
        """Which of several detectors names a value.

        3 with an offline check, 2 for a format of its own (a fixed prefix), 1 for one that goes by what stands around
        the value, 0 for a generic one.
        """
        return 0 if self.generic else 3 if self.proved else 2 if len(self.prefix) >= 3 else 1


@functools.cache
def _compiled(regex: str) -> re.Pattern[bytes]:
    return re.compile(regex.encode("ascii"))


MOST_RIVALS = 4
"""Other parts that a secret is told to may belong to."""


def part_fact(part: str) -> str:
    """The fact that a part of a credential becomes: what its detector's id ends with; empty where that names none."""
    words = part.split("-")
    names = ("_".join(words[first:]) for first in range(len(words)))
    return next((name for name in names if name in FACT_NAMES), "")


def is_reserved(host: str) -> bool:
    """Whether a host is one that nobody else reaches: this machine, or a name kept for examples (RFC 2606, 6761)."""
    return is_here(host) or _EXAMPLES.search(_name_of(host)) is not None


def is_here(host: str) -> bool:
    """Whether a host is this machine itself."""
    return _HERE.fullmatch(_name_of(host)) is not None


def _name_of(host: str) -> str:
    """A host without its port."""
    return (host if host.endswith("]") else host.rpartition(":")[0] or host).lower().rstrip(".")


_EXAMPLES = later_text(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid)$")
_HERE = later_text(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0|.*\.localhost")


# --- hints -----------------------------------------------------------------------------------------------------------

UNTOLD, QUIET, DEAD, LIVE = range(4)
"""What is known of a hint: nothing yet; its detector took something there, but a later test dropped all of it; it took
nothing; it has a match there."""

KnownHint = tuple[int, int, int]
"""A hint as (index of what it is for, offset), and what is known of it."""


# --- the secret -----------------------------------------------------------------------------------------------------


class Secret:
    """A secret value that does not show itself: it gives a mask and a fingerprint.

    `reveal()` is for the stages that must have the value (engine, checks, verification, `--show-secrets`); a test
    keeps it out of the rest. `prefix` is how many leading bytes are the detector's fixed prefix and may be shown;
    `hidden` says that nothing else may.
    """

    __slots__ = ("_hidden", "_prefix", "_value")

    def __init__(self, value: bytes, *, prefix: int = 0, hidden: bool = False) -> None:
        self._value = value
        self._prefix = prefix
        self._hidden = hidden

    def reveal(self) -> bytes:
        """The value itself."""
        return self._value

    def mask(self) -> str:
        """The fixed prefix, at most 4 bytes more (none of a password or of a short value), and `…[masked]`.

        Of a private key the line that says what it is.
        """
        label = _PEM_LABEL.match(self._value)
        if label:
            return label[0].decode("ascii") + "…[masked]"
        rest = len(self._value) - self._prefix
        shown = self._prefix + (0 if self._hidden else min(4, rest // 5))
        head = self._value[:shown].decode("ascii", "replace").replace("�", "?")
        return "".join(c if c.isprintable() else " " for c in head) + "…[masked]"

    def named_by(self, detector: Detector) -> Secret:
        """The same value, of which a mask shows what this detector allows."""
        prefix = len(detector.prefix) if self._value.startswith(detector.prefix) else 0
        return Secret(self._value, prefix=prefix, hidden=detector.kind in HIDDEN_KINDS)

    def canonical(self) -> bytes:
        """The value in the form that its fingerprint is made from (`canonical.py`)."""
        return canonical(self._value)

    def fingerprint(self) -> str:
        """The stable identity of the secret: 26 base32 characters, from the value alone (docs/fingerprints.md)."""
        value = self.canonical()
        if guessable(value):
            value = hashlib.scrypt(value, salt=b"oakum1", n=1 << 11, r=8, p=1, maxmem=64 << 20, dklen=32)
        return base64.b32encode(hashlib.sha256(b"oakum1" + value).digest()).decode("ascii")[:26].lower()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({self.mask()!r})"


_PEM_LABEL = later(rb"-----BEGIN [A-Z0-9 ]{1,40}-----")


def guessable(value: bytes) -> bool:
    """Whether somebody who holds a plain hash of the value could find it by trying likely ones.

    Not guessable is what plainly carries 80 random bits: 20 bytes or more, of three character classes, and close to
    the entropy of random text. Digests are guessable: a password may stand behind them. The rule looks at the value
    alone, so a better detector later never changes a fingerprint; it is frozen with the prefix `oakum1`.
    """
    if len(value) < 20 or value[:1] in b"{$":
        return True
    classes = sum(bool(re.search(c, value)) for c in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
    counts = Counter(value[:256])
    total = sum(counts.values())
    entropy = -sum(n / total * math.log2(n / total) for n in counts.values())
    return classes < 3 or entropy < 0.85 * min(math.log2(total), 5.5)


# --- what was found -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a blob: bytes `start` to `end`, and the same in lines and columns.

    `wide` is how many bytes more than UTF-16 code units stand before the start and the end in their lines (SARIF).
    """

    start: int
    end: int
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    wide: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """At most 200 bytes of the line around a secret, every match on it masked; the mask itself stands at start:end.

    `view` names the form that was decoded, where the text is not as it stands in the blob; `comment` says that the
    line is a comment, or stands in a documentation string.
    """

    text: bytes
    start: int
    end: int
    view: str = ""
    comment: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What a detector confirmed in a blob. `line` is the raw line around it, cut to a bound: it holds the secret.

    `near` are parts that are its own only because they stand near: the one among its facts, and then those that it may
    belong to instead, at most `MOST_RIVALS`. What is certain is not among them.
    """

    detector: str
    secret: Secret
    span: Span
    facts: Facts
    excerpt: Excerpt
    line: bytes = field(repr=False)
    line_at: int = 0
    previous_line: bytes = field(default=b"", repr=False)
    also: tuple[str, ...] = ()
    near: Facts = ()

    @property
    def view(self) -> str:
        """The view that it was found in; empty for the blob itself."""
        return self.excerpt.view


@dataclass(frozen=True, slots=True)
class Sighting:
    """A match that no allowlist took out, without its raw line: what a worker hands back."""

    detector: str
    also: tuple[str, ...]
    secret: Secret
    span: Span
    facts: Facts
    excerpt: Excerpt
    near: Facts = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place of a secret: one for each (path, first commit that brought it); `blobs` hold it there.

    `path_class` is the allowlists' word for the path (`test`, `docs` …); `target` names the scan's target where there
    is more than one. `readers` says who can read the repository, where a host told.
    """

    origin: Origin
    span: Span
    excerpt: Excerpt
    blobs: int = 1
    path_class: str = ""
    target: str = ""
    readers: Readers = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the provider still takes the secret: `live`, `dead`, or `unknown` with the reason.

    `facts` are what it told of a live one: identity, privilege, scopes, when it ends. `asked` is the host that said so;
    empty where none was asked."""

    state: Literal["live", "dead", "unknown"]
    reason: str
    facts: Facts = ()
    asked: str = ""

    @property
    def unsaid(self) -> bool:
        """Whether it says of a live one no more than that it is."""
        return not self.facts and self.reason.startswith(f"{self.asked} takes it")


NOT_ASKED = Verdict("unknown", "not asked")


@dataclass(frozen=True, slots=True)
class Finding:
    """One secret with all its occurrences. `folded` counts occurrences that were counted but not kept; `near` is that
    of all its matches, for who asks about it."""

    detector: Detector
    also: tuple[str, ...]
    secret: Secret
    facts: Facts
    occurrences: tuple[Occurrence, ...]
    folded: int = 0
    verdict: Verdict = NOT_ASKED
    near: Facts = ()

    @property
    def known(self) -> dict[str, str]:
        """Its facts, with what the provider told."""
        return dict(self.facts + self.verdict.facts)

    @property
    def told(self) -> str:
        """What is said of it by whom it was asked of, in a few words; of what is open to all, that it is."""
        if self.detector.kind != "exposure" or self.verdict.state != "live":
            return self.verdict.reason
        words = EXPOSURE_WORDS["public"]
        if self.known.get("privilege") in WRITERS:
            words = words.replace("read", "read and change")
        more = "" if self.verdict.unsaid else self.verdict.reason
        return more if more.startswith(words) else f"{words}; {more}" if more else words


@dataclass(frozen=True, slots=True)
class Reason:
    """One factor of a rank: its name, its value in [0, 1], and what it says to a reader."""

    factor: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class RankedFinding:
    """A finding with its identity and its place in the list: score 0 to 100, band, and the factors behind them.

    `summary` says in one line what it is and what it opens.
    """

    finding: Finding
    fingerprint: str
    score: int
    band: str
    confidence: float
    reasons: tuple[Reason, ...]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """A detector whose secrets look like a value that stands alone; `failed` says that an offline check speaks against
    it."""

    detector: Detector
    facts: Facts
    failed: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What can be said offline of some text with secrets: each of them ranked, worst first, with the word under which
    the allowlists would suppress it (empty: they would not); where there is none, what the whole text could be."""

    secrets: tuple[tuple[RankedFinding, str], ...]
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppression:
    """What somebody accepted, and why: one secret by its `fingerprint`, wherever it stands; or what stands at paths
    that fit a glob, what a `detector` finds, or both together.

    `expires` is the last day it holds; `seen` says for readers where the secret stood; `source` is the file that it is
    written in.
    """

    reason: str
    fingerprint: str = ""
    path: str = ""
    detector: str = ""
    expires: date | None = None
    by: str = ""
    seen: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class NotScanned:
    """Something that was not searched, and why. `policy` marks what was left out on purpose (not incomplete)."""

    what: bytes
    why: str
    policy: bool = False
    count: int = 1


EARLIER = "an earlier scan"
"""What `Coverage.packs` says where matches were kept from one, and only objects that came to it were searched."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was searched: counts by kind (`files`, `blobs`, `commits`, `tags`), bytes, and seconds it took.

    `copied` bytes of the others were the same as in an object searched before, and were not looked at again. `matcher`
    names the matcher that was used last, `matcher_why` says why in a word; `packs` says who read git's packs, and why;
    `asked` says of how many secrets their providers were asked, by the verdict;
    `notes` say what slowed the scan down and what to do about it.
    """

    targets: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    bytes: int = 0
    seconds: float = 0.0
    detectors: int = 0
    stages: tuple[tuple[str, float], ...] = ()
    matcher: str = ""
    matcher_why: str = ""
    notes: tuple[str, ...] = ()
    packs: str = ""
    copied: int = 0
    asked: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The end of the pipeline: findings worst first, what was not scanned, what was suppressed, what was covered.

    Of what somebody accepted, `expired` holds no longer, and `stale` matched nothing, where all was searched.
    """

    findings: Sequence[RankedFinding]
    not_scanned: Sequence[NotScanned]
    suppressed: tuple[tuple[str, int], ...]
    dropped: tuple[tuple[str, int], ...]
    coverage: Coverage
    started: datetime
    below_band: int = 0
    interrupted: bool = False
    expired: tuple[Suppression, ...] = ()
    stale: tuple[Suppression, ...] = ()

    @property
    def complete(self) -> bool:
        """True when nothing that should have been searched was left out."""
        return not self.interrupted and all(n.policy for n in self.not_scanned)


# --- text for people ------------------------------------------------------------------------------------------------

UNSAFE = "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
"""Characters that would act on a terminal or change how text is read: control and bidirectional ones, line breaks."""


def clean(text: bytes | str) -> str:
    """Text that is safe on a terminal: control and bidirectional characters as escapes, other than UTF-8 as U+FFFD."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text.isprintable():  # none of them is
        return text
    return re.sub(UNSAFE, lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)
