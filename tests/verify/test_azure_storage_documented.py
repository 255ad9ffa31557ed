"""Azure Storage's own hosts, and answers that Azurite does not give: a server that answers as the documentation says.

Recorded from https://learn.microsoft.com/rest/api/storageservices/sas-error-codes, status-and-error-codes2 and
https://learn.microsoft.com/rest/api/cosmos-db/list-databases; a signature that is right is the one made up here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from asked_providers import Answer, Request, found_in, provider, verdict
from git_repository import utc
from oakum.scanner.verify import VerifyOptions, plan
from scanning import Fresh, scan

DATE = "Thu, 26 Nov 2026 19:05:00 GMT"


def error(status: int, code: str, detail: str = "") -> Answer:
    """An error as the Blob service gives it."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>m</Message>{detail}</Error>'
    return status, {"x-ms-request-id": "0-0", "x-ms-error-code": code, "Date": DATE}, body


LISTED = '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Containers /></EnumerationResults>'
OK: Answer = (200, {"x-ms-request-id": "0-0"}, LISTED)
WRONG = error(
    403, "AuthenticationFailed", "<AuthenticationErrorDetail>Signature did not match.</AuthenticationErrorDetail>"
)


def sas(fresh: Fresh, **changed: str) -> tuple[str, str]:
    """A signature of an account, coded, and the query with it."""
    signature = fresh("base64:32").decode()
    coded = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    given = {"sv": "2022-11-02", "ss": "b", "srt": "sco", "sp": "rl", "se": "2090-01-01"} | changed
    return signature, "&".join(f"{name}={text}" for name, text in given.items() if text) + f"&sig={coded}"


def asked_with(
    fresh: Fresh, right: Answer, wrong: Answer = WRONG, **changed: str
) -> tuple[tuple[str, str], list[Request]]:
    """The verdict where the right signature has one answer and any other another; and what was asked for."""
    signature, query = sas(fresh, **changed)

    def answering(request: Request) -> Answer:
        return right if request.query.get("sig") == signature else wrong

    with provider(answering) as (url, asked):
        text = f"u = 'https://acmestore.blob.core.windows.net/backup/a.bak?{query}'\n"
        return verdict(text, f"azure={url}"), asked


def test_an_account_sas_lists_one_container(fresh: Fresh) -> None:
    """A wrong one is refused before, and again after; nothing but lists of one entry is asked for."""
    told, asked = asked_with(fresh, OK)
    assert told == ("live", "account acmestore: lists its containers")
    assert [(r.method, r.path, r.query["comp"], r.query["maxresults"]) for r in asked] == [
        ("GET", "/acmestore", "list", "1")
    ] * 3
    assert asked[1].query["sig"] not in (asked[0].query["sig"], asked[2].query["sig"])


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AuthorizationSourceIPMismatch", "it is refused from this address"),
        ("AuthorizationProtocolMismatch", "it is refused over this protocol"),
        ("AuthorizationPermissionMismatch", "it does not allow to read or list"),
        ("AuthorizationServiceMismatch", "it is for another service of the account"),
        ("AuthorizationResourceTypeMismatch", "it does not allow what was asked"),
    ],
)
def test_what_is_refused_here_is_live_where_a_wrong_signature_is_refused_as_wrong(
    fresh: Fresh, code: str, said: str
) -> None:
    """A server that looks at the address first says nothing of the signature."""
    told, _ = asked_with(fresh, error(403, code))
    assert told == ("live", f"account acmestore: its signature is right; {said} ({code})")
    told, _ = asked_with(fresh, error(403, code), wrong=error(403, code))
    assert told == ("unknown", f"127.0.0.1: it answers {code}, whatever the signature is")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error(403, "AuthorizationFailure"), "it refuses, which may be its network rules (AuthorizationFailure)"),
        (error(403, "AccountIsDisabled"), "its account is disabled (AccountIsDisabled)"),
        (
            error(403, "KeyBasedAuthenticationNotPermitted"),
            "its account takes no keys now, nor what is signed with them (KeyBasedAuthenticationNotPermitted)",
        ),
        (error(409, "PublicAccessNotPermitted"), "it takes it for a request without a credential"),
        (error(400, "InvalidQueryParameterValue"), "it answers 400 (InvalidQueryParameterValue)"),
        ((403, {}, "<Code>AuthenticationFailed</Code>"), "it answers 403 (AuthenticationFailed)"),
        ((200, {}, LISTED), "its answer is not as Azure describes it (200)"),
        ((200, {"x-ms-request-id": "0"}, "<html>Welcome</html>"), "its answer is not as Azure describes it (200)"),
        ((302, {"Location": "https://elsewhere.test/"}, ""), "it redirects (302), which is not followed"),
        ((403, {"x-ms-request-id": "0", "x-ms-error-code": "sig=x\u00e9 " * 9}, ""), "it answers 403"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_says_nothing_of_the_signature(fresh: Fresh, answer: Answer, said: str) -> None:
    """Network rules, an account that is shut, proxies and portals in between: unknown, with the reason."""
    (state, reason), _ = asked_with(fresh, answer)
    assert (state, reason.startswith(f"127.0.0.1: {said}")) == ("unknown", True), reason


def test_a_server_that_takes_all(fresh: Fresh) -> None:
    """A made-up signature went first: the real one was never sent."""
    signature, _ = sas(Fresh(fresh._name))
    told, asked = asked_with(fresh, OK, wrong=OK)
    assert told == ("unknown", "127.0.0.1: accepts anything: a made-up secret, too")
    assert signature not in [request.query["sig"] for request in asked]


def test_an_object_is_asked_for_by_its_head(fresh: Fresh) -> None:
    """The code stands in a header then."""
    service = {"ss": "", "srt": "", "sr": "b", "sp": "r"}
    (state, _), asked = asked_with(fresh, OK, **service)
    assert (state, {(r.method, r.path) for r in asked}) == ("live", {("HEAD", "/acmestore/backup/a.bak")})
    assert asked_with(fresh, WRONG, **service)[0][0] == "dead"
    gone, _ = asked_with(fresh, error(404, "BlobNotFound"), **service)
    assert gone == ("live", "account acmestore: its signature is right; what it opens is not there (BlobNotFound)")


def test_what_is_not_valid_yet_is_not_dead(fresh: Fresh) -> None:
    """By the clock of the server."""
    later, _ = asked_with(fresh, WRONG, st="2026-11-27T00:00:00Z")
    assert later == ("unknown", "127.0.0.1: it is not valid before 2026-11-27 00:00")
    assert asked_with(fresh, WRONG, st="2026-11-26T00:00:00Z")[0][0] == "dead"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sv": "2026-02-06", "srh": "x-acme"}, "headers or parameters are signed with it, which are not known"),
        ({"ss": "", "srt": "", "sr": "c", "sv": ""}, "it is of a version before 2012, which names none"),
    ],
    ids=["signed headers", "without a version"],
)
def test_what_cannot_be_asked_about(fresh: Fresh, changed: dict[str, str], why: str) -> None:
    """Nothing is sent."""
    _, query = sas(fresh, **changed)
    text = f"u = 'https://acmestore.blob.core.windows.net/backup/a.bak?{query}'\n"
    with provider(lambda _: OK) as (url, asked):
        assert verdict(text, f"azure={url}") == ("unknown", why)
    assert asked == []


@pytest.mark.parametrize(
    ("place", "changed", "host"),
    [
        ("acmestore.blob.core.windows.net/", {}, "acmestore.blob.core.windows.net"),
        ("acmestore.blob.core.windows.net/", {"ss": "fq"}, "acmestore.file.core.windows.net"),
        ("acmestore.queue.core.windows.net/", {"ss": "bqt"}, "acmestore.queue.core.windows.net"),
        ("acmestore-secondary.blob.core.windows.net/", {}, "acmestore-secondary.blob.core.windows.net"),
        ("acmestore.z01.dfs.storage.azure.net/raw", {}, "acmestore.z01.blob.storage.azure.net"),
        ("acmestore.blob.core.chinacloudapi.cn/", {}, "acmestore.blob.core.chinacloudapi.cn"),
        ("acmestore.blob.core.usgovcloudapi.net:443/", {}, "acmestore.blob.core.usgovcloudapi.net"),
        ("acmestore.dfs.core.windows.net/raw/day", {"ss": "", "srt": "", "sr": "c"}, "acmestore.blob.core.windows.net"),
        (
            "acmestore.dfs.core.windows.net/raw/day",
            {"ss": "", "srt": "", "sr": "d", "sdd": "1"},
            "acmestore.dfs.core.windows.net",
        ),
    ],
)
def test_the_host_is_the_accounts_own(fresh: Fresh, place: str, changed: dict[str, str], host: str) -> None:
    """That of the URL, or of the service that the signature is for."""
    _, query = sas(fresh, **changed)
    found = scan("-", stdin=f"u = 'https://{place}?{query}'\n".encode()).findings
    assert plan(found, VerifyOptions(utc(2027))).hosts() == [(host, 1)]


@pytest.mark.parametrize("host", ["files.acme.test", "acmestore.blob.core.windows.net.evil.test", "10.0.0.7"])
def test_another_host_is_not_the_providers(fresh: Fresh, host: str) -> None:
    """It must be named."""
    _, query = sas(fresh)
    found = scan("-", stdin=f"u = 'https://{host}/acmestore/x?{query}'\n".encode()).findings
    planned = plan(found, VerifyOptions(utc(2027)))
    assert (planned.questions, planned.unnamed) == ((), (host,))


# --- keys ------------------------------------------------------------------------------------------------------------


def hosts_of(text: str) -> tuple[list[str], tuple[str, ...]]:
    """The hosts that a key would go to, and those that would have to be named."""
    planned = plan(scan("-", stdin=text.encode()).findings, VerifyOptions(utc(2027)))
    return [host for host, _ in planned.hosts()], planned.unnamed


def test_where_the_account_of_a_key_lies(fresh: Fresh) -> None:
    """By what stands behind the key in a connection string."""
    text = "AccountName=acme;AccountKey={};{}\n"
    for rest, host in (
        ("EndpointSuffix=core.windows.net", "acme.blob.core.windows.net"),
        ("EndpointSuffix=core.chinacloudapi.cn", "acme.blob.core.chinacloudapi.cn"),
        ("BlobEndpoint=https://acme.z12.blob.storage.azure.net/", "acme.z12.blob.storage.azure.net"),
        ("TableEndpoint=x", "acme.blob.core.windows.net"),
    ):
        assert hosts_of(text.format(fresh("base64:64").decode(), rest)) == ([host], ())
    for rest in ("EndpointSuffix=stack.acme.test", "BlobEndpoint=https://acme.blob.stack.acme.test/"):
        assert hosts_of(text.format(fresh("base64:64").decode(), rest)) == ([], ("acme.blob.stack.acme.test",))
    assert hosts_of(f"AZURE_STORAGE_KEY={fresh('base64:64').decode()}\n") == ([], ())


def test_a_key_is_signed_with_and_never_sent(fresh: Fresh) -> None:
    """With the time of the server: the first request asks for it. A wrong clock here makes no key wrong."""
    key = fresh("base64:64").decode()

    def answering(request: Request) -> Answer:
        if "authorization" not in request.headers:
            return error(401, "NoAuthenticationInformation")
        signed = (
            "GET" + "\n" * 12 + f"x-ms-date:{DATE}\nx-ms-version:2021-12-02\n/acmestore/acmestore"
            "\ncomp:list\nmaxresults:1"
        )
        right = base64.b64encode(hmac.digest(base64.b64decode(key), signed.encode(), hashlib.sha256)).decode()
        return OK if request.headers["authorization"] == f"SharedKey acmestore:{right}" else WRONG

    with provider(answering) as (url, asked):
        text = f"AccountName=acmestore;AccountKey={key};EndpointSuffix=core.windows.net\n"
        assert verdict(text, f"azure={url}") == ("live", "a key of account acmestore")
    assert key not in repr([(r, r.headers) for r in asked])
    assert {(r.method, r.target, r.body) for r in asked} == {("GET", "/acmestore?comp=list&maxresults=1", b"")}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, {"Date": DATE}, '{"_rid": "", "Databases": [], "_count": 0}'), "live"),
        ((401, {"Date": DATE}, '{"code": "Unauthorized", "message": "The input authorization token"}'), "dead"),
        ((403, {"Date": DATE}, '{"code": "Forbidden", "message": "Request originated from IP"}'), "unknown"),
        ((401, {"Date": DATE}, "<html>Sign in</html>"), "unknown"),
        ((200, {"Date": DATE}, '{"Databases": "many"}'), "unknown"),
    ],
)
def test_a_key_of_cosmos_db(fresh: Fresh, answer: Answer, state: str) -> None:
    """It lists databases, at most one; the header is the one that the documentation describes."""
    key = fresh("base64:64").decode()
    unsigned = (401, {"Date": DATE}, '{"code": "Unauthorized", "message": "Required Header authorization is missing"}')
    signature = hmac.digest(base64.b64decode(key), f"get\ndbs\n\n{DATE.lower()}\n\n".encode(), hashlib.sha256)
    coded = base64.b64encode(signature).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")

    def answering(request: Request) -> Answer:
        right = request.headers.get("authorization") == f"type%3Dmaster%26ver%3D1.0%26sig%3D{coded}"
        return answer if right else unsigned

    with provider(answering) as (url, asked):
        text = f"AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={key};\n"
        (found,) = found_in(text, f"azure={url}")
    assert found.finding.verdict.state == state
    assert {(r.method, r.target) for r in asked} == {("GET", "/dbs")}
    told: Any = dict(found.finding.verdict.facts)
    assert told == ({"account": "acme", "scope": "account"} if state == "live" else {})
