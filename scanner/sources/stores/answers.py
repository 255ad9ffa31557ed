"""What a page says of the next one, and what a refusal says of itself: read strictly, in bounded memory.

XML is read by expat without a document type, so there is nothing to expand and nothing else to fetch; JSON by its
tokens, without building it. Names are those without their namespace.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit
from xml.parsers import expat

from ...errors import OakumError
from ...net.shown import shown

DEPTH = 32
"""How deep elements may lie within each other."""
LONGEST = 64 << 10
"""Characters that a text may have."""

Path = tuple[str, ...]
"""The names of elements, from the root on."""


class UnreadableError(OakumError):
    """A page of which cannot be told whether and where it goes on."""


def xml_texts(page: bytes, wanted: Mapping[Path, int]) -> dict[Path, Sequence[str]]:
    """The texts of the elements at these paths, of each the last ones, as many as its number says.

    Every byte is a character here, so that keys in any encoding go through; a reference is the character it names.
    """
    found, why = xml_texts_known(page, wanted)
    if why:
        raise UnreadableError(why)
    return found


def xml_texts_known(page: bytes, wanted: Mapping[Path, int]) -> tuple[dict[Path, Sequence[str]], str]:
    """The same of a page that may be damaged: those that come before the damage, and what that is (empty: none)."""
    page = page.removeprefix(b"\xef\xbb\xbf")
    found: dict[Path, deque[str]] = {}
    why = ""
    for plain in (False, True):  # without the control characters that XML forbids, and stores write all the same
        found = {path: deque(maxlen=most) for path, most in wanted.items()}
        try:
            _xml_texts(_CONTROL.sub(b"?", page) if plain else page, found)
        except expat.ExpatError as error:
            why = f"its XML is damaged ({expat.ErrorString(error.code)}, line {error.lineno})"
        except UnreadableError as error:
            return dict(found), str(error)
        else:
            return dict(found), ""
    return dict(found), why


def _xml_texts(page: bytes, found: Mapping[Path, deque[str]]) -> None:
    names = {path[-1] for path in found}
    path: list[str] = []
    text: list[str] = []
    room = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal room
        if len(path) >= DEPTH:
            raise UnreadableError(f"its elements lie more than {DEPTH} deep")
        path.append(name.rpartition(":")[2])
        text.clear()
        room = LONGEST if path[-1] in names else 0

    def end(_name: str) -> None:
        nonlocal room
        if path[-1] in names and (place := found.get(tuple(path))) is not None:
            place.append("".join(text))
        path.pop()
        room = 0

    def characters(data: str) -> None:
        nonlocal room
        if room > 0:
            room -= len(data)
            text.append(data)

    def declares(*_: object) -> None:
        raise UnreadableError("it declares a document type, which no store does")

    parser = expat.ParserCreate("iso-8859-1")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, declares
    parser.Parse(page, True)


_CONTROL = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:x0*1?[0-9a-fA-F]|0*(?:[0-9]|[12][0-9]|3[01]));|&#x0*[fF]{4};"
)


def raw(text: str) -> bytes:
    """The bytes of a text that `xml_texts` gave."""
    return b"".join(bytes((ord(c),)) if ord(c) < 256 else c.encode("utf-8", "surrogatepass") for c in text)


def root_of(page: bytes) -> str:
    """The name of the root element of an XML page, without its namespace; empty where it is none."""
    found = _ROOT.match(page.removeprefix(b"\xef\xbb\xbf")[: 64 << 10])
    return found[1].decode("ascii") if found else ""


_ROOT = re.compile(
    rb"\s*(?:<\?[^<>]{0,500}\?>\s*|<!--(?:[^-]|-[^-]){0,2000}-->\s*|<!DOCTYPE[^<>[]{0,500}(?:\[[^]]{0,2000}\]\s{0,9})?>\s*){0,8}"
    rb"<(?:[\w.-]{1,60}:)?([\w.-]{1,60})[\s/>]"
)


def json_text(page: bytes, name: str, depth: int) -> str:
    """The last text of that name whose object lies so deep (1: the outermost); empty where there is none."""
    found = b""
    at, named = 0, False
    wanted = b'"' + name.encode("ascii") + b'"'
    for token in _JSON.finditer(page):
        text = token[1]
        if text is None:
            at += 1 if token[0] in b"[{" else -1
            named = False
        elif not token[2]:
            raise UnreadableError("its JSON is cut off")
        elif token[3] is not None:
            named = at == depth and text == wanted
        else:
            if named:
                found = text
            named = False
    if at or not page.strip():
        raise UnreadableError("its JSON is cut off")
    if len(found) > LONGEST:
        raise UnreadableError(f"its {name} is longer than {LONGEST} bytes")
    try:
        told = json.loads(found or b'""')
    except ValueError as error:
        raise UnreadableError(f"its {name} is damaged") from error
    return told if isinstance(told, str) else ""


_JSON = re.compile(rb'("(?:[^"\\]++|\\.)*+("?))(\s*+:)?|[][{}]', re.DOTALL)
"""A text goes to its end, or to that of the page: looked for again at each quote in it, that would never end."""


# --- refusals --------------------------------------------------------------------------------------------------------


def error_code(headers: Mapping[str, str], body: bytes) -> str:
    """The provider's word for an error; empty where it gives none. Its sentences may repeat what was sent: left out."""
    code = headers.get("x-ms-error-code", "") or _code_in(body[: 64 << 10])
    return code if _CODE.fullmatch(code) else ""


def error_region(body: bytes) -> str:
    """The region that an error of S3 says a bucket is in."""
    return _first(body, ("Error", "Region"))


def _code_in(body: bytes) -> str:
    if body.lstrip()[:1] not in (b"{", b"["):
        return _first(body, ("Error", "Code"))
    try:
        told = json.loads(body)
        error = told["error"]
        return str(error if isinstance(error, str) else error["errors"][0]["reason"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""


def _first(body: bytes, path: Path) -> str:
    try:
        return "".join(xml_texts(body, {path: 1})[path]).strip()
    except UnreadableError:
        return ""


def _elsewhere(location: str, *, secret: bool) -> str:
    """Where a redirect leads to: of a place whose path may repeat what was sent only the host."""
    if not location:
        return "a place that it does not name"
    if not secret:
        return shown(location)[:300]
    try:
        host = urlsplit(location.strip()).hostname or ""
    except ValueError:
        host = ""
    return f"the host {host}" if re.fullmatch(r"[a-z0-9.:-]{1,100}", host) else "another place"


_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,63}")

EXPIRED = frozenset({"ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException", "SecurityTokenExpired"})
UNTRUSTED = EXPIRED | frozenset(
    "AuthenticationFailed InvalidAccessKeyId InvalidClientTokenId SignatureDoesNotMatch InvalidToken authError "
    "InvalidAuthenticationInfo NoAuthenticationInformation AuthorizationHeaderMalformed UnrecognizedClientException "
    "AuthorizationSourceIPMismatch AuthorizationProtocolMismatch AuthorizationServiceMismatch KeyBasedAuthenticationNot"
    "Permitted RequestTimeTooSkewed AccountIsDisabled AccountRequiresHttps AllAccessDisabled InvalidSecurity".split()
)
"""Codes that speak of the credentials: nothing else is to be had with them."""


def refusal(status: int, headers: Mapping[str, str], code: str, *, signed: bool, secret: bool) -> str:
    """What an answer that is no page means, for people. `secret` says that something was sent which no text may hold,
    in no spelling, `signed` that it was made for the store."""
    said = f"{status} {code}" if code else str(status)
    if 300 <= status < 400:
        elsewhere = _elsewhere(headers.get("location", ""), secret=secret)
        return f"it redirects to {elsewhere} ({said}), which is not followed: give that URL, if it is the right one"
    if code in EXPIRED or (status == 401 and signed and "expired" in headers.get("www-authenticate", "").lower()):
        return f"the credentials have expired ({said}): run it again with new ones"
    if code == "AuthenticationFailed":
        return f"it does not take the signature ({said}): it has expired, or its key was changed, or it is not complete"
    if code == "AuthorizationSourceIPMismatch":
        return f"the signature holds for other IP addresses only ({said})"
    if code in UNTRUSTED or (status == 401 and signed):
        return f"it does not take the credentials ({said})"
    if status in (401, 403):
        who = "these credentials may not list it" if signed else "not everybody may list it"
        return f"it refuses to list: {who} ({said})"
    if status in (404, 409) and code in ("", "ResourceNotFound", "PublicAccessNotPermitted") and not signed:
        return f"there is none, or it is not public ({said})"
    if status == 404:
        return f"there is none of that name ({said})"
    return f"it answers {said}"
