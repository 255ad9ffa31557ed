"""What an answer tells is read as what it may be: a lie, an echo of the secret, or too much."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.model import Facts, clean
from oakum.scanner.net.http import Answer, Request
from oakum.scanner.net.urls import Url
from oakum.scanner.verification import Condition, Verification
from oakum.scanner.verify.answers import (
    LONGEST,
    PRIVILEGES,
    Told,
    facts_of,
    privilege_of,
    safe,
    said,
    scopes_in,
    time_of,
)
from oakum.scanner.verify.declared import request_for
from providing import ask, finding, github, instead, knows, options, planned_for, provider, reply
from scanning import Fresh

# Twice no character, and letters of both sizes: no text of a test repeats it by chance.
SECRET = "".join(chr(ord("A") + n % 26) + str(n % 10) + chr(ord("z") - n % 26) for n in range(14))


def answer(body: object, status: int = 200, **headers: str) -> Told:
    """An answer with a JSON body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Told(Answer(Request(Url("https", "provider")), status, named, data))


def facts(body: object, secret: str = SECRET, **tells: str) -> Facts:
    """What is told of a body."""
    check = Verification(tells=tuple((name, (place,)) for name, place in tells.items()))
    return facts_of(answer(body), check, secret)


# --- echoes ----------------------------------------------------------------------------------------------------------

ECHOES = {
    "whole": SECRET,
    "within": f"user {SECRET} of acme",
    "a part": SECRET[10:20],
    "the other case": SECRET.swapcase(),
    "backwards": SECRET[::-1],
    "with blanks": " ".join(SECRET),
    "with signs": "-".join(SECRET[at : at + 3] for at in range(0, 42, 3)),
    "with line breaks": "\n".join(SECRET[at : at + 5] for at in range(0, 42, 5)),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(b"~" + SECRET.encode()).decode().rstrip("="),
    "a login": "Basic " + base64.b64encode(b"x:" + SECRET.encode()).decode(),
    "a login, cut": base64.b64encode(b"user:" + SECRET.encode()).decode()[3:30],
    "percent-encoded": "".join(f"%{ord(c):02x}" for c in SECRET),
    "percent-encoded twice": quote("".join(f"%{ord(c):02x}" for c in SECRET[:14])),
    "hex": SECRET.encode().hex(),
    "of full width": "".join(chr(ord(c) + 0xFEE0) for c in SECRET),
    "of full width, percent-encoded": quote("".join(chr(ord(c) + 0xFEE0) for c in SECRET[:20])),
    "HTML": "".join(f"&#{ord(c)};" for c in SECRET),
    "HTML, in hex": "".join(f"&#x{ord(c):x};" for c in SECRET),
    "HTML twice": "".join(f"&amp;#{ord(c)};" for c in SECRET[:20]),
    "letters between": "x".join(SECRET),
    "letters between, backwards": "7".join(SECRET[::-1]),
    "hex with colons": ":".join(f"{ord(c):02X}" for c in SECRET),
}


@pytest.mark.parametrize("how", ECHOES)
def test_an_echo_is_no_fact(how: str) -> None:
    """However it is dressed up."""
    assert safe(ECHOES[how], SECRET) == ""
    assert facts({"login": ECHOES[how], "id": 7}, user="json:login", account="json:id") == (("account", "7"),)


@given(st.integers(0, 30), st.integers(8, 42), st.sampled_from([str.upper, str.lower, str.swapcase, str]))
def test_no_part_of_a_secret_is_told(start: int, length: int, case: object) -> None:
    """Of eight characters or more."""
    part = SECRET[start : start + length]
    assert safe(case(part) if len(part) >= 8 else SECRET, SECRET) == ""  # type: ignore[operator]


def test_an_echo_that_is_dealt_out() -> None:
    """Among several facts, or the entries of a list."""
    pieces = [SECRET[at : at + 7] for at in range(0, 42, 7)]
    body = {str(n): piece for n, piece in enumerate(pieces)}
    assert facts(body, user="json:0", account="json:1", team="json:2", name="json:3") == ()
    assert facts({"scopes": pieces}, scopes="json:scopes") == ()
    assert facts({"a": [{"b": piece} for piece in pieces]}, scopes="json:a.*.b") == ()


def test_a_short_secret_is_not_told_either() -> None:
    """Of a password of four characters, all of them count."""
    assert [safe(text, "pa5s") for text in ("pa5s", "xPA5Sx", "p a-5 s", "root")] == ["", "", "", "root"]
    assert [safe(text, "!$!") for text in ("a!$!b", "root")] == ["", "root"]
    assert safe("root", "") == "root"


@given(st.text(max_size=60), st.text(min_size=1, max_size=60))
def test_any_text_is_told_whole_or_not_at_all(text: str, secret: str) -> None:
    """And never with signs that change how a terminal shows it."""
    found = safe(text, secret)
    assert clean(found) == found
    assert found.encode().decode() == found
    assert secret.lower() not in found.lower()


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_what_is_too_long_is_no_fact() -> None:
    """Nor a list without end: as many of its entries as fit are told, each whole."""
    body = {"login": "x" * (LONGEST + 1), "all": [f"scope:{n:05d}" for n in range(100_000)]}
    found = dict(facts(body, user="json:login", scopes="json:all"))
    assert found["scopes"].split(", ") == [f"scope:{n:05d}" for n in range(60)]
    assert "user" not in found
    long = dict(facts({"all": ["y" * 250 + str(n) for n in range(50)]}, scopes="json:all"))
    assert long["scopes"].split(", ") == ["y" * 250 + str(n) for n in range(4)]


def test_control_characters() -> None:
    """Are shown as what they are."""
    (fact,) = facts({"login": "a\x1b[31mb\u202ec\x00"}, user="json:login")
    assert fact[1].isprintable()
    assert "\x1b" not in fact[1]


HOSTILE = {
    "lists in lists": b"[" * 500_000 + b"]" * 500_000,
    "objects in objects": b'{"login":' * 100_000 + b"1" + b"}" * 100_000,
    "as deep as is read": b'{"login":' + b"[" * 900 + b'"x"' + b"]" * 900 + b"}",
    "a long number": b'{"login":' + b"9" * 1_000_000 + b"}",
    "a large number": b'{"login": 1e999, "id": -1e999}',
    "no number": b'{"login": NaN, "id": NaN}',
    "half a letter": b'{"login": "\\ud800", "id": 1}',
    "no text": b'{"login": "\xff\xfe", "id": 1}',
    "many names": b"{" + b",".join(b'"%d":1' % n for n in range(80_000)) + b"}",
    "many entries": b'{"login": [' + b",".join(b'"%d"' % n for n in range(100_000)) + b"]}",
    "lists of lists of lists": b'{"login": ' + json.dumps([[[["x"] * 20] * 20] * 20] * 10).encode() + b"}",
    "zeros": b"\x00" * (1 << 20),
    "UTF-16": '{"login": "octocat"}'.encode("utf-16"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_bodies(how: str) -> None:
    """Are read in a moment, and say nothing that is no fact."""
    begun = time.process_time()
    told = answer(HOSTILE[how])
    check = Verification(tells=(("user", ("json:login",)), ("scopes", ("json:login",)), ("expires", ("json:id",))))
    told.meets([Condition((200,), json=(("login", ()), ("login.*.x", ()), ("login.#", (3,))))])
    found = dict(facts_of(told, check, SECRET))
    assert time.process_time() - begun < 1
    assert all(clean(value) == value and value.encode() and len(value) <= 4 * LONGEST for value in found.values())
    assert "expires" not in found


# --- times and scopes ------------------------------------------------------------------------------------------------

TIMES = st.datetimes(datetime(1975, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))


@given(TIMES)
def test_times_in_any_usual_form(at: datetime) -> None:
    """Are one time."""
    seconds = int(at.timestamp())
    forms = [
        at.isoformat(),
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        at.strftime("%Y-%m-%d %H:%M:%S +0000"),
        at.strftime("%Y-%m-%dT%H:%M:%S"),
        at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        str(seconds),
        f"{seconds}.0",
    ]
    forms += [str(seconds * 1000)] if seconds >= 10**9 else []
    assert [time_of(form) for form in forms] == [at.isoformat()] * len(forms)


@given(
    st.one_of(st.text(max_size=40), st.from_regex(r"[0-9T:+Z .-]{0,30}"), st.floats().map(str), st.integers().map(str))
)
def test_any_text_is_a_time_or_none(text: str) -> None:
    """In one form, or empty."""
    found = time_of(text)
    assert found == "" or datetime.fromisoformat(found).tzinfo is not None


def test_what_is_no_time() -> None:
    """How long something lasts, and what never ends."""
    for text in ("", "0", "-1", "3600", "never", "null", "2027", "nan", "inf", "1e400", "86400000", "x" * 1000):
        assert time_of(text) == "", text
    assert time_of("20270101") == "2027-01-01T00:00:00+00:00"


@given(st.lists(st.text("abc:_*", min_size=1, max_size=6), max_size=8), st.randoms())
def test_the_order_of_scopes_does_not_matter(scopes: list[str], random: object) -> None:
    """The most that one of them allows counts."""
    privileges = {"admin": ["a*", "b"], "write": ["b*", "c:"], "read": ["c*"]}
    shuffled = list(scopes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = privilege_of(scopes, privileges)
    assert found == privilege_of(shuffled, privileges)
    each = [privilege_of([scope], privileges) for scope in scopes]
    assert found == min(filter(None, each), key=PRIVILEGES.index, default="")


@given(st.lists(st.text("ab:_", min_size=1, max_size=5), max_size=80), st.sampled_from([", ", ",", " ", "\n", " , "]))
def test_scopes_between_commas_or_blanks(scopes: list[str], between: str) -> None:
    """Each once, in their order."""
    assert scopes_in(between.join(scopes)) == list(dict.fromkeys(scopes))[:60]


def test_what_is_said_of_a_live_one() -> None:
    """In a few words."""
    found = (("user", "acme"), ("scopes", ", ".join("abcdefghij")), ("expires", "2030-01-01"), ("account", "1"))
    assert said(found) == "user acme; account 1; scopes a, b, c, d, e, f, g, h and 2 more"


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_an_answer_that_repeats_the_secret_everywhere(fresh: Fresh) -> None:
    """It may be live; nothing of it is told."""
    secret = fresh()
    word = secret.decode()
    body = json.dumps({"login": word, "id": word, "name": word, "site_admin": False})
    lies = reply(body, X_OAuth_Scopes=f"repo, {word}", github_authentication_token_expiration=word, Server=word)
    with provider(knows(secret, live=lies)) as server:
        (verdict,) = ask([finding(github(), secret)], options(instead(server.port)))
    assert (verdict.state, verdict.facts, verdict.reason) == ("live", (), f"127.0.0.1:{server.port} takes it")


def test_what_is_made_of_a_secret_does_not_show_it(fresh: Fresh) -> None:
    """In messages of errors, and where a debugger prints it."""
    secret = fresh()
    word = secret.decode()
    detector = github(request="POST https://api.github.com/{secret}", auth="none", body='{"token": "{secret}"}')
    (question,) = planned_for([finding(detector, secret, account="acme")], options()).questions
    request = request_for(question.credential, question.credential.detector.verify)  # type: ignore[arg-type]
    said = Answer(request, 200, {"x": word}, secret)
    assert word in request.url.path
    assert word in request.body.decode()
    for made in (question, question.credential, request, request.url, said, Told(said)):
        assert word not in repr(made)
