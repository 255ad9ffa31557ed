"""Access keys of AWS: whose they are (STS GetCallerIdentity), and what their policies allow, where they may read them.

The secret signs and is never sent (`signing.py`). GetCallerIdentity costs nothing, changes nothing, and is answered
whatever the policies say. A key is known to one partition only, and its id does not tell which: where AWS's global
endpoint does not know it, those of GovCloud, China and the European Sovereign Cloud are asked as well, and only what
none of them knows is dead. (A key of the isolated partitions cannot be told from a deleted one.)

Of temporary keys (ASIA) the session token must be known. That their id or token is not known is no proof: the token may
be cut, or another key's. What is expired says so.

Not asked: signed URLs. With which method one was signed does not stand in it, so that a refusal is no proof; what is
taken would be somebody's content; and when it ends stands in it.

Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html,
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/general/latest/gr/sts.html (endpoints),
https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import unquote, urlencode

from ...model import Facts, Verdict
from ...net.http import Answer, Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import LONGEST, safe, said
from ..clouds.elements import elements
from ..clouds.identities import identity_of, stand_in
from ..clouds.policies import TAKES_RIGHTS, Granted, by_document, by_name, privilege
from ..clouds.signing import aws as signed
from ..credential import Credential, Destination, UnaskedError, destination, text_of
from ..declared import meaning
from ..line import LaterError, Line
from ..paired import MismatchError, of_any

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"

STS = (
    "sts.amazonaws.com",
    "sts.us-gov-west-1.amazonaws.com",
    "sts.cn-north-1.amazonaws.com.cn",
    "sts.eusc-de-east-1.amazonaws.eu",
)
"""Of each partition."""
IAM = "iam.amazonaws.com"
MOST_REQUESTS = 40
"""That are made to read the policies of one key."""
SHOWN = 6
"""Policies that are named."""

_ID = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,124}")
_ARN = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):([\x21-\x7e]{1,600})")
_REGION = re.compile(r"\.([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\.")
_CODE = re.compile(r"[A-Za-z.]{1,60}")
_ERRORS = ("ErrorResponse/Error/", "ErrorResponse/Errors/Error/")
"""Where the query services of AWS say what is wrong; and where moto, which stands for them in tests and sandboxes."""
_TOKEN = "aws-session-token"  # noqa: S105  a detector's id
_WRONG = "The request signature we calculated does not match"
_UNKNOWN, _MISMATCH, _EXPIRED = "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken"


@dataclass(frozen=True, slots=True)
class _Key:
    """An access key whole."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, credential: Credential) -> _Key:
        """That of a secret or of a session token. UnaskedError where a part of it is not known."""
        name = credential.fact("access_key_id")
        if not _ID.fullmatch(name):
            raise UnaskedError("what stands beside it is no id of an access key")
        if name.startswith("AKIA"):
            if credential.detector.id == _TOKEN:
                raise UnaskedError("the access key beside it is a permanent one, which has no session token")
            return cls(name, credential.text)
        if credential.detector.id == _TOKEN:
            secrets = {value for key, value in credential.others.items() if key != _TOKEN}
            if len(secrets) != 1:
                raise UnaskedError("the secret of its temporary key was not found, or there are several")
            return cls(name, text_of(secrets.pop()), _token(credential.text))
        if _TOKEN not in credential.others:
            raise UnaskedError("it is a temporary key, and its session token was not found")
        return cls(name, credential.text, _token(text_of(credential.others[_TOKEN])))


def _token(text: str) -> str:
    """A session token, without the escapes that it has in a URL."""
    return re.sub(r"%(2[BFbf]|3[Dd])", lambda escape: unquote(escape[0]), text)


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """STS of each partition, and IAM, which reads policies."""
    _Key.of(credential)
    return tuple(destination(f"https://{host}/", check.hosts) for host in (*STS, IAM))


def ask(credential: Credential, _check: Verification, line: Line) -> Verdict:
    """Ask whose key it is. UnaskedError where no answer says that, or that it is nobody's."""
    if credential.detector.id == _TOKEN:
        return _asked(credential, line)
    return of_any(credential, lambda one: _asked(one, line), "access_key_id")


def _asked(credential: Credential, line: Line) -> Verdict:
    key = _Key.of(credential)
    hosts = dict.fromkeys(line.at(Url("https", host)) for host in STS)
    for place, url in enumerate(hosts):
        try:
            answer = _post(line, key, url, "sts", Action="GetCallerIdentity", Version="2011-06-15")
        except LaterError as error:
            if not place:
                raise
            raise UnaskedError(f"it does not know it, and {url.host} gives no answer ({error})") from None
        texts = elements(answer.body)
        if answer.status == 200:
            if place and not credential.made_up:
                _require_refusal(line, key, url)
            return _live(credential, line, key, answer, texts)
        code, why = _error(answer, texts)
        if code == _UNKNOWN and not credential.made_up:
            continue
        if code == _UNKNOWN:
            return Verdict("dead", "nobody gave it out")
        if code == _EXPIRED and key.token:
            return Verdict("dead", "its session has expired")
        if code == _MISMATCH and why.startswith(_WRONG):
            if credential.detector.id == _TOKEN:
                raise UnaskedError("the secret that stands with it is not its key's")
            raise MismatchError("its secret is not that of the access key beside it")
        if code.startswith("Throttl"):
            raise LaterError(f"it asks to come back later ({code})", 0)
        raise UnaskedError(_meaning(code, answer))
    if key.token:
        raise UnaskedError("it does not know the temporary key, or its session token is not whole")
    known = " nor any other partition" if len(hosts) > 1 else ""
    return Verdict("dead", f"no active key of {line.host}{known}: deleted, or switched off")


def made_up(credential: Credential, value: bytes) -> Credential:
    """The same id with secrets that nobody gave out: who takes them checks no signature."""
    others = {name: stand_in(other) for name, other in credential.others.items()}
    return replace(credential, value=value, others=others, made_up=True, near=())


def user(_credential: Credential) -> str:
    """Nobody logs in: a key is not locked by a wrong signature."""
    return ""


def _require_refusal(line: Line, key: _Key, url: Url) -> None:
    """UnaskedError where the endpoint of another partition takes what nobody gave out: only the first one was tried."""
    secret = stand_in(key.secret.encode()).decode()
    answer = _post(line, replace(key, secret=secret), url, "sts", Action="GetCallerIdentity", Version="2011-06-15")
    if _error(answer, elements(answer.body))[0] != _MISMATCH:
        raise UnaskedError(f"{url.host} accepts anything: a made-up secret, too")


def _live(credential: Credential, line: Line, key: _Key, answer: Answer, texts: Mapping[str, Sequence[str]]) -> Verdict:
    told = "GetCallerIdentityResponse/GetCallerIdentityResult/"
    arn = _first(texts, told + "Arn")
    found = _ARN.fullmatch(arn)
    if not found or _first(texts, told + "Account") != found[1]:
        raise UnaskedError(meaning(answer))
    account, resource = found[1], found[2]
    facts = [("identity", safe(identity_of(resource, account), credential.text)), ("account", account)]
    policies = _Policies(line, key)
    if resource == "root":
        facts.append(("privilege", "admin"))
    elif arn.startswith("arn:aws:"):  # of the others, IAM is another host
        policies.read(account, resource)
        facts.append(("privilege", privilege(policies.granted, complete=policies.complete)))
    names = [name for name in (safe(one, credential.text) for one in policies.names) if name]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    facts.append(("permissions", (", ".join(names[:SHOWN]) + more)[:LONGEST]))
    known: Facts = tuple((name, value) for name, value in facts if value)
    who = said(known[:1])
    return Verdict("live", f"{who}; policies {dict(known)['permissions']}" if names else who, known)


def _post(line: Line, key: _Key, url: Url, service: str, **parameters: str) -> Answer:
    body = urlencode(parameters).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    found = _REGION.search(url.host)
    region = found[1] if found else "us-east-1"
    pair = (key.id, key.secret)
    made = signed(pair, url, body, headers, service=service, region=region, at=line.now, token=key.token)
    return line.send(Request(url, made, signed=True, method="POST", body=body))


def _error(answer: Answer, texts: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Code and message of a refusal; empty where it is none of AWS."""
    if answer.status not in (400, 403):
        return "", ""
    told = next((path for path in _ERRORS if path + "Code" in texts), _ERRORS[0])
    return _first(texts, told + "Code"), _first(texts, told + "Message")


def _meaning(code: str, answer: Answer) -> str:
    if code == _MISMATCH or code.startswith("RequestExpired"):
        return "it takes the time of this machine for wrong: set its clock"
    return f"it answers {answer.status} {code}" if _CODE.fullmatch(code) else meaning(answer)


def _first(texts: Mapping[str, Sequence[str]], path: str) -> str:
    return next(iter(texts.get(path, ())), "")


class _Policies:
    """The policies of a user or a role, as far as IAM lets it read them itself. What is refused is left."""

    def __init__(self, line: Line, key: _Key) -> None:
        self._line, self._key = line, key
        self._url = line.at(Url("https", IAM))
        self._left = MOST_REQUESTS
        self._read: dict[str, Granted] = {}
        self.granted: list[Granted] = []
        self.names: list[str] = []
        self.complete = True

    def read(self, account: str, resource: str) -> None:
        """Read what a user (`user/PATH/NAME`) or a role (`assumed-role/NAME/SESSION`) may do."""
        kind, _, rest = resource.partition("/")
        if kind == "user" and rest:
            name = rest.rpartition("/")[2]
            self._boundary("User", name)
            self._of("User", name)
            for group in self._list("ListGroupsForUser", "Groups/member/GroupName", UserName=name):
                self._of("Group", group)
            arn = f"arn:aws:iam::{account}:user/{rest}"
        elif kind == "assumed-role" and rest:
            name = rest.partition("/")[0]
            self._boundary("Role", name)
            self._of("Role", name)
            arn = f"arn:aws:iam::{account}:role/{name}"
        else:
            self.complete = False
            return
        if not self.complete:
            self._simulate(arn)

    def _boundary(self, kind: str, name: str) -> None:
        """What limits all policies together. Who may not read himself may be limited, whatever they grant."""
        texts = self._ask(f"Get{kind}", **{f"{kind}Name": name})
        limit = _first(texts or {}, f"{kind}/PermissionsBoundary/PermissionsBoundaryArn")
        self.complete = self.complete and texts is not None
        self.granted.append(Granted(doubt=texts is None or (bool(limit) and by_name(limit) != Granted("admin"))))

    def _of(self, kind: str, name: str) -> None:
        """Managed and inline policies of a user, a group or a role."""
        of = {f"{kind}Name": name}
        for arn in self._list(f"ListAttached{kind}Policies", "AttachedPolicies/member/PolicyArn", **of):
            self.names.append(arn.rpartition("/")[2])
            self.granted.append(by_name(arn) or self._managed(arn))
        for inline in self._list(f"List{kind}Policies", "PolicyNames/member", **of):
            self.names.append(inline)
            self.granted.append(self._document("PolicyDocument", f"Get{kind}Policy", **of, PolicyName=inline))

    def _managed(self, arn: str) -> Granted:
        if arn not in self._read:
            version = _first(self._ask("GetPolicy", PolicyArn=arn) or {}, "Policy/DefaultVersionId")
            self.complete = self.complete and bool(version)
            asked = {"PolicyArn": arn, "VersionId": version}
            found = self._document("PolicyVersion/Document", "GetPolicyVersion", **asked) if version else Granted()
            self._read[arn] = found
        return self._read[arn]

    def _document(self, path: str, action: str, **parameters: str) -> Granted:
        text = _first(self._ask(action, **parameters) or {}, path)
        self.complete = self.complete and bool(text)
        return by_document(unquote(text)) if text else Granted()

    def _list(self, action: str, path: str, **parameters: str) -> Sequence[str]:
        texts = self._ask(action, **parameters)
        self.complete = self.complete and texts is not None and _first(texts, "IsTruncated") != "true"
        return (texts or {}).get(path, ())

    def _simulate(self, arn: str) -> None:
        """What IAM itself says of actions that make an administrator, for who may ask it that and list nothing. It
        counts boundaries and denials."""
        actions = {f"ActionNames.member.{place}": name for place, name in enumerate(TAKES_RIGHTS, 1)}
        texts = self._ask("SimulatePrincipalPolicy", PolicySourceArn=arn, **actions) or {}
        if "allowed" in texts.get("EvaluationResults/member/EvalDecision", ()):
            self.granted = [Granted("admin")]

    def _ask(self, action: str, **parameters: str) -> dict[str, Sequence[str]] | None:
        """The texts of an answer, by their paths below its result; None where there is none."""
        if not self._left:
            return None
        self._left -= 1
        try:
            answer = _post(self._line, self._key, self._url, "iam", Action=action, Version="2010-05-08", **parameters)
        except (UnaskedError, LaterError):
            return None
        below = f"{action}Response/{action}Result/"
        texts = {path[len(below) :]: told for path, told in elements(answer.body).items() if path.startswith(below)}
        return texts if answer.status == 200 and texts else None
