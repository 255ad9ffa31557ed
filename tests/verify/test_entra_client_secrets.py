"""Client secrets of Microsoft Entra: a token service that answers as the documentation says.

Recorded from https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and
reference-error-codes.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from asked_providers import Answer, Request, found_in, provider, verdict
from scanning import Fresh

pytestmark = pytest.mark.long

JSON = {"Content-Type": "application/json; charset=utf-8"}


def token(claims: Any) -> str:
    """A token with these claims; nobody looks at its signature."""
    parts = ({"typ": "JWT", "alg": "RS256"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, "c2lnbmF0dXJl"])


def granted(claims: Any) -> Answer:
    """The answer to a right secret."""
    return 200, JSON, json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": token(claims)})


def refused(code: int, status: int = 401, error: str = "invalid_client") -> Answer:
    """An error of the token service."""
    told = {"error": error, "error_description": f"AADSTS{code}: …", "error_codes": [code], "trace_id": "0"}
    return status, JSON, json.dumps(told)


class World:
    """An application with its secret, as it stands in a file, and what its token service was asked."""

    def __init__(self, fresh: Fresh) -> None:
        self.secret = fresh("azure_client_secret").decode()
        self.client, self.tenant = fresh("guid").decode(), fresh("guid").decode()
        self.text = f"AZURE_TENANT_ID={self.tenant}\nAZURE_CLIENT_ID={self.client}\nAZURE_CLIENT_SECRET={self.secret}\n"
        self.asked: list[Request] = []

    def found(self, right: Answer, wrong: Answer | None = None) -> Any:
        """The finding, where the right secret has one answer and any other another."""
        wrong = wrong or refused(7000215)

        def answering(request: Request) -> Answer:
            return right if request.form["client_secret"] == self.secret else wrong

        with provider(answering) as (url, self.asked):
            (found,) = found_in(self.text, f"azure={url}")
        return found


def test_a_secret_that_is_taken(fresh: Fresh) -> None:
    """It is asked for a token for Graph, as its documentation says; the token tells what the application may do."""
    world = World(fresh)
    found = world.found(granted({"app_displayname": "nightly", "roles": ["User.Read.All", "Mail.ReadWrite"]}))
    verdict = found.finding.verdict
    assert (verdict.state, verdict.reason) == (
        "live",
        f"application {world.client} of tenant {world.tenant}; nightly; scopes User.Read.All, Mail.ReadWrite",
    )
    assert dict(verdict.facts) == {
        "name": "nightly",
        "scopes": "User.Read.All, Mail.ReadWrite",
        "privilege": "write",
    }
    assert found.band == "critical"
    assert {(r.method, r.target, r.headers["content-type"]) for r in world.asked} == {
        ("POST", f"/{world.tenant}/oauth2/v2.0/token", "application/x-www-form-urlencoded")
    }
    assert [r.form for r in world.asked if r.form.pop("client_secret") == world.secret] == [
        {
            "grant_type": "client_credentials",
            "client_id": world.client,
            "client_secret": world.secret,
            "scope": "https://graph.microsoft.com/.default",
        }
    ]


@pytest.mark.parametrize(
    ("roles", "privilege"),
    [
        (["RoleManagement.ReadWrite.Directory", "User.Read.All"], "admin"),
        (["Sites.FullControl.All"], "full"),
        (["Mail.Send"], "write"),
        (["Directory.Read.All"], "read"),
        ([], None),
        ("admin", None),
        ([{"role": 1}, None, "x" * 500, "a b"], None),
    ],
)
def test_the_privilege_is_the_most_that_a_role_allows(fresh: Fresh, roles: Any, privilege: str | None) -> None:
    """An application without roles for Graph may still have others."""
    found = World(fresh).found(granted({"roles": roles}))
    assert found.finding.verdict.state == "live"
    assert dict(found.finding.verdict.facts).get("privilege") == privilege


@pytest.mark.parametrize("access", ["opaque", "a.b.c", "a.!!!.c", "..", token([1]), token("x"), token({"roles": 7})])
def test_a_token_that_cannot_be_read_is_one_still(fresh: Fresh, access: str) -> None:
    """Its form is Microsoft's own business."""
    answer = json.dumps({"token_type": "Bearer", "access_token": access})
    found = World(fresh).found((200, JSON, answer))
    assert (found.finding.verdict.state, found.finding.verdict.facts) == ("live", ())


def test_an_answer_that_repeats_the_secret(fresh: Fresh) -> None:
    """None of it is told."""
    world = World(fresh)
    found = world.found(granted({"app_displayname": world.secret, "roles": [world.secret.replace("~", "")]}))
    assert world.secret not in repr(found.finding.verdict)
    assert found.finding.verdict.facts == ()


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (refused(7000215), "unknown", "it is not the secret of the client id beside it: it may belong to another"),
        (refused(7000222), "dead", "it has expired (AADSTS7000222)"),
        (refused(700016, 400, "unauthorized_client"), "unknown", "there is no such application in that tenant"),
        (refused(90002, 400, "invalid_request"), "unknown", "there is no such tenant (AADSTS90002)"),
        (refused(7000112, 400, "unauthorized_client"), "unknown", "the application is disabled (AADSTS7000112)"),
        (refused(53003, 400, "access_denied"), "unknown", "conditional access refuses it (AADSTS53003)"),
        (refused(90033, 400), "unknown", "it answers 400 (AADSTS90033)"),
        ((401, JSON, "<html>Sign in</html>"), "unknown", "it answers 401"),
        ((200, JSON, json.dumps({"error": "invalid_client", "error_codes": [7000215]})), "unknown", "it answers 200"),
        ((200, JSON, json.dumps({"access_token": "x"})), "unknown", "it answers 200"),
        ((401, JSON, json.dumps({"error": "x", "error_codes": "7000215"})), "unknown", "it answers 401"),
        ((401, JSON, json.dumps({"error": "x", "error_codes": [True, -1, "7000215"]})), "unknown", "it answers 401"),
        ((302, {"Location": "https://elsewhere.test/"}, ""), "unknown", "it answers 302"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_errors_by_their_numbers(fresh: Fresh, answer: Answer, state: str, said: str) -> None:
    """One says that the secret is dead; that it is wrong may be for it is another application's. The words beside them
    are for people, and are not read."""
    world = World(fresh)
    verdict = world.found(answer).finding.verdict
    assert (verdict.state, said in verdict.reason) == (state, True), verdict.reason
    if state == "dead":
        assert f"as the secret of application {world.client} it" in verdict.reason


def test_a_service_that_grants_anything(fresh: Fresh) -> None:
    """The real secret is never sent to it."""
    world = World(fresh)
    found = world.found(granted({}), wrong=granted({}))
    assert found.finding.verdict.reason == "127.0.0.1: accepts anything: a made-up secret, too"
    assert world.secret not in [request.form["client_secret"] for request in world.asked]


def test_a_secret_that_stands_alone(fresh: Fresh) -> None:
    """Nobody can be asked whose it is."""
    world = World(fresh)
    assert verdict(f'secret = "{world.secret}"\n') == (
        "unknown",
        "its client id is not known, without which nobody can be asked",
    )
