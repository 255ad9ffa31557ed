"""Access keys of Alibaba Cloud: whose they are (STS GetCallerIdentity, which needs no permission, and is free).

The secret signs and is never sent (`signing.py`). One endpoint knows the keys of all accounts, of the Chinese and the
international site. Temporary keys begin otherwise, and no detector has them.

Sources: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity,
https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-endpoint,
https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature (errors at its end)
"""

from __future__ import annotations

import re
import secrets
from typing import Literal

from ...model import Verdict
from ...net.http import Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import Told, safe, said
from ..clouds.identities import identity_of
from ..clouds.signing import alibaba as signed
from ..credential import Credential, Destination, UnaskedError, destination
from ..declared import meaning
from ..line import LaterError, Line
from ..paired import MismatchError, of_any

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"

HOST = "sts.aliyuncs.com"

_ID = re.compile(r"LTAI[A-Za-z0-9]{12,22}")
_ARN = re.compile(r"acs:(?:ram|sts)::([0-9]{5,20}):([\x21-\x7e]{1,300})")
_DEAD = {
    "InvalidAccessKeyId.NotFound": "there is no such access key",
    "InvalidAccessKeyId.Inactive": "its access key is switched off",
}


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """STS."""
    _pair(credential)
    return (destination(f"https://{HOST}/", check.hosts),)


def ask(credential: Credential, _check: Verification, line: Line) -> Verdict:
    """Ask whose key it is. UnaskedError where the answer does not say that, or that it is nobody's."""
    return of_any(credential, lambda one: _asked(one, line), "access_key_id")


def _asked(credential: Credential, line: Line) -> Verdict:
    url = line.at(Url("https", HOST))
    headers = {
        "x-acs-action": "GetCallerIdentity",
        "x-acs-version": "2015-04-01",
        "x-acs-date": line.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": secrets.token_hex(16),
        "Accept": "application/json",
    }
    made = signed(_pair(credential), url, b"", headers)
    answer = line.send(Request(url, made, signed=True, method="POST"))
    told = Told(answer)
    code = told.at("Code")
    if answer.status in (400, 403, 404) and isinstance(code, str):
        if code in _DEAD:
            return Verdict("dead", _DEAD[code])
        if code == "SignatureDoesNotMatch":
            raise MismatchError("its secret is not that of the access key beside it")
        if code.startswith("Throttling"):
            raise LaterError("it asks to come back later (Throttling)", 0)
    arn, account = told.at("Arn"), told.at("AccountId")
    found = _ARN.fullmatch(arn) if answer.status == 200 and isinstance(arn, str) else None
    if not found or account != found[1]:
        raise UnaskedError(meaning(answer))
    identity = safe(identity_of(found[2], found[1]), credential.text)
    facts = (*((("identity", identity),) if identity else ()), ("account", found[1]))
    rights = (("privilege", "admin"),) if found[2] == "root" else ()
    return Verdict("live", said(facts[:1]), (*facts, *rights))


def made_up(credential: Credential, value: bytes) -> Credential:
    """The same id with a secret that nobody gave out: who takes it checks no signature."""
    return credential.with_value(value)


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


def _pair(credential: Credential) -> tuple[str, str]:
    name = credential.fact("access_key_id")
    if not _ID.fullmatch(name):
        raise UnaskedError("what stands beside it is no id of an access key")
    return name, credential.text
