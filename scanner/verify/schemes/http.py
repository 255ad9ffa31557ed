"""What a detector file declares (`verify/declared.py`)."""

from __future__ import annotations

from typing import Literal

from ...model import Verdict
from ...verification import Verification
from .. import declared
from ..credential import Credential
from ..declared import destinations, made_up
from ..line import Line
from ..paired import require_sure

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"


def ask(credential: Credential, check: Verification, line: Line) -> Verdict:
    """Ask. UnaskedError where the answers say nothing, or only that the secret is not that of something near it."""
    verdict = declared.ask(credential, check, line)
    if verdict.state == "dead":
        sent = {name for name, _ in credential.near} & set(declared.facts_in(check))
        require_sure(credential, sent - {"host"} if line.is_instead else sent)
    return verdict


def user(credential: Credential) -> str:
    """Whose password or token it is, where it is sent with his name; else nobody logs in."""
    check = credential.detector.verify
    named = check is not None and "{user}" in check.auth
    return credential.facts.get("user", "").strip() if named else ""
