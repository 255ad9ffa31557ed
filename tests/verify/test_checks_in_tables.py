"""What tables of detector files can say of a check, asked of a server on loopback through the whole program."""

from __future__ import annotations

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from random import Random

import pytest
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.model import Verdict
from oakum.scanner.net.http import Answer, Request
from oakum.scanner.net.urls import Url
from oakum.scanner.verification import Condition
from oakum.scanner.verify import Named, VerifyOptions
from oakum.scanner.verify.answers import Told, privilege_of
from scanning import scan
from servers import answer, told

KNOWN = '{"data": {"accessor": "a", "display_name": "token-ci", "policies": ["default", "root"], "expire_time": null}}'
UNKNOWN = '{"errors": ["2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n"]}'


def verdict(text: str, *named: str) -> Verdict:
    """That of the one finding in a text."""
    options = VerifyOptions(now=datetime(2027, 1, 1, tzinfo=UTC), named=Named.read(named), seconds=20, answer=5)
    (one,) = scan("-", stdin=text.encode(), environment={}, verify=options).findings
    return one.finding.verdict


def drawn(name: str) -> str:
    """A made-up value for a detector."""
    detector = next(one for one in catalog.load() if one.id == name)
    return samples.draw(detector.sample, detector.regex, Random(f"checks in tables {name}")).decode()


def test_a_host_that_the_user_names_stands_in_for_one_that_no_data_name() -> None:
    """A Vault token does not say where its Vault is."""
    token = drawn("hashicorp-vault-service-token")

    def answering(to: BaseHTTPRequestHandler, _number: int) -> None:
        body, status = {token: (KNOWN, 200)}.get(to.headers["X-Vault-Token"], (UNKNOWN, 403))
        answer(to, body, status, Content_Type="application/json")

    with told(answering) as (url, asked):
        said = verdict(f"export VAULT_TOKEN={token}\n", f"hashicorp={url}")
    assert (said.state, said.reason) == ("live", "token-ci; scopes default, root")
    assert ("privilege", "admin") in said.facts
    assert set(asked.targets) == {"/v1/auth/token/lookup-self"}


def test_a_token_that_its_server_does_not_know_is_dead() -> None:
    """Where the user says which server it is, its refusal counts."""
    token = drawn("hashicorp-vault-service-token")
    with told(lambda to, _number: answer(to, UNKNOWN, 403)) as (url, _):
        assert verdict(f"export VAULT_TOKEN={token}\n", f"hashicorp={url}").state == "dead"


def test_without_a_host_nothing_is_asked_and_it_says_how() -> None:
    """The reason names the option."""
    said = verdict(f"export VAULT_TOKEN={drawn('hashicorp-vault-service-token')}\n")
    assert (said.state, said.reason) == (
        "unknown",
        "its host is not known, without which nobody can be asked (--verify-host hashicorp=HOST names it)",
    )


def test_a_refusal_that_may_have_another_reason_leaves_it_open() -> None:
    """npm refuses whoami to tokens that are restricted, too: the table has no `dead`."""
    token = drawn("npm-access-token")
    with told(lambda to, _number: answer(to, '{"error": "Unauthorized"}', 401)) as (url, _):
        assert verdict(f"NPM_TOKEN={token}\n", f"npm={url}").state == "unknown"


def test_a_colon_in_a_path_stays_as_it_is_written() -> None:
    """Telegram's tokens stand in the path, and have one."""
    token = drawn("telegram-bot-token")

    def answering(to: BaseHTTPRequestHandler, _number: int) -> None:
        if to.path == f"/bot{token}/getMe":
            answer(to, '{"ok": true, "result": {"is_bot": true, "username": "acme_bot"}}')
        else:
            answer(to, '{"ok": false, "error_code": 401, "description": "Unauthorized"}', 401)

    with told(answering) as (url, _):
        said = verdict(f"TELEGRAM_BOT_TOKEN={token}\n", f"telegram={url}")
    assert (said.state, said.reason) == ("live", "user acme_bot")


def test_an_answer_may_have_to_be_empty() -> None:
    """A provider that says yes with 204 says nothing else."""
    condition = Condition(status=(204,), empty=True)
    yes, other = (Told(Answer(Request(Url("https", "provider")), 204, {}, body)) for body in (b"", b"<html>"))
    assert (yes.meets([condition]), other.meets([condition])) == (True, False)


@pytest.mark.parametrize(
    ("scopes", "privilege"),
    [
        (["org:read"], "read"),
        (["org:read", "project:admin"], "admin"),
        (["org:releases"], "write"),
        (["write_products"], "write"),
        (["other"], ""),
        ([], ""),
    ],
)
def test_scopes_are_told_by_how_they_begin_and_end(scopes: list[str], privilege: str) -> None:
    """The most that one of them allows."""
    wanted = {"admin": ["*:admin"], "write": ["write_*", "org:releases"], "read": ["*:read"]}
    assert privilege_of(scopes, wanted) == privilege
