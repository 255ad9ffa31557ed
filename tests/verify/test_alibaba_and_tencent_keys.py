"""Access keys of Alibaba Cloud and Tencent Cloud, asked about at hosts of their names that make each signature as their
pages describe it, and answer as these say.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clouds import Answer, Asked, Clouds, clouds, verdict
from oakum.scanner.model import Verdict
from oakum.scanner.verify.schemes.alibaba import HOST
from oakum.scanner.verify.schemes.tencent import HOSTS
from scanning import Fresh

pytestmark = pytest.mark.long

EVERY = (HOST, *HOSTS)
NOT_ITS = "it is not the secret of the key id beside it: it may belong to another"
Key = tuple[str, str]


def asked_about(tmp_path: Path, text: str, answering: Callable[[Asked], Answer]) -> tuple[Verdict, Clouds]:
    with clouds(tmp_path, answering, *EVERY) as internet:
        return verdict(tmp_path / "tree", text, internet.options(pause=0.05)), internet


def canonical(asked: Asked, names: list[str]) -> str:
    headers = "".join(f"{name}:{asked.headers[name]}\n" for name in names)
    return f"POST\n/\n\n{headers}\n{';'.join(names)}\n{hashlib.sha256(asked.body).hexdigest()}"


def parts_of(asked: Asked) -> dict[str, str]:
    """The parts of the header that holds the signature."""
    _, _, rest = asked.headers["authorization"].partition(" ")
    return dict(part.strip().split("=", 1) for part in rest.split(","))


def digest(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()


# --- Alibaba Cloud ---------------------------------------------------------------------------------------------------


@pytest.fixture
def alibaba_key(fresh: Fresh) -> Key:
    return "LTAI" + fresh("alnum:20").decode(), fresh("mixed:30").decode()


def by_alibaba(asked: Asked, key: Key) -> str:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature"""
    names = parts_of(asked)["SignedHeaders"].split(";")
    assert {"host", *(name for name in asked.headers if name.startswith("x-acs-"))} <= set(names)
    assert asked.headers["x-acs-content-sha256"] == hashlib.sha256(asked.body).hexdigest()
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical(asked, names).encode()).hexdigest()}"
    return digest(key[1].encode(), text).hex()


def refusal(code: str, status: int = 400) -> Answer:
    return status, json.dumps({"RequestId": "1", "Code": code, "Message": "no", "HostId": HOST})


def alibaba(key: Key, answer: Answer) -> Callable[[Asked], Answer]:
    """STS that knows one key."""

    def answering(asked: Asked) -> Answer:
        assert (asked.headers["x-acs-action"], asked.headers["x-acs-version"]) == ("GetCallerIdentity", "2015-04-01")
        if parts_of(asked)["Credential"] != key[0]:
            return refusal("InvalidAccessKeyId.NotFound", 404)
        signed = parts_of(asked)["Signature"] == by_alibaba(asked, key)
        return answer if signed else refusal("SignatureDoesNotMatch")

    return answering


def alibaba_identity(resource: str) -> Answer:
    arn = f"acs:ram::1968132000123456:{resource}"
    told = {
        "IdentityType": "RAMUser",
        "AccountId": "1968132000123456",
        "RequestId": "1",
        "PrincipalId": "2",
        "Arn": arn,
    }
    return 200, json.dumps(told)


def as_alibaba_writes(key: Key) -> str:
    return f"ALIBABA_CLOUD_ACCESS_KEY_ID={key[0]}\nALIBABA_CLOUD_ACCESS_KEY_SECRET={key[1]}\n"


@pytest.mark.parametrize(
    ("resource", "who", "rights"),
    [("user/admin", "user admin", ()), ("root", "root", (("privilege", "admin"),))],
)
def test_a_live_key_of_alibaba_is_known_by_user_and_account(
    tmp_path: Path, alibaba_key: Key, resource: str, who: str, rights: tuple[tuple[str, str], ...]
) -> None:
    """The account itself is its administrator."""
    said, internet = asked_about(
        tmp_path, as_alibaba_writes(alibaba_key), alibaba(alibaba_key, alibaba_identity(resource))
    )
    name = f"{who} of account 1968132000123456"
    assert said == Verdict("live", name, (("identity", name), ("account", "1968132000123456"), *rights), HOST)
    assert internet.hosts() == [HOST] * 3
    assert not internet.holds(alibaba_key[1].encode())
    assert len({one.headers["x-acs-signature-nonce"] for one in internet.asked}) == 3


def test_keys_that_alibaba_does_not_take_are_dead(tmp_path: Path, alibaba_key: Key, fresh: Fresh) -> None:
    """Deleted, switched off, or with the secret of another."""
    text, other = as_alibaba_writes(alibaba_key), ("LTAI" + fresh("alnum:20").decode(), alibaba_key[1])
    for answering, reason in (
        (alibaba(other, alibaba_identity("root")), "there is no such access key"),
        (alibaba(alibaba_key, refusal("InvalidAccessKeyId.Inactive")), "its access key is switched off"),
        (
            alibaba((alibaba_key[0], fresh("mixed:30").decode()), alibaba_identity("root")),
            "its secret is not that of the access key beside it",
        ),
    ):
        assert asked_about(tmp_path, text, answering)[0] == Verdict("dead", reason, (), HOST)


def test_the_ids_near_a_secret_of_alibaba_are_tried(tmp_path: Path, alibaba_key: Key, fresh: Fresh) -> None:
    """The nearest one is another's."""
    other = ("LTAI" + fresh("alnum:20").decode(), fresh("mixed:30").decode())
    text = "".join(f"ALIBABA_CLOUD_ACCESS_KEY_ID={one}\n" for one in (alibaba_key[0], other[0]))
    text += f"ALIBABA_CLOUD_ACCESS_KEY_SECRET={alibaba_key[1]}\n"
    with clouds(tmp_path, alibaba(alibaba_key, alibaba_identity("root")), HOST) as internet:
        said = verdict(tmp_path / "tree", text, internet.options(), "alibaba-access-key-pair")
    assert (
        said.reason
        == f"root of account 1968132000123456; its key id is {alibaba_key[0][:8]}…[masked], which stands near it"
    )
    with clouds(tmp_path, lambda _asked: refusal("SignatureDoesNotMatch"), HOST) as internet:
        said = verdict(tmp_path / "tree", text, internet.options(), "alibaba-access-key-pair")
    assert said == Verdict("unknown", f"{HOST}: {NOT_ITS}")


@pytest.mark.parametrize(
    "answer",
    [
        refusal("InvalidTimeStamp.Expired"),
        refusal("NoPermission", 403),
        refusal("InvalidAccessKeyId.NotFound", 500),
        (200, json.dumps({"Code": "InvalidAccessKeyId.NotFound"})),
        (200, json.dumps({"Arn": "acs:ram::1968132000123456:root", "AccountId": "1"})),
        (200, "[]"),
        (302, "", {"Location": "https://example.com"}),
    ],
)
def test_other_answers_of_alibaba_prove_nothing(tmp_path: Path, alibaba_key: Key, answer: Answer) -> None:
    """Nor does one who takes anything."""
    text = as_alibaba_writes(alibaba_key)
    assert asked_about(tmp_path, text, alibaba(alibaba_key, answer))[0].state == "unknown"
    anything, internet = asked_about(tmp_path, text, lambda _asked: alibaba_identity("root"))
    assert "accepts anything" in anything.reason
    assert internet.hosts() == [HOST]


# --- Tencent Cloud ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tencent_key(fresh: Fresh) -> Key:
    return "AKID" + fresh("alnum:32").decode(), fresh("mixed:32").decode()


def by_tencent(asked: Asked, key: Key) -> str:
    """https://www.tencentcloud.com/document/product/1150/49452"""
    scope = parts_of(asked)["Credential"].partition("/")[2]
    day, service, _ = scope.split("/")
    assert service == "sts"
    hashed = hashlib.sha256(canonical(asked, ["content-type", "host"]).encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{asked.headers['x-tc-timestamp']}\n{scope}\n{hashed}"
    made = digest(digest(digest(f"TC3{key[1]}".encode(), day), service), "tc3_request")
    return digest(made, text).hex()


def error(code: str) -> Answer:
    return 200, json.dumps({"Response": {"Error": {"Code": code, "Message": "no"}, "RequestId": "1"}})


def tencent_identity(user: str = "100028910001") -> Answer:
    told = {"Type": "CAMUser", "AccountId": "100028910000", "UserId": user, "PrincipalId": user, "RequestId": "1"}
    return 200, json.dumps({"Response": told | {"Arn": f"qcs::cam::uin/100028910000:uin/{user}"}})


def tencent(key: Key, answer: Answer, host: str = HOSTS[0]) -> Callable[[Asked], Answer]:
    """STS of both sites, one of which knows one key."""

    def answering(asked: Asked) -> Answer:
        assert (asked.headers["x-tc-action"], asked.headers["x-tc-version"]) == ("GetCallerIdentity", "2018-08-13")
        if not parts_of(asked)["Credential"].startswith(f"{key[0]}/") or asked.host != host:
            return error("AuthFailure.SecretIdNotFound")
        signed = parts_of(asked)["Signature"] == by_tencent(asked, key)
        return answer if signed else error("AuthFailure.SignatureFailure")

    return answering


def as_tencent_writes(key: Key) -> str:
    return f"TENCENTCLOUD_SECRET_ID={key[0]}\nTENCENTCLOUD_SECRET_KEY={key[1]}\n"


@pytest.mark.parametrize("host", HOSTS)
def test_a_live_key_of_tencent_is_known_at_either_site(tmp_path: Path, tencent_key: Key, host: str) -> None:
    """By its user and account."""
    said, internet = asked_about(
        tmp_path, as_tencent_writes(tencent_key), tencent(tencent_key, tencent_identity(), host)
    )
    name = "user 100028910001 of account 100028910000"
    assert (said.state, said.reason) == ("live", name)
    assert said.facts == (("identity", name), ("account", "100028910000"))
    assert not internet.holds(tencent_key[1].encode())
    root, _ = asked_about(
        tmp_path, as_tencent_writes(tencent_key), tencent(tencent_key, tencent_identity("100028910000"), host)
    )
    assert root.reason == "root of account 100028910000"
    assert dict(root.facts)["privilege"] == "admin"


def test_keys_that_tencent_does_not_take_are_dead(tmp_path: Path, tencent_key: Key, fresh: Fresh) -> None:
    """Those that neither site knows, and those with the secret of another."""
    text, secret = as_tencent_writes(tencent_key), fresh("mixed:32").decode()
    said, internet = asked_about(tmp_path, text, tencent(("AKID", ""), tencent_identity()))
    assert (said.state, said.reason) == ("dead", "there is no such key, or it is switched off")
    assert set(internet.hosts()) == set(HOSTS)
    said, _ = asked_about(tmp_path, text, tencent((tencent_key[0], secret), tencent_identity()))
    assert (said.state, said.reason) == ("dead", "its secret is not that of the id beside it")


def test_the_ids_near_a_secret_of_tencent_are_tried(tmp_path: Path, tencent_key: Key, fresh: Fresh) -> None:
    """The nearest one is another's."""
    text = "".join(f"TENCENTCLOUD_SECRET_ID={one}\n" for one in (tencent_key[0], "AKID" + fresh("alnum:32").decode()))
    text += f"TENCENTCLOUD_SECRET_KEY={tencent_key[1]}\n"
    with clouds(tmp_path, tencent(tencent_key, tencent_identity()), *HOSTS) as internet:
        said = verdict(tmp_path / "tree", text, internet.options(), "tencent-secret-key")
    assert said.state == "live"
    assert dict(said.facts)["access_key_id"] == f"{tencent_key[0][:8]}…[masked]", "it is a finding of its own"
    with clouds(tmp_path, lambda _asked: error("AuthFailure.SignatureFailure"), *HOSTS) as internet:
        said = verdict(tmp_path / "tree", text, internet.options(), "tencent-secret-key")
    assert (said.state, said.reason) == ("unknown", f"{HOSTS[0]}: {NOT_ITS}")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error("AuthFailure.SignatureExpire"), "it takes the time of this machine for wrong: set its clock"),
        (error("AuthFailure.UnauthorizedOperation"), "it answers AuthFailure.UnauthorizedOperation"),
        (error("<script>"), "it answers something else"),
        (error("RequestLimitExceeded"), "it asks to come back later (RequestLimitExceeded), 3 times"),
        ((200, "[]"), "its answer is not as the provider describes it (200)"),
        ((200, '{"Response": {"AccountId": "1"}}'), "its answer is not as the provider describes it (200)"),
        ((404, ""), "it answers 404"),
    ],
)
def test_other_answers_of_tencent_prove_nothing(tmp_path: Path, tencent_key: Key, answer: Answer, reason: str) -> None:
    """Each with its reason."""
    said, _ = asked_about(tmp_path, as_tencent_writes(tencent_key), tencent(tencent_key, answer))
    assert said == Verdict("unknown", f"{HOSTS[0]}: {reason}")


def test_a_site_of_tencent_that_takes_anything_is_not_believed(tmp_path: Path, tencent_key: Key) -> None:
    """Neither the first one nor the second."""
    text = as_tencent_writes(tencent_key)
    for hosts in (HOSTS[:1], HOSTS[1:]):
        said, _ = asked_about(
            tmp_path,
            text,
            lambda one, hosts=hosts: (
                tencent_identity()  # type: ignore[misc]
                if one.host in hosts
                else error("AuthFailure.SecretIdNotFound")
            ),
        )
        assert said.state == "unknown"
        assert "accepts anything" in said.reason
