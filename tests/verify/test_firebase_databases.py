"""Realtime Databases: servers that answer as Firebase's REST documentation says.

Recorded from https://firebase.google.com/docs/reference/rest/database (error conditions, `shallow`) and
https://firebase.google.com/docs/database/rest/app-management (rules).
"""

from __future__ import annotations

import json

import pytest
from asked_providers import Answer, Request, found_in, provider, verdict
from git_repository import utc
from oakum.scanner.verify import VerifyOptions, plan
from scanning import Fresh, scan

JSON = {"Content-Type": "application/json; charset=utf-8"}
CLOSED: Answer = (401, JSON, json.dumps({"error": "Permission denied"}))
NO_TOKEN: Answer = (401, JSON, json.dumps({"error": "Could not parse auth token."}))
DATABASE = "acme-app"
HOST = f"{DATABASE}.firebaseio.com"
ELSEWHERE = f"{DATABASE}.europe-west1.firebasedatabase.app"
URL = f'databaseURL: "https://{HOST}",\n'
ASKED_AGAIN = "127.0.0.1: accepts anything: a made-up secret, too"


def told(answer: Answer, made_up: Answer = NO_TOKEN) -> tuple[tuple[str, str], list[Request]]:
    """The verdict of an address: what is asked without a credential has one answer, a made-up one another."""
    with provider(lambda request: made_up if "auth" in request.query else answer) as (url, asked):
        return verdict(URL, f"firebase={url}"), asked


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('{"users": true, "chats": true}', "anybody can read it"),
        ('"a text"', "anybody can read it"),
        ("null", "anybody can read it (it is empty)"),
    ],
)
def test_an_open_database(data: str, reason: str) -> None:
    """Only the names at its root are asked for; the control is a made-up credential, which is refused."""
    found, asked = told((200, JSON, data))
    assert found == ("live", reason)
    assert {request.method for request in asked} == {"GET"}
    assert [request.target for request in asked if "auth" not in request.query] == ["/.json?ns=acme-app&shallow=true"]
    controls = [request.query["auth"] for request in asked if "auth" in request.query]
    assert len(controls) == 2
    assert all(len(control) == 40 for control in controls)


def test_what_is_known_of_an_open_one() -> None:
    """And how it ranks: one that is closed, or was not asked about, is a mere address."""
    with provider(lambda request: NO_TOKEN if "auth" in request.query else (200, JSON, "{}")) as (url, _):
        (found,) = found_in(URL, f"firebase={url}")
    assert dict(found.finding.verdict.facts) == {"database": "acme-app", "privilege": "read", "scope": "container"}
    assert found.band == "high"
    assert found.reasons[0].text == "no credential is needed for it"
    assert scan("-", stdin=URL.encode()).findings[0].band == "low"


def test_a_closed_database() -> None:
    """Dead means here: it is open to nobody who has no credential."""
    found, _ = told(CLOSED)
    assert found == ("dead", "not open: its rules refuse who has no credential")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, JSON, '{"error": "404 Not Found"}'), "there is no such database (404)"),
        ((423, JSON, '{"error": "The Firebase database has been deactivated."}'), "was deactivated by its owner (423)"),
        ((402, JSON, '{"error": "Payment Required"}'), "the database has used up its quota (402)"),
        ((401, JSON, '{"error": "Something else"}'), "its answer is not as Firebase describes it (401)"),
        ((401, {}, "<html>Sign in</html>"), "its answer is not as Firebase describes it (401)"),
        ((200, JSON, "<html>Welcome</html>"), "its answer is not as Firebase describes it (200)"),
        ((200, JSON, '{"error": "Permission denied"}'), "its answer is not as Firebase describes it (200)"),
        ((200, JSON, "[" * 100_000), "its answer is not as Firebase describes it (200)"),
        ((307, {"Location": "https://elsewhere.test/"}, ""), "it redirects (307), which is not followed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_says_neither(answer: Answer, said: str) -> None:
    """Unknown, with the reason."""
    (state, reason), _ = told(answer)
    assert (state, said in reason) == ("unknown", True), reason


@pytest.mark.parametrize("made_up", [(200, JSON, "{}"), (204, {}, "")], ids=["data", "nothing"])
def test_a_server_that_refuses_no_credential(made_up: Answer) -> None:
    """Whatever it says then is not believed."""
    assert told((200, JSON, "{}"), made_up)[0] == ("unknown", ASKED_AGAIN)


def test_the_databases_own_host(fresh: Fresh) -> None:
    """Of both forms; no credential goes there."""
    text = f'a = "https://{HOST}"\nb = "https://{ELSEWHERE}"\n'
    planned = plan(scan("-", stdin=text.encode()).findings, VerifyOptions(utc(2027)))
    assert planned.hosts() == [(ELSEWHERE, 1), (HOST, 1)]


# --- secrets of databases --------------------------------------------------------------------------------------------

RULES: Answer = (200, JSON, '/* v2 */ {"rules": {".read": "auth.uid != null"}}')


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ((200, JSON, '{\n  "rules": {".read": false} }'), "live", "owner of database acme-app"),
        (RULES, "live", "owner of database acme-app"),
        (NO_TOKEN, "dead", "database acme-app does not take it (401)"),
        (CLOSED, "dead", "database acme-app does not take it (401)"),
        ((200, JSON, "{}"), "unknown", "127.0.0.1: its answer is not as Firebase describes it (200)"),
        ((401, {}, "<html>"), "unknown", "127.0.0.1: its answer is not as Firebase describes it (401)"),
        ((404, JSON, "{}"), "unknown", "127.0.0.1: there is no such database (404)"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_secret_reads_the_rules(fresh: Fresh, answer: Answer, state: str, reason: str) -> None:
    """Of the database in whose URL it stands; no data is asked for."""
    secret = fresh("mixed:40").decode()

    def answering(request: Request) -> Answer:
        return answer if request.query.get("auth") == secret else NO_TOKEN

    with provider(answering) as (url, asked):
        text = f"curl 'https://{HOST}/users.json?auth={secret}'\n"
        found = {one.finding.detector.id: one for one in found_in(text, f"firebase={url}")}
    verdict = found["firebase-database-secret"].finding.verdict
    assert (verdict.state, verdict.reason) == (state, reason)
    sent = [(request.method, request.path) for request in asked if secret in request.target]
    assert sent == [("GET", "/.settings/rules.json")]
    if state == "live":
        assert dict(verdict.facts) == {"database": "acme-app", "privilege": "full", "scope": "container"}
        assert found["firebase-database-secret"].band == "critical"


def test_a_secret_without_its_database(fresh: Fresh) -> None:
    """Nobody can be asked."""
    assert verdict(f"FIREBASE_SECRET={fresh('mixed:40').decode()}\n") == (
        "unknown",
        "its host is not known, without which nobody can be asked (--verify-host firebase=HOST names it)",
    )
