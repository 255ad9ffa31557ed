"""Signed URLs in another form, decoded: escaped for HTML, JSON or a shell, percent-encoded as a whole, in
quoted-printable text, put together from several strings, or broken over lines.

Their parameters are separated by `&`, and just that is what most formats escape. Where the name of such a parameter
stands, the text around it is decoded, `REACH` bytes each way. Kept are the words (what stands between blanks, quotes
and angle brackets) that hold such a name and read otherwise than they stand there, each with some of its line: what is
not escaped gives nothing, as the text itself is searched anyway. All work is linear in the text.

Of lines and strings that stand beside each other it is not always said that they belong together. They do until a
signed URL is whole; from there on only what looks like more of it, or where all lines are full, or in brackets.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

from ..patterns import later

Segment = tuple[int, int, int, int, int]
"""(start in the view, end in the view, start in the original, view unit, original unit): base64 is (…, 3, 4)."""
Line = tuple[bytes, tuple[Segment, ...]]
"""A line of a view, and where its bytes come from."""
Joint = tuple[int, int, str]
"""(place in a decoded text, column in the original, sort) of where two pieces meet that may not belong together.
Sorts: `line`, where a line just ends; `next`, where a sign says that it goes on; `beside` and `below`, where strings
have nothing between them but blanks, or a new line."""

REACH = 6144
"""Bytes that are decoded before such a name, and from it on."""
CONTEXT = 256
"""Bytes of the line that are kept on both sides of a word, as they are: they tell what it is."""

# --- where to look --------------------------------------------------------------------------------------------------

_SIGNS = (
    *("=", "%3d", "%253d", "\\u003d", "\\\\u003d", "\\x3d", "\\\\x3d", "\\=", "\\\\="),
    *(ampersand + name for ampersand in ("&", "&amp;") for name in ("#61;", "#061;", "#x3d;", "#x003d;", "equals;")),
)
"""How an equals sign is written, in small letters."""
_EQUALS = f"(?i:{'|'.join(map(re.escape, _SIGNS))})"
_SIGN = r"(?:[A-Za-z0-9+/~_-]|%2[BFbf]|%252[BFbf]|\\/|\\u00)"
_NAMED = (
    ("sig", r"[A-Za-z0-9+/~_%\\&#;-]{7}", "sig", ""),
    ("s[etv]", "20[0-9][0-9]", "se", "20"),
    ("[Ss]ignature", rf"{_SIGN}{{16}}", "signature", ""),
    ("[Cc]redential", "[A-Za-z0-9]{8}", "credential", ""),
    ("AccessKeyId", "[A-Za-z0-9]{8}", "accesskeyid", ""),
    ("AccessId", "[A-Za-z0-9]{4}", "accessid", ""),
    ("Pair-Id", "[A-Z0-9]{6}", "pair-id", ""),
)
"""Names of signed URLs' parameters, or their ends, and how their values begin; the same as small-letter literals. Each
kind of URL has several of them: one may be cut in two by the end of a line."""
_OTHERS = (
    *("s[etv]=3[Dd]20[0-9][0-9]", r"haredAccessSignature(?:\x20|\+|%20)[a-z]"),
    *("(?:[?&;=]|3[Dd])sig=", r"(?:[?&]|(?:[Aa][Mm][Pp]|38|26);|Signature=(?:3D)?)s(?:ig?)?(?:[\"'`\\^\r\n]|=\r?\n)"),
)
"""The last two are the name `sig` where a string or line ends within: of pieces of 12 bytes and more one holds it, with
the begin of its value, or it is cut like this."""
EXPRESSION = "\n".join([*(name + _EQUALS + value for name, value, _, _ in _NAMED), *_OTHERS])
_LITERALS = (*((name, value) for _, _, name, value in _NAMED), ("st", "20"), ("sv", "20"))
KEYWORDS = (
    *((name + sign + value).encode() for name, value in _LITERALS for sign in _SIGNS),
    *(b"se=3d20", b"st=3d20", b"sv=3d20"),
    *(b"haredaccesssignature ", b"haredaccesssignature+", b"haredaccesssignature%20"),
    *(b"=sig=", b"3dsig="),
    *(
        (before + name + end).encode()
        for before in ("?", "&", "amp;", "38;", "26;", "signature=", "signature=3d")
        for name in ("s", "si", "sig")
        for end in "\"'`\\^\r\n="
    ),
)
_HEAD = later("|".join(f"(?:{one})" for one in EXPRESSION.split("\n")).encode())
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"
_SOFT = later(rb"=(?:3[Dd]|\r?\n)")
_HEAD_REACH = 160
"""Bytes between a head's beginning and where a matcher points to it, at most."""
AROUND = REACH + CONTEXT + _HEAD_REACH
"""Bytes each way of where a matcher points that decide what is shown of it."""

# --- how it is decoded ----------------------------------------------------------------------------------------------

_URL = rb"A-Za-z0-9%&=?._~:/+,;$@!*()-"
_PLAIN = later(
    rb"(?P<html>&(?:(?i:amp|quot|apos|lt|gt)|equals|plus|sol|percnt|#0{0,4}[0-9]{2,3}|#[Xx]0{0,4}[0-9A-Fa-f]{2});)"
    rb"|\\u00(?P<unicode>[0-7][0-9A-Fa-f])|\\x(?P<hex>[0-7][0-9A-Fa-f])"
    rb"|(?P<join>(?:[\"']|(?P<backtick>`))"
    rb"(?P<between>[ \t\r\n\\_]{0,80}+(?:\+\+?|\.\.?|&|\|\||<>|~)?[ \t\r\n\\_]{0,80}+)"
    rb"[bBrRuUfF@$]{0,2}(?(backtick)`|[\"']))"
    rb"|\\(?P<slash>[/&=?%+:;.,!~*#$()@\"'\\_-])|[`^](?P<shell>[&=?%+;|<>$()])|%(?P<batch>%)(?=[0-9A-Fa-f]{2})"
    rb"|(?P<next>[\\`^]\r?\n[ \t]{0,80})"
)
_BROKEN = later(
    rb"(?P<line>(?<=[%b])[ \t]{0,8}\r?\n[ \t]{0,80}(?:[>#*|]{1,3}[ \t]{1,8}|//[ \t]{1,8})?(?=[%b]))|" % (_URL, _URL)
    + _PLAIN.pattern
)
_PERCENT = later(rb"%([0-9A-Fa-f]{2})")
_PERCENT_WORD = later(rb"[A-Za-z0-9%._~:/+@!*(),;|$-]+")
_QUOTED = later(rb"=([0-9A-F]{2})|=[ \t]{0,8}\r?\n")
_STILL_QUOTED = later(rb"(?<![A-Za-z])s(?:[eprstv]|ip|pr)=3D|Signature=3D|[a-z]=3D[^&]{0,80}&[a-z]{1,8}=3D")
_WORD = later(rb"(?:haredAccessSignature )?[^\s\"'<>]+")
_BEGUN = later(rb"[^\s\"'<>]*")
_NAME = later(rb"(?:sig|s[etnv]|ex|[Ss]ignature|[Cc]redential|AccessKeyId|AccessId|Pair-Id)" + _EQUALS.encode())
_HTML = {b"&amp;": b"&", b"&quot;": b'"', b"&apos;": b"'", b"&lt;": b"<", b"&gt;": b">"}
_HTML |= {b"&equals;": b"=", b"&plus;": b"+", b"&sol;": b"/", b"&percnt;": b"%"}

# --- what belongs together ------------------------------------------------------------------------------------------

_DATE = rb"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_PART = later(
    rb"(?P<version>sv=%b)|(?P<end>se=%b)|(?P<policy>si=.)|(?P<what>s[pr]=[a-z])"
    % (_DATE, _DATE)
    + rb"|(?P<sas>sig=(?:[A-Za-z0-9+/]|%2[BFbf]){43}(?:=|%3[Dd]))"
    rb"|(?P<key>[Cc]redential=|AccessKeyId=|AccessId=)|(?P<until>[Ee]xpires=[0-9])"
    rb"|(?P<signature>[Ss]ignature=(?:[0-9a-f]{64}(?![0-9a-f])|(?:[A-Za-z0-9+/]|%2[BFbf]){27,}(?:=|%3[Dd])))"
)
_COMPLETE = (
    frozenset(("version", "end", "what", "sas")),
    frozenset(("version", "policy", "sas")),
    frozenset(("key", "until", "signature")),
)
"""What a signed URL must have, by kind."""
_OPEN = later(rb"(?:[?&;][A-Za-z-]{0,24}=?|ature=[a-z]{0,8}|%[0-9A-Fa-f]?)\Z")
"""How a piece ends that goes on."""
_GOES_ON = later(rb"[A-Za-z0-9._~:/+,$@!*-]{0,250}[&%]|T[0-9]{2}:")
"""How one begins that belongs to what stands before it."""
_BEGINS = later(rb"(?:https?|wasbs?|abfss?|s3|gs|oss)://|[A-Za-z][A-Za-z0-9_.-]{0,40}=[A-Za-z0-9/%$._-]")
_ANOTHER = later(_BEGINS.pattern + rb"|[A-Za-z0-9._~/%+-]{0,250}\?")
"""How one begins that does not; and one behind a complete URL."""
_END = later(rb"[ \t]{0,8}(?:[\"'`)>\]},\r\n]|\Z)")
_PAIRS = (b'""', b"''", b"<>", b"``", b"()")


def unescaped(buffer: bytes, found: Sequence[int]) -> Iterator[Line]:
    """The lines of the view; `found` says where the matcher saw a head."""
    heads = _heads(buffer, found)
    encoded = [at for at, percent, _ in heads if percent]
    for low, high in _regions(encoded, len(buffer)):
        for word in _PERCENT_WORD.finditer(buffer, low, high):
            start, end = word.span()
            if (start > low or not low) and (end < high or end == len(buffer)) and _HEAD.search(word[0]):
                yield from _words(buffer, _Decoded(buffer, start, end, _PERCENT, _byte), between=b" ", whole=True)
    others = [at for at, percent, _ in heads if not percent]
    for low, high in _regions(others, len(buffer)):
        yield from _words(buffer, _Decoded(buffer, low, high, _PLAIN, _character))
        yield from _words(buffer, _Decoded(buffer, low, high, _BROKEN, _character), broken=True)
    for low, high in _regions([at for at, _, quoted in heads if quoted], len(buffer)):
        yield from _words(buffer, _Decoded(buffer, low, high, _QUOTED, _byte), between=b" ")


def _heads(buffer: bytes, found: Sequence[int]) -> list[tuple[int, bool, bool]]:
    """(place, whether its equals sign is percent-encoded, whether it may be quoted-printable) of each head."""
    heads: list[tuple[int, bool, bool]] = []
    done = 0
    for at in sorted(found):
        for head in _HEAD.finditer(buffer, max(at - _HEAD_REACH, done), min(at + _HEAD_REACH, len(buffer))):
            done = head.start() + 1
            sign = head.end() - len(head[0].lstrip(_LETTERS))
            soft = _SOFT.search(buffer, head.start(), head.end() + 2)
            heads.append((head.start(), buffer.startswith(b"%", sign), soft is not None))
    return heads


def _regions(places: Sequence[int], length: int) -> Iterator[tuple[int, int]]:
    """What lies around the places, joined where it overlaps, up to a bound: what is decoded is in memory at once."""
    low = high = -1
    for at in places:
        if low >= 0 and at - REACH <= high and at - low <= 16 * REACH:
            high = min(at + REACH, length)
            continue
        if low >= 0:
            yield low, high
        low, high = max(0, at - REACH), min(at + REACH, length)
    if low >= 0:
        yield low, high


class _Decoded:
    """A stretch of a buffer, decoded, with where each byte comes from.

    `changes` are where something was decoded, `joints` where pieces meet that may not belong together.
    """

    def __init__(
        self,
        buffer: bytes,
        low: int,
        high: int,
        pattern: re.Pattern[bytes],
        decode: Callable[[re.Match[bytes]], bytes | None],
    ) -> None:
        self._whole = (low == 0, high == len(buffer))
        self.text = bytearray()
        self.segments: list[Segment] = []
        self.changes: list[int] = []
        self.joints: list[Joint] = []
        at = low
        for one in pattern.finditer(buffer, low, high):
            new = decode(one)
            if new is None:
                continue
            self._copy(buffer, at, one.start())
            at = one.end()
            self.changes.append(len(self.text))
            if new:
                self.segments.append((len(self.text), len(self.text) + len(new), one.start(), len(new), len(one[0])))
                self.text += new
            elif sort := _sort(one):
                self.joints.append((len(self.text), _column(buffer, one.start()), sort))
        self._copy(buffer, at, high)

    def _copy(self, buffer: bytes, low: int, high: int) -> None:
        if high > low:
            self.segments.append((len(self.text), len(self.text) + high - low, low, 1, 1))
            self.text += buffer[low:high]

    def is_cut(self, start: int, end: int) -> bool:
        """Whether a word of the text may go on outside of it."""
        return not (start or self._whole[0]) or not (end < len(self.text) or self._whole[1])

    def part(self, start: int, end: int, offset: int) -> tuple[Segment, ...]:
        """The segments of a stretch of the text, moved to begin at `offset`."""
        first = bisect_right(self.segments, start, key=lambda s: s[1])
        out: list[Segment] = []
        for place in range(first, len(self.segments)):
            begin, stop, source, unit, width = self.segments[place]
            if begin >= end:
                break
            low, high = max(begin, start), min(stop, end)
            at = source + (low - begin if width == 1 else 0)
            out.append((low - start + offset, high - start + offset, at, unit, width))
        return tuple(out)

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the text comes from."""
        (_, _, low, _, _), (_, _, last, _, width) = self.part(start, start + 1, 0) + self.part(end - 1, end, 0)
        return low, last + width


def _column(buffer: bytes, at: int) -> int:
    """Where on its line a place is; -1 where that line is long."""
    newline = buffer.rfind(b"\n", max(0, at - CONTEXT), at)
    return at - newline if newline >= 0 or at <= CONTEXT else -1


def _words(
    buffer: bytes, decoded: _Decoded, *, between: bytes = b"", broken: bool = False, whole: bool = False
) -> Iterator[Line]:
    """The words that hold the name of a parameter and were changed; with `broken` those put together from lines.
    `between` separates a word from what stands behind it; `whole` says that no word is cut where the stretch begins or
    ends."""
    marks = [at for at, _, sort in decoded.joints if sort == "line"] if broken else decoded.changes

    def changed(start: int, end: int) -> bool:
        first = (bisect_right if broken else bisect_left)(marks, start)
        return first < len(marks) and marks[first] < end and _NAME.search(decoded.text, start, end) is not None

    for word in _WORD.finditer(decoded.text) if marks else ():
        if not changed(*word.span()) or (not whole and decoded.is_cut(*word.span())):
            continue  # of what is cut another stretch has the word, or it is too long
        low, high = decoded.source(*word.span())
        if high - low >= REACH:
            continue  # it depends on more than what lies around its head
        for start, end in _pieces(buffer, decoded, *word.span()):
            if changed(start, end) and not _STILL_QUOTED.search(decoded.text, start, end):
                yield _line(buffer, decoded, start, end, between)


def _pieces(buffer: bytes, decoded: _Decoded, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A word, cut where a signed URL is whole and what follows is another text."""
    text, joints = decoded.text, decoded.joints
    first = bisect_right(joints, start, key=lambda joint: joint[0])
    joints = joints[first : bisect_left(joints, end, key=lambda joint: joint[0])]
    lengths = [-1, *(_length(joints, place) for place in range(len(joints))), -1]
    low, high = decoded.source(start, end)
    edges = (buffer[max(0, low - 1) : low] + buffer[high : high + 1], buffer[low : low + 1] + buffer[high - 1 : high])
    enclosed = any(pair in edges for pair in _PAIRS) or (edges[1][1:] == b")" and text.find(b"](", start, end) >= 0)
    whole = _whole(text, start, end)
    for place, (at, _, sort) in enumerate(joints):
        if at < whole or _is_open(text, start, at) or (enclosed and sort in ("line", "next")):
            continue
        before, length, behind = lengths[place : place + 3]
        full = length >= 0 and (length == before or (length == behind and (length > before or place == 1)))
        goes_on = full or _GOES_ON.match(text, at, end) or (sort == "below" and text[at : at + 1] not in b"-./@$")
        if not goes_on or _ANOTHER.match(text, at, end):
            yield start, at
            start, whole = at, _whole(text, at, end)
    if whole > end and not enclosed and joints and joints[-1][2] == "line" and not _END.match(buffer, high):
        end = max(start, joints[-1][0])  # more words follow: none of them belongs to it
    yield start, end


def _length(joints: Sequence[Joint], place: int) -> int:
    """How long the line before a joint is, or on one line the string; -1 where that is not known."""
    at, column, sort = joints[place]
    if sort != "beside":
        return column
    return at - joints[place - 1][0] if place else -1


def _whole(text: bytearray, start: int, end: int) -> int:
    """Where all has been seen that a signed URL must have."""
    seen: set[str | None] = set()
    for part in _PART.finditer(text, start, end):
        seen.add(part.lastgroup)
        if any(kind <= seen for kind in _COMPLETE):
            return part.end()
    return end + 1


def _is_open(text: bytes | bytearray, start: int, at: int) -> bool:
    """Whether a piece that ends there goes on."""
    return _OPEN.search(text, max(start, at - 32), at) is not None


def _line(buffer: bytes, decoded: _Decoded, start: int, end: int, between: bytes) -> Line:
    """A word with what stands before and behind it on its line; behind that a line of its own, so that it goes on in no
    other word's line."""
    low, high = decoded.source(start, end)
    before = buffer[max(0, low - CONTEXT) : low].rpartition(b"\n")[2]
    behind = buffer[high : high + CONTEXT].partition(b"\n")[0].rstrip(b"\r")
    # Of a word that is cut there nothing is kept: the half of another URL could be taken for one.
    before = _BEGUN.sub(b"", before, 1) if len(before) == CONTEXT else before
    behind = _BEGUN.sub(b"", behind[::-1], 1)[::-1] if len(behind) == CONTEXT else behind
    text = before + bytes(decoded.text[start:end]) + between + behind + b"\n\x1f"
    moved = decoded.part(start, end, len(before))
    size = len(before) + end - start + len(between)
    ends = ((size, size + len(behind), high, 1, 1),) if behind else ()
    return text, (*(((0, len(before), low - len(before), 1, 1),) if before else ()), *moved, *ends)


def _byte(one: re.Match[bytes]) -> bytes | None:
    """A byte in two hexadecimal digits; nothing for a soft line break."""
    return bytes([int(one[1], 16)]) if one[1] else b""


def _character(one: re.Match[bytes]) -> bytes | None:
    """What an escape stands for: nothing where it only joins; None where it is none."""
    groups = one.groupdict()
    if groups["html"]:
        return _of_html(groups["html"])
    digits = groups["unicode"] or groups["hex"]
    if digits:
        return bytes([int(digits, 16)])
    if groups["join"] and groups["between"].strip(b" ") == b"" and len(groups["between"]) != 1:
        return None
    if _sort(one) and _BEGINS.match(one.string, one.end()) and not _is_open(one.string, 0, one.start()):
        return None  # another text
    return groups["slash"] or groups["shell"] or groups["batch"] or b""


def _sort(one: re.Match[bytes]) -> str:
    """The sort of a joint; empty where it leaves no doubt."""
    groups = one.groupdict()
    if groups.get("line"):
        return "line"
    if groups.get("next"):
        return "next" if one[0].endswith((b" ", b"\t")) else ""
    between = groups.get("between")
    if between is None or between.strip(b" \t\r\n\\_"):
        return ""
    return "below" if b"\n" in between and b"\\" not in between else "beside"


def _of_html(text: bytes) -> bytes | None:
    name = text.lower()
    if name in _HTML:
        return _HTML[name]
    number = int(text[3:-1], 16) if text[2:3] in b"xX" else int(text[2:-1])
    return bytes([number]) if 32 <= number < 127 else None
