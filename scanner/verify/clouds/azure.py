"""Azure Storage as the checks of its keys and signatures see it: its hosts, its error codes, where an account lies.

An error's code stands in the header `x-ms-error-code`, of answers with a body also in that, as XML or JSON:
https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2. An account has hosts of its own, one for
each service; with emulators, and wherever a host is an address, it is the first part of the path:
https://learn.microsoft.com/azure/storage/common/storage-connect-azurite.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ...model import is_here
from ...net.http import Answer

VERSION = "2021-12-02"
"""Of the protocol. Since 2015-04-05 what a signature does not allow has error codes of its own."""
HOST = re.compile(
    r"(?P<account>[a-z0-9]{3,24})(?P<replica>-secondary)?\.(?P<zone>z\d{1,2}\.)?"
    r"(?P<service>blob|file|queue|table|dfs|web)\."
    r"(?P<domain>core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)|storage\.azure\.net)"
)
_CODE = re.compile(rb'<Code>([A-Za-z]{3,60})</Code>|"code"\s?:\s?"([A-Za-z]{3,60})"')
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?")
_OFF = {
    "AccountIsDisabled": "its account is disabled",
    "KeyBasedAuthenticationNotPermitted": "its account takes no keys now, nor what is signed with them",
    "AuthorizationFailure": "it refuses, which may be its network rules",
    "PublicAccessNotPermitted": "it takes it for a request without a credential",
    "InvalidAuthenticationInfo": "it does not read the credential",
}


def is_by_path(authority: str) -> bool:
    """Whether accounts lie below a host, as with emulators."""
    return is_here(authority) or _ADDRESS.fullmatch(authority) is not None


def code_of(answer: Answer) -> str:
    """The error that an answer names; empty where it names none."""
    if answer.status < 400:
        return ""
    found = _CODE.search(answer.body[:4096])
    told = next(filter(None, found.groups()), b"").decode() if found else ""
    return answer.headers.get("x-ms-error-code", "") or told


def is_from_storage(answer: Answer) -> bool:
    """Whether Azure Storage answers, and not what stands in front of it."""
    return "x-ms-request-id" in answer.headers


def refuses(answer: Answer) -> bool:
    """Whether it says that a signature is not right, or not any more.

    Network rules, and what a right signature does not allow, have other codes. Azurite calls it AuthorizationFailure:
    https://github.com/Azure/Azurite/blob/main/src/blob/middlewares/AuthenticationMiddlewareFactory.ts.
    """
    emulated = answer.headers.get("server", "").startswith("Azurite-")
    codes = ("AuthenticationFailed", "AuthorizationFailure") if emulated else ("AuthenticationFailed",)
    return answer.status == 403 and is_from_storage(answer) and code_of(answer) in codes


def refusal(answer: Answer) -> str:
    """Why an answer says nothing of a credential; of what it names only codes that are known."""
    code = code_of(answer)
    if code in _OFF:
        return f"{_OFF[code]} ({code})"
    if 300 <= answer.status < 400:
        return f"it redirects ({answer.status}), which is not followed"
    if answer.status < 300:
        return f"its answer is not as Azure describes it ({answer.status})"
    return f"it answers {answer.status}" + (f" ({code})" if re.fullmatch("[A-Za-z]{3,60}", code) else "")


def time_at(answer: Answer) -> datetime | None:
    """The time at which a server answered, by its own clock (RFC 9110 6.6.1); None where it does not tell."""
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError, IndexError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
