"""Checks that a detector file declares: one request, and what its answer means."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from secrets import token_hex
from urllib.parse import quote, quote_plus, urlsplit

from ..model import Verdict
from ..net.http import Answer, Request
from ..net.urls import Url
from ..verification import ITSELF, PLACE, Verification
from .answers import Told, facts_of, is_of_another, said
from .credential import Credential, Destination, UnaskedError, destination
from .line import Line

REFUSED = "it refuses it, for a reason that need not lie in the secret"
_LABELS = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*(?::\d{1,5})?")


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The hosts that the requests go to."""
    return tuple(dict.fromkeys(destination(_url(credential, one), check.hosts) for one in check.each))


def ask(credential: Credential, check: Verification, line: Line) -> Verdict:
    """Ask, with the first request. UnaskedError where the answer says nothing."""
    answer = line.send(request_for(credential, check))
    host = line.host if line.is_instead else str(destination(_url(credential, check), check.hosts))
    told = Told(answer)
    live, dead = told.meets(check.live), told.meets(check.dead)
    refused = told.meets(check.refused) and not live
    line.refused = line.refused or dead or refused
    if refused and not dead:
        raise UnaskedError(f"{REFUSED} ({answer.status})")
    if live == dead:
        raise UnaskedError(meaning(answer))
    if dead and not line.is_instead and _stands_in(credential, check):
        named = f"--verify-host {credential.detector.provider}=HOST"
        raise UnaskedError(f"it is not known there, and where it belongs was not found ({named} names that)")
    if dead:
        return Verdict("dead", f"{host} refuses it ({answer.status})", asked=host)
    facts = facts_of(told, check, credential.text)
    return Verdict("live", said(facts) or f"{host} takes it", facts, host)


def made_up(credential: Credential, value: bytes) -> Credential:
    """The same with a made-up secret, for the same host where that is a URL."""
    check = credential.detector.verify
    if check is not None and check.request.endswith(f" {ITSELF}"):
        real, other = urlsplit(credential.text), urlsplit(value.decode("ascii", "replace"))
        value = other._replace(scheme=real.scheme, netloc=real.netloc).geturl().encode()
    if check is not None and "{user}" in check.auth:  # too many wrong ones would lock the real one out
        credential = replace(credential, facts={**credential.facts, "user": f"oakum-{token_hex(6)}"})
    return credential.with_value(value)


def _stands_in(credential: Credential, check: Verification) -> bool:
    """Whether a part of the host was not found with the secret."""
    authority = check.request.partition("://")[2].partition("/")[0]
    return any(place[2] is not None and not credential.facts.get(place[1]) for place in PLACE.finditer(authority))


def facts_in(check: Verification) -> tuple[str, ...]:
    """The names of the facts that stand in the request, besides the secret."""
    texts = (check.request, check.auth, check.body, *(text for _, text in check.headers))
    names = {place[1] for text in texts for place in PLACE.finditer(text)}
    return tuple(sorted(names - {"secret"}))


def meaning(answer: Answer) -> str:
    """Why an answer says nothing of a secret; nothing of its text, which may be an echo."""
    if 300 <= answer.status < 400:
        return f"it redirects ({answer.status}), which is not followed"
    if answer.status in (401, 403) and is_of_another(answer):
        return f"something before it refuses ({answer.status})"
    if answer.status in (401, 403):
        return f"it refuses, and does not say that the secret is wrong ({answer.status})"
    if 200 <= answer.status < 300:
        return f"its answer is not as the provider describes it ({answer.status})"
    return f"it answers {answer.status}"


def request_for(credential: Credential, check: Verification) -> Request:
    """The request, the secret in it."""
    method = check.request.partition(" ")[0]
    parts = urlsplit(_url(credential, check))
    if {".", ".."} & set(parts.path.split("/")):
        raise UnaskedError("a name that stands beside it leads elsewhere in a URL")
    headers = {name: _filled(text, credential, _header) for name, text in check.headers}
    kind, _, argument = check.auth.partition(" ")
    match kind:
        case "bearer":
            headers["Authorization"] = f"Bearer {_header(credential.text)}"
        case "token":
            headers["Authorization"] = f"token {_header(credential.text)}"
        case "basic":
            pair = _filled(argument, credential, _header)
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        case "header":
            headers[argument] = _header(credential.text)
        case _:
            pass
    coded = quote_plus if "urlencoded" in dict(check.headers).get("Content-Type", "") else _in_json
    body = _filled(check.body, credential, coded).encode()
    if body and "Content-Type" not in headers:
        headers["Content-Type"] = "application/json"
    url = Url(parts.scheme, parts.netloc, parts.path or "/", parts.query)
    return Request(url, headers, signed=True, method=method, body=body)


def _url(credential: Credential, check: Verification) -> str:
    template = check.request.partition(" ")[2]
    if template == ITSELF:
        return credential.text
    scheme, _, rest = template.partition("://")
    authority, slash, target = rest.partition("/")
    return f"{scheme}://{_filled(authority, credential, _host)}{slash}{_filled(target, credential, _in_url)}"


def _filled(template: str, credential: Credential, coded: Callable[[str], str]) -> str:
    """A text with its places filled. What is a place after that was not one before: nothing is filled twice."""

    def fill(place: re.Match[str]) -> str:
        if place[1] == "secret":
            return coded(credential.text)
        if place[2] is not None:
            return coded(credential.facts.get(place[1]) or place[2])
        return coded(credential.fact(place[1]))

    return PLACE.sub(fill, template)


def _in_url(text: str) -> str:
    return quote(text, safe="-_.~:")  # Telegram's `:` as it is written


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _header(text: str) -> str:
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise UnaskedError("it holds characters that cannot be sent")
    return text


def _host(text: str) -> str:
    if not _LABELS.fullmatch(text):
        raise UnaskedError("the host that stands beside it is none")
    return text.lower()
