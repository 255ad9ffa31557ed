"""Keys of Google service accounts, asked about at hosts of Google's names that check what is signed and answer as its
documentation says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from clouds import Answer, Asked, Clouds, clouds, found, verdict
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from oakum.scanner.model import Verdict
from oakum.scanner.verify.schemes.google_service_account import ADMIN, EDITS, PROJECTS, READS, TOKENS, WRITES
from scanning import Fresh

EMAIL, PROJECT = "deploy@acme-prod.iam.gserviceaccount.com", "acme-prod"
GIVEN = "ya29." + "a-token-of-tests"
EVIL = "tokens.example.com"
HOSTS = (TOKENS, PROJECTS, EVIL)


@cache
def a_key() -> rsa.RSAPrivateKey:
    """One for all tests: it takes a while to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def written(email: str = EMAIL, **more: str) -> str:
    """A key's file, as Google gives it."""
    file = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": pem(a_key()),
        "client_email": email,
        "client_id": "123456789012345678901",
        "token_uri": f"https://{TOKENS}/token",
    }
    return json.dumps(file | more, indent=2)


def claims_of(asked: Asked) -> dict[str, Any] | None:
    """What an assertion claims; None where the account's key did not sign it."""
    head, claims, signature = asked.form["assertion"].split(".")
    try:
        raw = base64.urlsafe_b64decode(signature + "==")
        a_key().public_key().verify(raw, f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return None
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return read


def failure(error: str, description: str, status: int = 400) -> Answer:
    return status, json.dumps({"error": error, "error_description": description})


SIGNATURE = failure("invalid_grant", "Invalid JWT Signature.")


def google(*permissions: str, answer: Answer | None = None) -> Callable[[Asked], Answer]:
    """Google, which gives a token (or `answer`) for what the account's key signed, and knows its permissions."""

    def answering(asked: Asked) -> Answer:
        if asked.host == PROJECTS:
            assert asked.headers["authorization"] == f"Bearer {GIVEN}"
            assert asked.path == f"/v1/projects/{PROJECT}:testIamPermissions"
            wanted = json.loads(asked.body)["permissions"]
            return 200, json.dumps({"permissions": [one for one in wanted if one in permissions]})
        claims = claims_of(asked)
        if claims is None:
            return SIGNATURE
        assert asked.path == "/token"
        assert (claims["iss"], claims["aud"]) == (EMAIL, f"https://{TOKENS}/token")
        assert claims["exp"] - claims["iat"] == 300
        return answer or (200, json.dumps({"access_token": GIVEN, "expires_in": 3599, "token_type": "Bearer"}))

    return answering


def asked_about(tmp_path: Path, text: str, answering: Callable[[Asked], Answer]) -> tuple[Verdict, Clouds]:
    with clouds(tmp_path, answering, *HOSTS) as internet:
        return verdict(tmp_path / "tree", text, internet.options()), internet


RIGHTS = {
    "owner": ((*ADMIN, *WRITES, *READS), "admin", ADMIN[0]),
    "editor": (
        (*WRITES, *READS),
        "full",
        "compute.instances.delete, storage.buckets.delete, iam.serviceAccounts.actAs and 1 more",
    ),
    "uploader": (("storage.objects.create", "storage.objects.get"), "write", "storage.objects.create"),
    "viewer": (("storage.objects.get", "storage.objects.list"), "read", "storage.objects.get, storage.objects.list"),
}


@pytest.mark.parametrize("role", RIGHTS)
def test_a_live_key_is_known_by_account_project_and_rights(tmp_path: Path, role: str) -> None:
    """The most that it may do with its project."""
    permissions, privilege, named = RIGHTS[role]
    said, internet = asked_about(tmp_path, written(), google(*permissions))
    rights = (("privilege", privilege), ("permissions", named), ("scope", "project"))
    facts = (("email", EMAIL), ("project", PROJECT), *rights)
    assert said == Verdict("live", f"{EMAIL}; project {PROJECT}", facts, TOKENS)
    assert internet.hosts() == [TOKENS, TOKENS, PROJECTS, TOKENS], "made up, real, rights, and made up again"
    assert not internet.holds(pem(a_key()).encode()[60:100])
    assert set(EDITS) < set(WRITES)


def test_rights_decide_the_rank(tmp_path: Path) -> None:
    """An owner's key is critical."""
    with clouds(tmp_path, google(*ADMIN, *WRITES, *READS), *HOSTS) as internet:
        (one,) = found(tmp_path / "tree", written(), internet.options())
    assert (one.band, one.finding.known["privilege"]) == ("critical", "admin")
    assert ", live: administrator's rights" in one.summary
    assert one.summary.endswith(f"; {EMAIL}; project {PROJECT}")


@pytest.mark.parametrize("answer", [(403, "{}"), (200, "{}"), (200, "[]"), (503, ""), (200, '{"permissions": 7}')])
def test_where_rights_are_not_told_it_is_live_all_the_same(tmp_path: Path, answer: Answer) -> None:
    """The API may be switched off in its project."""
    known = google()
    said, _ = asked_about(tmp_path, written(), lambda asked: answer if asked.host == PROJECTS else known(asked))
    assert said == Verdict("live", f"{EMAIL}; project {PROJECT}", (("email", EMAIL), ("project", PROJECT)), TOKENS)


DEAD = {
    "deleted key": (SIGNATURE, "it is no key of its account: deleted, switched off or expired"),
    "deleted account": (failure("invalid_grant", "Invalid grant: account not found"), "its account is deleted"),
    "switched off": (failure("disabled_client", "The OAuth client was disabled.", 401), "its account is switched off"),
}


@pytest.mark.parametrize("case", DEAD)
def test_keys_of_which_google_says_so_are_dead(tmp_path: Path, case: str) -> None:
    """In the words of its page."""
    answer, reason = DEAD[case]
    said, _ = asked_about(tmp_path, written(), google(answer=answer))
    assert said == Verdict("dead", reason, (), TOKENS)


NOTHING = {
    "clock": (
        failure("invalid_grant", "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."),
        "it takes the time of this machine for wrong: set its clock",
    ),
    "another grant": (failure("invalid_grant", "Not a valid email."), "it answers 400"),
    "policy": (failure("access_denied", "no"), "it answers 400"),
    "scope": (failure("invalid_scope", "no"), "it answers 400"),
    "no words": ((400, '{"error": "invalid_grant"}'), "it answers 400"),
    "forbidden": (failure("invalid_grant", "Invalid JWT Signature.", 403), None),
    "no token": ((200, '{"access_token": ""}'), "its answer is not as the provider describes it (200)"),
    "garbage": ((200, "<html>"), "its answer is not as the provider describes it (200)"),
    "redirect": ((302, "", {"Location": f"https://{EVIL}/"}), "it redirects (302), which is not followed"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_other_answers_prove_nothing(tmp_path: Path, case: str) -> None:
    """Neither life nor death."""
    answer, reason = NOTHING[case]
    said, internet = asked_about(tmp_path, written(), google(answer=answer))
    refuses = "it refuses, and does not say that the secret is wrong (403)"
    assert said == Verdict("unknown", f"{TOKENS}: {reason or refuses}")
    assert set(internet.hosts()) == {TOKENS}


def test_a_host_that_gives_anybody_a_token_is_not_believed(tmp_path: Path) -> None:
    """It gets nothing that the real key signed."""
    said, internet = asked_about(tmp_path, written(), lambda _asked: (200, json.dumps({"access_token": GIVEN})))
    assert said.state == "unknown"
    assert "accepts anything" in said.reason
    assert all(claims_of(one) is None for one in internet.asked if one.host == TOKENS)


def test_the_address_in_the_file_is_not_asked(tmp_path: Path) -> None:
    """Whoever wrote the file could have any token sent to himself."""
    said, internet = asked_about(tmp_path, written(token_uri=f"https://{EVIL}/token"), google(*ADMIN))
    assert said.state == "live"
    assert EVIL not in internet.hosts()


def test_a_file_that_stands_as_text_in_another_is_read(tmp_path: Path) -> None:
    """Its line ends are escaped twice."""
    said, _ = asked_about(tmp_path, json.dumps(written()), google(*ADMIN))
    assert said.state == "live"


def test_an_account_of_another_cloud_is_not_dead(tmp_path: Path) -> None:
    """Google does not know those of clouds that partners run."""
    foreign = "deploy@acme-prod.s3ns.iam.gserviceaccount.com"
    missing = failure("invalid_grant", "Invalid grant: account not found")
    said, _ = asked_about(tmp_path, written(foreign), lambda _asked: missing)
    assert said == Verdict("unknown", f"{TOKENS}: it answers 400")


def test_a_damaged_key_is_not_sent_anywhere(tmp_path: Path, fresh: Fresh) -> None:
    """Nothing can be signed with it."""
    damaged = fresh("google_service_account").decode().replace("\\n", "\n")
    said, internet = asked_about(tmp_path, written(private_key=damaged), google())
    assert said == Verdict("unknown", f"{TOKENS}: its key cannot be read: it is damaged, or none of RSA")
    assert all(claims_of(one) is None for one in internet.asked)
