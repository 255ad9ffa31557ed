"""Access keys of AWS, asked about at hosts of AWS's names that answer as its documentation says; moto is in
test_aws_keys_of_moto.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from clouds import Answer, Asked, clouds, found, verdict
from oakum.scanner.model import Verdict
from oakum.scanner.verify.schemes.aws import IAM, STS
from scanning import Fresh

pytestmark = pytest.mark.long

HOSTS = (*STS, IAM)
ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
WRONG = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def identity(arn: str) -> Answer:
    """As https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html shows it."""
    return 200, (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{arn.split(':')[4]}</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>01234567-89ab</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


def refusal(code: str, message: str = "no", status: int = 403) -> Answer:
    """As the query services of AWS refuse."""
    return status, (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>01234567-89ab</RequestId></ErrorResponse>"
    )


UNKNOWN = refusal("InvalidClientTokenId", "The security token included in the request is invalid.")


def a_key(fresh: Fresh, prefix: str = "AKIA") -> tuple[str, str]:
    """The id and the secret of a fresh key."""
    return prefix + fresh("aws_access_key_id").decode()[4:], fresh("aws_secret_key").decode()


def written(key: tuple[str, str], token: str = "") -> str:
    """A key as AWS's own tools write it."""
    lines = f"[default]\naws_access_key_id = {key[0]}\naws_secret_access_key = {key[1]}\n"
    return lines + (f"aws_session_token = {token}\n" if token else "")


def is_signed_by(asked: Asked, key: tuple[str, str]) -> bool:
    """Whether a request is signed with a key's secret, as AWS's own library would sign it."""
    name, _, region, service, rest = asked.headers["authorization"].split("Credential=")[1].split("/")
    names = rest.split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {one: asked.headers[one] for one in names}
    request = AWSRequest("POST", f"https://{asked.host}/", headers, asked.body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(*key), service, region)
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return name == key[0] and asked.headers["authorization"].endswith(f"Signature={signature}")


class Takes:
    """STS that knows one key, and answers what is signed with its secret so, one answer after the other, the last one
    for ever; and IAM that denies everything."""

    def __init__(self, key: tuple[str, str], *answers: Answer) -> None:
        self._key, self._answers = key, list(answers)

    def __call__(self, asked: Asked) -> Answer:
        if asked.form["Action"] != "GetCallerIdentity":
            return refusal("AccessDenied", "is not authorized to perform: " + asked.form["Action"])
        if not is_signed_by(asked, self._key):
            return refusal("SignatureDoesNotMatch", WRONG)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def asked_about(tmp_path: Path, text: str, answering: Callable[[Asked], Answer], detector: str = "") -> Verdict:
    """The verdict when the hosts answer so."""
    with clouds(tmp_path, answering, *HOSTS) as internet:
        return verdict(tmp_path / "tree", text, internet.options(), detector)


def test_a_live_key_of_root_is_an_administrators(tmp_path: Path, fresh: Fresh) -> None:
    """Its policies need not be read: nothing limits it."""
    key = a_key(fresh)
    with clouds(tmp_path, Takes(key, identity(ROOT)), *HOSTS) as internet:
        (one,) = found(tmp_path / "tree", written(key), internet.options())
    facts = (("identity", f"root of account {ACCOUNT}"), ("account", ACCOUNT), ("privilege", "admin"))
    assert one.finding.verdict == Verdict("live", f"root of account {ACCOUNT}", facts, "sts.amazonaws.com")
    assert one.band == "critical"
    assert internet.hosts() == ["sts.amazonaws.com"] * 3, "made up, real, and made up again"


def test_the_secret_is_never_sent(tmp_path: Path, fresh: Fresh) -> None:
    """It signs: nothing that is sent holds it, and each request is signed anew."""
    key = a_key(fresh)
    with clouds(tmp_path, Takes(key, identity(f"arn:aws:iam::{ACCOUNT}:user/ci")), *HOSTS) as internet:
        found(tmp_path / "tree", written(key), internet.options())
    assert internet.asked
    assert not internet.holds(key[1].encode())
    assert all(key[0] in one.headers["authorization"] for one in internet.asked)


def test_a_user_who_may_not_read_policies_is_live_all_the_same(tmp_path: Path, fresh: Fresh) -> None:
    """What it may do stays open."""
    key = a_key(fresh)
    said = asked_about(tmp_path, written(key), Takes(key, identity(f"arn:aws:iam::{ACCOUNT}:user/a/b/ci")))
    facts = (("identity", f"user ci of account {ACCOUNT}"), ("account", ACCOUNT))
    assert said == Verdict("live", f"user ci of account {ACCOUNT}", facts, "sts.amazonaws.com")


def test_a_role_is_named_without_its_session(tmp_path: Path, fresh: Fresh) -> None:
    """The session's name changes each time."""
    key = a_key(fresh)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/session-7"
    said = asked_about(tmp_path, written(key), Takes(key, identity(arn)))
    assert (said.state, said.reason) == ("live", f"role deploy of account {ACCOUNT}")


def test_what_no_partition_knows_is_dead(tmp_path: Path, fresh: Fresh) -> None:
    """Deleted or inactive: AWS says the same of both."""
    with clouds(tmp_path, lambda _asked: UNKNOWN, *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(a_key(fresh)), internet.options())
    reason = "no active key of sts.amazonaws.com nor any other partition: deleted, or switched off"
    assert said == Verdict("dead", reason, (), "sts.amazonaws.com")
    assert set(internet.hosts()) == set(STS)
    regions = {one.host: one.headers["authorization"].split("/")[2] for one in internet.asked}
    assert list(regions.values()) == ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"]


def test_a_key_of_another_partition_is_live_there(tmp_path: Path, fresh: Fresh) -> None:
    """The global endpoint does not know keys of China; their policies are not read, as their IAM is another host."""
    key = a_key(fresh)
    china = Takes(key, identity(f"arn:aws-cn:iam::{ACCOUNT}:user/ci"))

    def answering(asked: Asked) -> Answer:
        return china(asked) if asked.host.endswith(".cn") else UNKNOWN

    with clouds(tmp_path, answering, *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(key), internet.options())
    assert (said.state, said.reason) == ("live", f"user ci of account {ACCOUNT}")
    assert IAM not in internet.hosts()


def test_a_partition_that_takes_anything_is_not_believed(tmp_path: Path, fresh: Fresh) -> None:
    """It is tried with a made-up secret, too, before it is believed."""
    said = asked_about(
        tmp_path, written(a_key(fresh)), lambda one: identity(ROOT) if one.host.endswith(".cn") else UNKNOWN
    )
    assert said.state == "unknown"
    assert said.reason.endswith("sts.cn-north-1.amazonaws.com.cn accepts anything: a made-up secret, too")


def test_while_a_partition_is_silent_nothing_is_dead(tmp_path: Path, fresh: Fresh) -> None:
    """It could be the one that knows the key."""
    said = asked_about(tmp_path, written(a_key(fresh)), lambda one: (503, "") if one.host.endswith(".cn") else UNKNOWN)
    assert said.state == "unknown"
    assert "sts.cn-north-1.amazonaws.com.cn gives no answer" in said.reason


def test_another_keys_secret_is_dead(tmp_path: Path, fresh: Fresh) -> None:
    """AWS knows the id, and says that the signature is wrong."""
    key, other = a_key(fresh), a_key(fresh)
    said = asked_about(tmp_path, written(key), Takes((key[0], other[1]), identity(ROOT)))
    assert (said.state, said.reason) == ("dead", "its secret is not that of the access key beside it")


# --- several ids, several secrets ------------------------------------------------------------------------------------


def knows(*keys: tuple[str, str]) -> Callable[[Asked], Answer]:
    """STS that knows several keys, each of a user of its own."""
    users = {key[0]: Takes(key, identity(f"arn:aws:iam::{ACCOUNT}:user/{key[0]}")) for key in keys}

    def answering(asked: Asked) -> Answer:
        key = next((key for key in users if f"Credential={key}/" in asked.headers["authorization"]), "")
        return users[key](asked) if key else UNKNOWN

    return answering


ORDERS = ("I0 I1 S0 S1", "I0 I1 S1 S0", "S0 S1 I0 I1", "S1 S0 I0 I1", "I0 S1 S0 I1", "I0 S1 I1 S0", "I2 I0 I1 S1 S0")


@pytest.mark.parametrize("order", ORDERS)
def test_a_secret_is_tried_with_each_id_that_stands_near(tmp_path: Path, fresh: Fresh, order: str) -> None:
    """Whatever the order: no live key is called dead, and the verdict says which id is its own."""
    keys = [a_key(fresh) for _ in range(3)]
    named = {"I": "{}_AWS_ACCESS_KEY_ID={}\n", "S": "{}_AWS_SECRET_ACCESS_KEY={}\n"}
    text = "".join(
        named[one[0]].format("ABC"[int(one[1])], keys[int(one[1])]["IS".index(one[0])]) for one in order.split()
    )
    with clouds(tmp_path, knows(*keys[:2]), *HOSTS) as internet:
        told = found(tmp_path / "tree", text, internet.options())
    secrets = {key[1].encode(): key[0] for key in keys[:2]}
    both = [one.finding for one in told if one.finding.secret.reveal() in secrets]
    assert len(both) == 2
    for one in both:
        own = secrets[one.secret.reveal()]
        assert one.verdict.state == "live", one.verdict
        assert one.known["access_key_id"] == own
        name = f"user {own} of account {ACCOUNT}"
        another = f"; its key id is {own}, which stands near it"
        assert one.verdict.reason == name + (another if dict(one.facts)["access_key_id"] != own else "")


def test_a_secret_of_none_of_the_ids_near_it_is_not_dead(tmp_path: Path, fresh: Fresh) -> None:
    """Its own id may stand elsewhere; five ids are tried at most, and the made-up secret with one of them only."""
    keys, secret = [a_key(fresh) for _ in range(7)], a_key(fresh)[1]
    lines = [f"AWS_ACCESS_KEY_ID={key[0]}\n" for key in keys]
    with clouds(tmp_path, knows(*keys), *HOSTS) as internet:
        told = found(tmp_path / "tree", "".join([*lines, f"AWS_SECRET_ACCESS_KEY={secret}\n"]), internet.options())
    (one,) = [one.finding for one in told if one.finding.secret.reveal() == secret.encode()]
    reason = "it is not the secret of the key id beside it: it may belong to another"
    assert one.verdict == Verdict("unknown", f"sts.amazonaws.com: {reason}")
    asked = [re.findall(r"Credential=(\w+)/", request.headers["authorization"])[0] for request in internet.asked]
    assert asked == [keys[6][0], *(key[0] for key in reversed(keys[2:]))]


def test_a_secret_of_ids_that_are_all_deleted_is_dead(tmp_path: Path, fresh: Fresh) -> None:
    """AWS says that of each of them."""
    keys = [a_key(fresh) for _ in range(2)]
    text = "".join(f"AWS_ACCESS_KEY_ID={key[0]}\n" for key in keys) + f"AWS_SECRET_ACCESS_KEY={keys[0][1]}\n"
    with clouds(tmp_path, lambda _asked: UNKNOWN, *HOSTS) as internet:
        told = found(tmp_path / "tree", text, internet.options())
    (one,) = [one.finding for one in told if one.finding.secret.reveal() == keys[0][1].encode()]
    assert (one.verdict.state, one.verdict.reason.split(" of ")[0]) == ("dead", "no active key")


def test_what_stands_in_another_file_is_tried_too(tmp_path: Path, fresh: Fresh) -> None:
    """One secret, a wrong id beside it in one place and its own in another."""
    key, other = a_key(fresh), a_key(fresh)
    (tmp_path / "tree").mkdir()
    for name, one in (("a.env", key[0]), ("b.env", other[0])):
        (tmp_path / "tree" / name).write_text(f"AWS_ACCESS_KEY_ID={one}\nAWS_SECRET_ACCESS_KEY={key[1]}\n")
    with clouds(tmp_path, knows(key, other), *HOSTS) as internet:
        assert verdict(tmp_path / "tree", "", internet.options()).state == "live"


def test_an_id_alone_is_not_asked_about(tmp_path: Path, fresh: Fresh) -> None:
    """It opens nothing, and nobody can be asked about it without its secret."""
    with clouds(tmp_path, lambda _asked: UNKNOWN, *HOSTS) as internet:
        said = verdict(tmp_path / "tree", f"aws_access_key_id = {a_key(fresh)[0]}\n", internet.options())
    assert said.state == "unknown"
    assert internet.asked == []


def test_a_secret_without_its_id_is_not_asked_about(tmp_path: Path, fresh: Fresh) -> None:
    """The reason says what is missing."""
    with clouds(tmp_path, lambda _asked: UNKNOWN, *HOSTS) as internet:
        said = verdict(tmp_path / "tree", f"aws_secret_access_key = {a_key(fresh)[1]}\n", internet.options())
    assert (said.state, said.reason) == (
        "unknown",
        "its access key id is not known, without which nobody can be asked",
    )
    assert internet.asked == []


# --- temporary keys --------------------------------------------------------------------------------------------------


@pytest.fixture
def token(fresh: Fresh) -> str:
    return "IQoJb3JpZ2lu" + fresh("base64:300").decode()


def test_a_temporary_key_goes_with_its_token(tmp_path: Path, fresh: Fresh, token: str) -> None:
    """The three parts that stand together are asked about together: the secret signs, the token is sent."""
    key = a_key(fresh, "ASIA")
    knows = Takes(key, identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me"))
    with clouds(tmp_path, knows, *HOSTS) as internet:
        said = verdict(
            tmp_path / "tree",
            written(key, token),
            internet.options(only=frozenset({"aws-access-key-pair", "aws-secret-access-key"})),
            "aws-access-key-pair",
        )
    assert (said.state, said.reason) == ("live", f"role deploy of account {ACCOUNT}")
    assert [one.headers["x-amz-security-token"] == token for one in internet.asked][:2] == [False, True]
    assert not internet.holds(key[1].encode())


def test_a_token_is_asked_about_with_its_key(tmp_path: Path, fresh: Fresh, token: str) -> None:
    """Before the host refused made-up ones, neither the token nor a signature of the secret is sent."""
    key = a_key(fresh, "ASIA")
    with clouds(tmp_path, Takes(key, identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me")), *HOSTS) as internet:
        options = internet.options(only=frozenset({"aws-session-token"}))
        said = verdict(tmp_path / "tree", written(key, token), options, "aws-session-token")
    assert (said.state, said.reason) == ("live", f"role deploy of account {ACCOUNT}")
    assert internet.asked[0].headers["x-amz-security-token"] != token


def test_an_expired_session_is_dead(tmp_path: Path, fresh: Fresh, token: str) -> None:
    """Both its secret and its token are."""
    expired = refusal("ExpiredToken", "The security token included in the request is expired")
    with clouds(tmp_path, lambda _asked: expired, *HOSTS) as internet:
        all_of_it = found(tmp_path / "tree", written(a_key(fresh, "ASIA"), token), internet.options())
    verdicts = {(f.finding.detector.id, f.finding.verdict.state, f.finding.verdict.reason) for f in all_of_it}
    assert verdicts == {
        ("aws-access-key-pair", "dead", "its session has expired"),
        ("aws-session-token", "dead", "its session has expired"),
    }


def test_a_temporary_key_that_nobody_knows_stays_open(tmp_path: Path, fresh: Fresh, token: str) -> None:
    """Its token may have been cut off."""
    with clouds(tmp_path, lambda _asked: UNKNOWN, *HOSTS) as internet:
        all_of_it = found(tmp_path / "tree", written(a_key(fresh, "ASIA"), token), internet.options())
    reason = "sts.amazonaws.com: it does not know the temporary key, or its session token is not whole"
    assert {(f.finding.verdict.state, f.finding.verdict.reason) for f in all_of_it} == {("unknown", reason)}


def test_a_temporary_key_without_its_token_is_not_asked_about(tmp_path: Path, fresh: Fresh) -> None:
    """It would be refused, dead or alive."""
    with clouds(tmp_path, lambda _asked: UNKNOWN, *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(a_key(fresh, "ASIA")), internet.options())
    assert (said.state, said.reason) == ("unknown", "it is a temporary key, and its session token was not found")
    assert internet.asked == []


# --- answers that prove nothing --------------------------------------------------------------------------------------

EXPIRED = "Signature expired: 20270101T000000Z is now earlier than 20270101T010000Z (20270101T011500Z - 15 min.)"
CLOCK = "it takes the time of this machine for wrong: set its clock"
NOTHING = {
    "clock": (refusal("SignatureDoesNotMatch", EXPIRED), CLOCK),
    "denied": (refusal("AccessDenied"), "it answers 403 AccessDenied"),
    "token for a permanent key": (refusal("ExpiredToken"), "it answers 403 ExpiredToken"),
    "garbage": ((200, "<html>garbage</html>"), "its answer is not as the provider describes it (200)"),
    "cut": ((200, identity(ROOT)[1][:-9]), "its answer is not as the provider describes it (200)"),
    "other account": (
        (200, identity(ROOT)[1].replace(f"<Account>{ACCOUNT}", "<Account>210987654321")),
        "its answer is not as the provider describes it (200)",
    ),
    "entities": (
        (200, '<!DOCTYPE a [<!ENTITY b "c">]>' + identity(ROOT)[1]),
        "its answer is not as the provider describes it (200)",
    ),
    "redirect": ((302, "", {"Location": "https://example.com/"}), "it redirects (302), which is not followed"),
    "blocked": ((403, "<html>blocked</html>"), "something before it refuses (403)"),
    "missing": ((404, ""), "it answers 404"),
    "code elsewhere": ((200, UNKNOWN[1]), "its answer is not as the provider describes it (200)"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_other_answers_prove_nothing(tmp_path: Path, fresh: Fresh, case: str) -> None:
    """Only what AWS documents does."""
    key = a_key(fresh)
    answer, reason = NOTHING[case]
    said = asked_about(tmp_path, written(key), Takes(key, answer))
    assert said == Verdict("unknown", f"sts.amazonaws.com: {reason}")


@pytest.mark.parametrize(
    "answer", [(503, ""), (500, ""), (429, ""), refusal("Throttling", status=400)], ids=["503", "500", "429", "slow"]
)
def test_who_asks_to_come_back_later_is_asked_again(tmp_path: Path, fresh: Fresh, answer: Answer) -> None:
    """And takes nothing back of what is said then."""
    key = a_key(fresh)
    with clouds(tmp_path, Takes(key, answer, identity(ROOT)), *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(key), internet.options(pause=0.05))
    assert (said.state, said.reason) == ("live", f"root of account {ACCOUNT}")


def test_a_host_that_takes_anything_is_not_believed(tmp_path: Path, fresh: Fresh) -> None:
    """It takes a made-up secret, and so never gets the real signature."""
    key = a_key(fresh)
    with clouds(tmp_path, lambda _asked: identity(ROOT), *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(key), internet.options())
    assert said.state == "unknown"
    assert "accepts anything" in said.reason
    assert internet.hosts() == ["sts.amazonaws.com"]


def test_canary_tokens_are_named_and_not_asked_about(tmp_path: Path, fresh: Fresh) -> None:
    """Whoever laid it out would see that."""
    import base64

    account = int("052310077262")
    bits = (1 << 47 | account << 7).to_bytes(6, "big") + b"\0\0\0\0"
    bait = ("AKIA" + base64.b32encode(bits).decode(), a_key(fresh)[1])
    with clouds(tmp_path, lambda _asked: identity(ROOT), *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(bait), internet.options())
    assert "canary token (Thinkst Canarytokens)" in said.reason
    assert internet.asked == []


# --- what its policies allow -----------------------------------------------------------------------------------------


def granted(key: tuple[str, str], document: str, **more: str) -> Callable[[Asked], Answer]:
    """AWS with a user who may read that he has one policy, with this document; and what else IAM answers him."""
    texts = {
        "GetUser": "<User><UserName>ci</UserName></User>",
        "ListAttachedUserPolicies": "<AttachedPolicies/><IsTruncated>false</IsTruncated>",
        "ListUserPolicies": "<PolicyNames><member>own</member></PolicyNames><IsTruncated>false</IsTruncated>",
        "GetUserPolicy": f"<PolicyDocument>{quote(document)}</PolicyDocument>",
        "ListGroupsForUser": "<Groups/><IsTruncated>false</IsTruncated>",
    } | more
    sts = Takes(key, identity(f"arn:aws:iam::{ACCOUNT}:user/ci"))

    def answering(asked: Asked) -> Answer:
        action = asked.form["Action"]
        if action not in texts:
            return sts(asked)
        return 200, f"<{action}Response><{action}Result>{texts[action]}</{action}Result></{action}Response>"

    return answering


def test_only_what_reads_is_asked_of_iam(tmp_path: Path, fresh: Fresh) -> None:
    """Nothing that changes, and nothing of other users."""
    key, document = a_key(fresh), '{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}'
    with clouds(tmp_path, granted(key, document), *HOSTS) as internet:
        said = verdict(tmp_path / "tree", written(key), internet.options())
    assert dict(said.facts)["privilege"] == "read"
    assert said.reason == f"user ci of account {ACCOUNT}; policies own"
    asked = [one.form["Action"] for one in internet.asked if one.host == IAM]
    assert all(re.match("Get|List|Simulate", action) for action in asked)


@pytest.mark.parametrize("document", ["", "null", "[]", "{", '{"Statement": 7}', "[" * 9_000])
def test_hostile_documents_grant_nothing(tmp_path: Path, fresh: Fresh, document: str) -> None:
    """The key is live all the same."""
    key = a_key(fresh)
    said = asked_about(tmp_path, written(key), granted(key, document))
    assert said.state == "live"
    assert "privilege" not in dict(said.facts)


ANYTHING = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
BOUNDARY = "<PermissionsBoundaryArn>arn:aws:iam::123456789012:policy/limits</PermissionsBoundaryArn>"
LIMITS = {
    "nothing": ({}, "admin"),
    "a boundary": ({"GetUser": f"<User><PermissionsBoundary>{BOUNDARY}</PermissionsBoundary></User>"}, ""),
    "another policy": (
        {
            "ListAttachedUserPolicies": "<AttachedPolicies><member><PolicyArn>arn:aws:iam::aws:policy/"
            "AWSCompromisedKeyQuarantineV2</PolicyArn></member></AttachedPolicies>"
        },
        "",
    ),
    "more than one page": (
        {"ListUserPolicies": "<PolicyNames><member>own</member></PolicyNames><IsTruncated>true</IsTruncated>"},
        "admin",
    ),
}


@pytest.mark.parametrize("case", LIMITS)
def test_rights_that_something_limits_are_not_named(tmp_path: Path, fresh: Fresh, case: str) -> None:
    """A boundary, or the quarantine that AWS puts on keys which it finds published."""
    more, privilege = LIMITS[case]
    key = a_key(fresh)
    said = asked_about(tmp_path, written(key), granted(key, ANYTHING, **more))
    assert (said.state, dict(said.facts).get("privilege", "")) == ("live", privilege)


@pytest.mark.parametrize(("decision", "privilege"), [("allowed", "admin"), ("implicitDeny", ""), ("explicitDeny", "")])
def test_who_lists_nothing_may_ask_iam_what_it_would_allow(
    tmp_path: Path, fresh: Fresh, decision: str, privilege: str
) -> None:
    """SimulatePrincipalPolicy decides nothing and changes nothing."""
    key = a_key(fresh)
    sts = Takes(key, identity(f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me"))
    results = f"<EvaluationResults><member><EvalDecision>{decision}</EvalDecision></member></EvaluationResults>"

    def answering(asked: Asked) -> Answer:
        action = asked.form["Action"]
        if action != "SimulatePrincipalPolicy":
            return sts(asked)
        assert asked.form["PolicySourceArn"] == f"arn:aws:iam::{ACCOUNT}:role/deploy"
        return 200, f"<{action}Response><{action}Result>{results}</{action}Result></{action}Response>"

    said = asked_about(tmp_path, written(key), answering)
    assert (said.state, dict(said.facts).get("privilege", "")) == ("live", privilege)


def test_an_answer_that_repeats_the_secret_is_not_repeated(tmp_path: Path, fresh: Fresh) -> None:
    """A name that holds a part of it is left out of the report."""
    key = a_key(fresh)
    said = asked_about(tmp_path, written(key), Takes(key, identity(f"arn:aws:iam::{ACCOUNT}:user/{key[1][5:25]}")))
    assert (said.state, said.reason) == ("live", f"account {ACCOUNT}")
