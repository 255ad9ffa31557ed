"""Signed URLs in another form, decoded: escaped for HTML, JSON or a shell, percent-encoded as a whole, in
quoted-printable text, put together from several strings, or broken over lines.

Their parameters are separated by `&`, and just that is what most formats escape. Where the name of such a parameter
stands, the text around it is decoded, `REACH` bytes each way. Kept are the words (what stands between blanks, quotes
and angle brackets) that hold such a name and read otherwise than they stand there, each with some of its line: what is
not escaped gives nothing, as the text itself is searched anyway. All work is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

Segment = tuple[int, int, int, int, int]
"""As in `views.py`."""
Line = tuple[bytes, tuple[Segment, ...]]
"""A line of a view, and where its bytes come from."""

REACH = 6144
"""Bytes that are decoded before such a name, and from it on."""
CONTEXT = 256
"""Bytes of the line that are kept on both sides of a word, as they are: they tell what it is."""

# --- where to look --------------------------------------------------------------------------------------------------

_EQUALS = r"(?:=|%3[Dd]|%253[Dd]|\\u003[Dd]|\\x3[Dd]|\\=|&#61;|&#[Xx]3[Dd];)"
_SIGN = r"(?:[A-Za-z0-9+/~_-]|%2[BFbf]|%252[BFbf]|\\/|\\u00)"
_NAMED = (
    ("sig", rf"{_SIGN}{{10}}", "sig", ""),
    ("s[etv]", "20[0-9][0-9]", "se", "20"),
    ("[Ss]ignature", rf"{_SIGN}{{16}}", "signature", ""),
    ("[Cc]redential", "[A-Za-z0-9]{8}", "credential", ""),
    ("AccessKeyId", "[A-Za-z0-9]{8}", "accesskeyid", ""),
    ("AccessId", "[A-Za-z0-9]{4}", "accessid", ""),
    ("Pair-Id", "[A-Z0-9]{6}", "pair-id", ""),
)
"""Names of signed URLs' parameters, or their ends, and how their values begin; the same as small-letter literals. Each
kind of URL has several of them: one may be cut in two by the end of a line."""
_OTHERS = ("s[etv]=3[Dd]20[0-9][0-9]", r"haredAccessSignature(?:\x20|\+|%20)[a-z]")
EXPRESSION = "\n".join([*(name + _EQUALS + value for name, value, _, _ in _NAMED), *_OTHERS])
_SIGNS = ("=", "%3d", "%253d", "\\u003d", "\\x3d", "\\=", "&#61;", "&#x3d;")
_LITERALS = (*((name, value) for _, _, name, value in _NAMED), ("st", "20"), ("sv", "20"))
KEYWORDS = (
    *((name + sign + value).encode() for name, value in _LITERALS for sign in _SIGNS),
    *(b"se=3d20", b"st=3d20", b"sv=3d20"),
    *(b"haredaccesssignature ", b"haredaccesssignature+", b"haredaccesssignature%20"),
)
_HEAD = re.compile("|".join(f"(?:{one})" for one in EXPRESSION.split("\n")).encode())
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"
_HEAD_REACH = 160
"""Bytes between a head's beginning and where a matcher points to it, at most."""
AROUND = REACH + CONTEXT + _HEAD_REACH
"""Bytes each way of where a matcher points that decide what is shown of it."""

# --- how it is decoded ----------------------------------------------------------------------------------------------

_URL = rb"A-Za-z0-9%&=?._~:/+,;-"
_PLAIN = re.compile(
    rb"(?P<html>&(?:amp|quot|apos|lt|gt|equals|plus|sol|percnt|#[0-9]{2,3}|#[Xx][0-9A-Fa-f]{2});)"
    rb"|\\u00(?P<unicode>[0-7][0-9A-Fa-f])|\\x(?P<hex>[0-7][0-9A-Fa-f])"
    rb"|\\(?P<slash>[/&=?%+:;.,!~*#$()@\"'\\_-])|[`^](?P<shell>[&=?%+;|<>$()])|%(?P<batch>%)(?=[0-9A-Fa-f]{2})"
    rb"|(?P<next>[\\`^]\r?\n[ \t]{0,80})"
    rb"|(?P<join>[\"'`](?P<between>[ \t\r\n\\_]{0,80}+(?:\+\+?|\.\.?|&|\|\||<>|~)?[ \t\r\n\\_]{0,80}+)"
    rb"[bBrRuUfF@$]{0,2}[\"'`])"
)
_BROKEN = re.compile(
    rb"(?<=[%b])[ \t]{0,8}\r?\n[ \t]{0,80}(?:[>#*|]{1,3}[ \t]{1,8}|//[ \t]{1,8})?"
    rb"(?![a-z]{2,8}://|[A-Z][A-Z0-9_]{0,40}=)(?=[%b]{1,400}[ \t]{0,8}(?:[\"'`)>\]},\r\n]|\Z))|"
    % (_URL, _URL)
    + _PLAIN.pattern
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_PERCENT_WORD = re.compile(rb"[A-Za-z0-9%._~:/+@!*(),;|$-]+")
_QUOTED = re.compile(rb"=([0-9A-F]{2})|=[ \t]{0,8}\r?\n")
_WORD = re.compile(rb"(?:haredAccessSignature )?[^\s\"'<>]+")
_NAME = re.compile(rb"(?:sig|s[etnv]|ex|[Ss]ignature|[Cc]redential|AccessKeyId|AccessId|Pair-Id)(?:=|%3[Dd])")
_COMPLETE = re.compile(
    rb"(?=[^\s]*\bsv=)(?=[^\s]*\bs(?:e|i)=)(?=[^\s]*\bs(?:p|i|r)=)[^\s]*\bsig=(?:[A-Za-z0-9+/]|%2[BFbf]){43}(?:=|%3[Dd])"
    rb"|(?=[^\s]*[Cc]redential=)(?=[^\s]*[Ee]xpires=)[^\s]*[Ss]ignature=[0-9a-f]{64}(?![0-9a-f])"
    rb"|(?=[^\s]*(?:AccessKeyId|AccessId)=)(?=[^\s]*Expires=)[^\s]*Signature=(?:[A-Za-z0-9+/]|%2[BFbf]){27,}(?:=|%3[Dd])"
)
_HTML = {b"&amp;": b"&", b"&quot;": b'"', b"&apos;": b"'", b"&lt;": b"<", b"&gt;": b">"}
_HTML |= {b"&equals;": b"=", b"&plus;": b"+", b"&sol;": b"/", b"&percnt;": b"%"}


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
        yield from _words(buffer, _Decoded(buffer, low, high, _QUOTED, _byte))


def _heads(buffer: bytes, found: Sequence[int]) -> list[tuple[int, bool, bool]]:
    """(place, whether its equals sign is percent-encoded, whether it may be quoted-printable) of each head."""
    heads: list[tuple[int, bool, bool]] = []
    done = 0
    for at in sorted(found):
        for head in _HEAD.finditer(buffer, max(at - _HEAD_REACH, done), min(at + _HEAD_REACH, len(buffer))):
            done = head.start() + 1
            sign = head[0].lstrip(_LETTERS)[:3]
            heads.append((head.start(), sign.startswith(b"%"), sign.upper() == b"=3D"))
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

    `changes` are where something was decoded, `breaks` where lines were joined.
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
        self.breaks: list[int] = []
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
            elif pattern is _BROKEN and not (one["join"] or one["next"]):
                self.breaks.append(len(self.text))
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


def _words(
    buffer: bytes, decoded: _Decoded, *, between: bytes = b"", broken: bool = False, whole: bool = False
) -> Iterator[Line]:
    """The words that hold the name of a parameter and were changed; with `broken` those put together from lines, unless
    one of their lines is complete without the others. `between` separates a word from what stands behind it; `whole`
    says that no word is cut where the stretch begins or ends."""
    marks = decoded.breaks if broken else decoded.changes
    if not marks:
        return
    for word in _WORD.finditer(decoded.text):
        start, end = word.span()
        if not whole and decoded.is_cut(start, end):
            continue  # another stretch has it, or it is too long
        first = bisect_right(marks, start)
        here = marks[first : bisect_right(marks, end - 1)] if broken else marks[max(first - 1, 0) : first + 1]
        if not any(start <= mark < end for mark in here) or not _NAME.search(word[0]):
            continue
        edges = [start, *here, end] if broken else []
        if any(_COMPLETE.match(decoded.text, low, high) for low, high in pairwise(edges)):
            continue
        segments = decoded.part(start, end, 0)
        if segments[-1][2] - segments[0][2] < REACH:  # a longer one depends on more than what lies around its head
            yield _line(buffer, decoded, start, end, between)


def _line(buffer: bytes, decoded: _Decoded, start: int, end: int, between: bytes) -> Line:
    """A word with what stands before and behind it on its line."""
    segments = decoded.part(start, end, 0)
    low, high = segments[0][2], segments[-1][2] + _length(segments[-1])
    before = buffer[max(0, low - CONTEXT) : low].rpartition(b"\n")[2]
    behind = buffer[high : high + CONTEXT].partition(b"\n")[0].rstrip(b"\r")
    text = before + bytes(decoded.text[start:end]) + between + behind
    moved = tuple((s + len(before), e + len(before), source, unit, width) for s, e, source, unit, width in segments)
    size = len(before) + end - start + len(between)
    ends = ((size, size + len(behind), high, 1, 1),) if behind else ()
    return text, (*(((0, len(before), low - len(before), 1, 1),) if before else ()), *moved, *ends)


def _length(segment: Segment) -> int:
    start, end, _, unit, width = segment
    return (end - start) // unit * width


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
    if groups["join"]:
        between = groups["between"]
        return b"" if b"\n" in between or between.strip(b" \t\r\\_") else None
    return groups["slash"] or groups["shell"] or groups["batch"] or b""


def _of_html(text: bytes) -> bytes | None:
    if text in _HTML:
        return _HTML[text]
    number = int(text[3:-1], 16) if text[2:3] in b"xX" else int(text[2:-1])
    return bytes([number]) if 32 <= number < 127 else None
