"""`[detector.verify]` of detector files: what a good table gives, and what is said of a bad one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oakum.scanner.catalog.verifications import AUTHS, METHODS, PRIVILEGES, SCHEMES, made, require, with_likes
from oakum.scanner.errors import DetectorError
from oakum.scanner.model import FACT_NAMES
from oakum.scanner.verification import Condition, Verification

GOOD: dict[str, Any] = {
    "request": "GET https://api.acme.test/me",
    "auth": "bearer",
    "live": {"status": 200, "json": {"id": "*"}},
    "source": "https://acme.test/docs",
}


def test_the_least_that_a_table_says() -> None:
    """Its hosts are those of its request; where no refusal is certain, there is no `dead`."""
    require(GOOD, "acme")
    assert made(GOOD) == Verification(
        request="GET https://api.acme.test/me",
        auth="bearer",
        hosts=("api.acme.test",),
        live=(Condition((200,), (("id", ()),)),),
        source="https://acme.test/docs",
    )


def test_the_host_of_a_request_at_another_port() -> None:
    """Is the provider's own there."""
    assert made(GOOD | {"request": "GET https://api.acme.test:8443/me"}).hosts == ("api.acme.test:8443",)


def test_all_that_a_table_can_say() -> None:
    """Each field arrives."""
    table = {
        "scheme": "http",
        "request": ["POST https://{host|api.acme.test}/a/{account}", "GET https://eu.acme.test/b"],
        "auth": "basic {user}:{secret}",
        "headers": {"Accept": "application/json"},
        "body": "account={account}",
        "hosts": ["api.acme.test", "*.acme.test", "*.acme.test:8200"],
        "beside": ["acme.test"],
        "live": [{"status": [200, 204], "json": {"ok": True, "kind": ["a", "b"]}, "headers": {"X-Acme": "1"}}],
        "dead": [{"status": 401}, {"status": 403, "body": "revoked"}, {"status": 404, "empty": True}],
        "refused": {"status": 200, "json": {"error": ["not_here", "not_now"]}},
        "tells": {"user": "json:login", "scopes": ["header:x-scopes", "json:scopes.*"], "privilege": "admin if json:a"},
        "privileges": {"admin": ["all"], "read": ["read:*"]},
        "answers": {"live": "200\n\n{}", "dead": "401\n\n", "refused": "200\n\n"},
        "rate": 2,
        "joins": ["acme-session"],
        "source": "https://acme.test/docs",
    }
    require(table, "acme")
    assert made(table) == Verification(
        scheme="http",
        request="POST https://{host|api.acme.test}/a/{account}",
        others=("GET https://eu.acme.test/b",),
        auth="basic {user}:{secret}",
        headers=(("Accept", "application/json"),),
        body="account={account}",
        hosts=("api.acme.test", "*.acme.test", "*.acme.test:8200"),
        beside=("acme.test",),
        live=(Condition((200, 204), (("ok", (True,)), ("kind", ("a", "b"))), (("x-acme", "1"),)),),
        dead=(Condition((401,)), Condition((403,), body="revoked"), Condition((404,), empty=True)),
        refused=(Condition((200,), (("error", ("not_here", "not_now")),)),),
        tells=(
            ("user", ("json:login",)),
            ("scopes", ("header:x-scopes", "json:scopes.*")),
            ("privilege", ("admin if json:a",)),
        ),
        privileges=(("admin", ("all",)), ("read", ("read:*",))),
        answers=(("live", "200\n\n{}"), ("dead", "401\n\n"), ("refused", "200\n\n")),
        rate=2.0,
        joins=("acme-session",),
        source="https://acme.test/docs",
    )


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "http"])
def test_what_code_asks_needs_no_request(scheme: str) -> None:
    """It knows its own."""
    table = {"scheme": scheme, "source": "https://acme.test/docs"}
    require(table, "acme")
    assert made(table) == Verification(scheme=scheme, source="https://acme.test/docs")


FIELDS = "unknown, or not of the right type; allowed are like, scheme, request, "
REQUEST = f"request: one of {', '.join(METHODS)}, and a URL that begins with https://, or {{secret}}"
AUTH = "auth: bearer, token, basic USER:PASSWORD, header NAME, or none (the secret stands elsewhere)"
ONCE = "the secret must be sent once: by auth, or at {secret}"
TOLD = "json:PATH, header:NAME or text:TEXT, or 'WORD if json:PATH=VALUE'"
ANY = "any server could answer with that status: say what of json, headers or body shows that the provider means the"
CONDITION = "allowed are status, json, headers, body"
PRIVILEGE = f"privileges: scopes by one of {', '.join(PRIVILEGES)}"
ANSWERS = "answers: live, dead and refused, each as 'STATUS', headers, an empty line, body"

REFUSED: list[tuple[Any, str]] = [
    ("GET https://api.acme.test/me", "is a table, [detector.verify]"),
    ({"colour": "red"}, f"colour: {FIELDS}"),
    ({"headers": "Accept"}, f"headers: {FIELDS}"),
    ({"rate": 0}, "rate: requests a second, more than 0 and at most 1000"),
    ({"rate": float("nan")}, "rate: requests a second, more than 0 and at most 1000"),
    ({"source": ""}, "source: the provider's page that describes the request"),
    ({"source": "http://acme.test"}, "source: the provider's page that describes the request"),
    ({"scheme": "smoke"}, f"scheme: 'smoke' is not one of {', '.join(SCHEMES)}"),
    ({"hosts": ["*"]}, "hosts: '*' is no name of a host of the provider"),
    ({"hosts": ["acme"]}, "hosts: 'acme' is no name of a host of the provider"),
    ({"hosts": ["https://acme.test"]}, "hosts: 'https://acme.test' is no name of a host of the provider"),
    ({"hosts": ["acme.test:0"]}, "hosts: 'acme.test:0' is no name of a host of the provider"),
    ({"request": "GET https://acme.test:99999/me"}, "request: 'https://acme.test:99999/me' is no URL"),
    ({"hosts": [1]}, "hosts: 1 is no name of a host of the provider"),
    ({"beside": ["acme.test:8443"]}, "hosts: 'acme.test:8443' is no name of a host of the provider"),
    ({"joins": [1]}, "joins: the ids of detectors of this file whose secrets are sent along"),
    ({"request": ""}, REQUEST),
    ({"request": []}, REQUEST),
    ({"request": [1]}, REQUEST),
    ({"request": "DELETE https://api.acme.test/me"}, REQUEST),
    ({"request": "GET http://api.acme.test/me"}, REQUEST),
    ({"request": ["GET https://api.acme.test/me", "PUT https://api.acme.test/me"]}, REQUEST),
    ({"auth": "digest"}, AUTH),
    ({"auth": "bearer x"}, AUTH),
    ({"auth": "header"}, AUTH),
    ({"auth": "basic"}, AUTH),
    ({"headers": {"Accept": 1}}, "headers: texts by the names of headers"),
    ({"request": "GET https://api.acme.test/{colour}"}, "['colour'] is no fact; allowed are secret and "),
    ({"auth": "none"}, ONCE),
    ({"auth": "basic user:"}, ONCE),
    ({"request": "GET https://api.acme.test/{secret}"}, ONCE),
    ({"headers": {"X-Token": "{secret}"}}, ONCE),
    ({"request": "GET https://{host}/me"}, "hosts: which hosts are the provider's own, as 'x' may be any"),
    ({"request": "GET https://{host|acme.test}/me"}, "hosts: which hosts are the provider's own, as 'acme.test' may"),
    ({"request": "GET {secret}", "auth": "none"}, "hosts: which hosts are the provider's own, as"),
    (
        {"request": "GET https://{secret}.acme.test/", "auth": "none", "hosts": ["*.acme.test"]},
        "request: the secret cannot be a part of the host",
    ),
    ({"live": None}, "live: what an answer has that means it"),
    ({"live": []}, "live: what an answer has that means it"),
    ({"dead": []}, "dead: what an answer has that means it"),
    ({"refused": []}, "refused: what an answer has that means it"),
    ({"refused": "403"}, f"refused: {FIELDS}"),
    ({"refused": {"colour": 1}}, f"refused: colour: {CONDITION}"),
    ({"refused": {"status": 401}}, f"refused: {ANY}"),
    ({"refused": [{"status": 200, "body": "no"}, {"status": 403}]}, f"refused: {ANY}"),
    ({"dead": [401]}, "dead: a table, or a list of tables"),
    ({"live": {"status": ["200"], "body": "x"}}, "live: status: which HTTP statuses mean it"),
    ({"request": "GET https://[x/me"}, "request: 'https://[x/me' is no URL"),
    ({"live": {"colour": 1}}, f"live: colour: {CONDITION}"),
    ({"dead": {"status": "401"}}, f"dead: status: {CONDITION}"),
    ({"live": {"json": {"id": "*"}}}, "live: status: which HTTP statuses mean it"),
    ({"live": {"status": 200}}, f"live: {ANY}"),
    ({"live": {"status": 401}}, f"live: {ANY}"),
    ({"dead": {"status": 403}}, f"dead: {ANY}"),
    ({"dead": [{"status": 401}, {"status": [401, 403]}]}, f"dead: {ANY}"),
    ({"tells": {"colour": "json:a"}}, f"tells: colour: is none of {sorted(FACT_NAMES)}"),
    ({"tells": {"user": "login"}}, f"tells: user: {TOLD}"),
    ({"tells": {"user": ["json:login", 1]}}, f"tells: user: {TOLD}"),
    ({"privileges": {"root": ["all"]}}, PRIVILEGE),
    ({"privileges": {"admin": "all"}}, PRIVILEGE),
    ({"answers": {"maybe": "200"}}, ANSWERS),
    ({"answers": {"live": 200}}, ANSWERS),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED, ids=[f"{said[:30]} {n}" for n, (_, said) in enumerate(REFUSED)])
def test_what_is_said_of_a_bad_table(fields: Any, said: str) -> None:
    """The file, the field, and what is allowed."""
    table = fields if not isinstance(fields, dict) else {k: v for k, v in (GOOD | fields).items() if v is not None}
    with pytest.raises(DetectorError) as error:
        require(table, "acme.toml: acme-token")
    assert str(error.value).startswith(f"acme.toml: acme-token: verify: {said}" if "hosts" not in said else "acme.toml")
    assert f"verify: {said}" in str(error.value)


def test_what_is_like_another_is_that_one() -> None:
    """One of the same file, which says how itself."""
    tables = {"a": GOOD, "b": {"like": "a"}}
    assert with_likes(tables, "acme.toml") == {"a": GOOD, "b": GOOD}


@pytest.mark.parametrize(
    "tables",
    [
        {"b": {"like": "a"}},
        {"b": {"like": ["a"]}},
        {"a": {"like": "b"}, "b": {"like": "a"}},
        {"a": {"like": "a"}},
        {"a": GOOD, "b": GOOD | {"like": "a"}},
        {"a": "x", "b": {"like": "a"}},
    ],
)
def test_what_is_like_nothing_is_refused(tables: dict[str, Any]) -> None:
    """Nobody there, one that is like another itself, or one that says more."""
    with pytest.raises(DetectorError, match="verify: like: the id of a detector of this file that says how"):
        with_likes(tables, "acme.toml")


texts = st.sampled_from(["", "GET https://a.test/{secret}", "https://[", "{secret}", "GET https://[x/", "*", "json:a"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 500) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["status", "json", "live"]), inner),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([*GOOD, "scheme", "headers", "body", "hosts", "dead", "refused", "tells", "privileges"]), anything
)
def test_a_table_is_taken_or_refused(field: str, value: Any) -> None:
    """Whatever a user writes: one error, and it says where. What is taken can be made."""
    table = GOOD | {field: value}
    with suppress(DetectorError):
        require(table, "acme.toml")
        assert isinstance(made(table), Verification)


def test_all_words_of_a_table_are_tried_here() -> None:
    """A new one needs a line above."""
    assert AUTHS == ("bearer", "token", "basic", "header", "none")
