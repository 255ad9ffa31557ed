"""Access keys of Tencent Cloud: whose they are (STS GetCallerIdentity, which is free and changes nothing).

The secret signs and is never sent (`signing.py`). The Chinese and the international site have an endpoint each: only
what neither knows is dead. Refusals come with status 200.

Sources: https://www.tencentcloud.com/document/product/1150/49453 (GetCallerIdentity),
https://www.tencentcloud.com/document/product/1150/49452 (signature), https://cloud.tencent.com/document/api/1312/48205
(common errors)
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from ...model import Verdict
from ...net.http import Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import Told, said
from ..clouds.identities import stand_in
from ..clouds.signing import tencent as signed
from ..credential import Credential, Destination, UnaskedError, destination
from ..declared import meaning
from ..line import LaterError, Line
from ..paired import MismatchError, of_any

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"

HOSTS = ("sts.tencentcloudapi.com", "sts.intl.tencentcloudapi.com")

_ID = re.compile(r"AKID[A-Za-z0-9]{32}")
_NUMBER = re.compile(r"[0-9]{4,20}")
_ERROR = re.compile(r"[A-Za-z]{1,40}(?:\.[A-Za-z]{1,40})?")


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """STS of both sites."""
    _pair(credential)
    return tuple(destination(f"https://{host}/", check.hosts) for host in HOSTS)


def ask(credential: Credential, _check: Verification, line: Line) -> Verdict:
    """Ask whose key it is. UnaskedError where no answer says that, or that it is nobody's."""
    return of_any(credential, lambda one: _of(one, line), "access_key_id")


def _of(credential: Credential, line: Line) -> Verdict:
    for place, url in enumerate(dict.fromkeys(line.at(Url("https", host)) for host in HOSTS)):
        try:
            verdict = _asked(credential, line, url)
        except LaterError as error:
            if not place:
                raise
            raise UnaskedError(f"it does not know it, and {url.host} gives no answer ({error})") from None
        if verdict is not None and verdict.state == "live" and place and not credential.made_up:
            _require_refusal(credential, line, url)
        if verdict is not None or credential.made_up:
            return verdict or Verdict("dead", "nobody gave it out")
    return Verdict("dead", "there is no such key, or it is switched off")


def _require_refusal(credential: Credential, line: Line, url: Url) -> None:
    """UnaskedError where the second endpoint takes what nobody gave out: only the first one was tried."""
    try:
        _asked(credential.with_value(stand_in(credential.value)), line, url)
    except MismatchError:
        return
    raise UnaskedError(f"{url.host} accepts anything: a made-up secret, too")


def made_up(credential: Credential, value: bytes) -> Credential:
    """The same id with a secret that nobody gave out: who takes it checks no signature."""
    return replace(credential.with_value(value), made_up=True)


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


def _asked(credential: Credential, line: Line, url: Url) -> Verdict | None:
    """The verdict of one endpoint; None where it does not know the key."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-TC-Action": "GetCallerIdentity",
        "X-TC-Version": "2018-08-13",
        "X-TC-Region": "ap-singapore" if ".intl." in url.host else "ap-guangzhou",
    }
    made = signed(_pair(credential), url, b"{}", headers, service="sts", at=line.now)
    answer = line.send(Request(url, made, signed=True, method="POST", body=b"{}"))
    told = Told(answer)
    code = told.at("Response.Error.Code")
    if answer.status != 200 or not isinstance(code, str | None):
        raise UnaskedError(meaning(answer))
    match code:
        case None:
            return _live(told)
        case "AuthFailure.SecretIdNotFound":
            return None
        case "AuthFailure.SignatureFailure":
            raise MismatchError("its secret is not that of the id beside it")
        case "AuthFailure.SignatureExpire":
            raise UnaskedError("it takes the time of this machine for wrong: set its clock")
        case "RequestLimitExceeded" | "LimitExceeded":
            raise LaterError(f"it asks to come back later ({code})", 0)
        case _:
            raise UnaskedError(f"it answers {code if _ERROR.fullmatch(code) else 'something else'}")


def _live(told: Told) -> Verdict:
    account, name, arn = (told.at(f"Response.{one}") for one in ("AccountId", "UserId", "Arn"))
    if not isinstance(account, str) or not _NUMBER.fullmatch(account) or not str(arn).startswith("qcs::"):
        raise UnaskedError("its answer is not as the provider describes it (200)")
    own = isinstance(name, str) and _NUMBER.fullmatch(name)
    who = "root of" if name == account else f"user {name} of" if own else "some user of"
    facts = (("identity", f"{who} account {account}"), ("account", account))
    rights = (("privilege", "admin"),) if name == account else ()
    return Verdict("live", said(facts[:1]), (*facts, *rights))


def _pair(credential: Credential) -> tuple[str, str]:
    name = credential.fact("access_key_id")
    if not _ID.fullmatch(name):
        raise UnaskedError("what stands beside it is no id of an access key")
    return name, credential.text
