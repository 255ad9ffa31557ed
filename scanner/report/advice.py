"""What to do about a finding, step by step: how its very kind is revoked, and how it is taken out."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Finding

_REVOKE = {
    "account key": "regenerate the account's key that signed it (every other signature made with it ends, too)",
    "policy": "delete or change its stored access policy on the container, share, queue or table",
    "delegation key": "revoke the account's user delegation keys, or take the role away from whom it was signed for",
    "signing key": "deactivate or replace the key that signed it, or take away what that key may do",
}
"""By the fact `revocation`."""
_KINDS = {
    "access-key": "make a new one, and deactivate this one",
    "password": "change the password",
    "admin-credential": "change the password",
    "connection-string": "change the password",
    "password-hash": "change the passwords behind it",
    "private-key": "make a new key, and take this one's public half out of wherever it is trusted",
    "webhook-url": "make a new address, and delete this one",
    "exposure": "close it to all who have not logged in",
}
_EMULATOR = "nothing: it is signed with the public key of an emulator"
_ACCOUNT = "make a new key for the service account, and delete this one"


def revocation(finding: Finding) -> str:
    """How this very kind is revoked, in a few words."""
    facts = dict(finding.facts)
    if facts.get("type") == "service account":
        return _ACCOUNT
    return _REVOKE.get(facts.get("revocation", "")) or _KINDS.get(finding.detector.kind, "revoke it")


def first_step(finding: Finding) -> str:
    """What comes first, at once where it is live; nothing is left to revoke of what is dead, or only looks like a
    secret."""
    if dict(finding.facts).get("mode") == "emulator":
        return _EMULATOR
    if finding.verdict.state == "dead":
        if finding.detector.kind == "exposure":
            return "see that it stays closed (nobody gets in without a login any more)"
        return "see that the one in use now does not lie open, too (this one opens nothing any more)"
    return f"at once, as it is live: {revocation(finding)}" if finding.verdict.state == "live" else revocation(finding)


def steps(finding: Finding, suppressed: str = "") -> Iterator[str]:
    """What to do, in order; `suppressed` is the word under which a scan leaves it out."""
    first = first_step(finding)
    if suppressed:
        yield f"nothing, if it is what a scan takes it for: {suppressed}. Otherwise: {first}"
        return
    yield first
    if first == _EMULATOR:
        return
    if finding.verdict.state != "dead":
        yield "look through the provider's logs for what was done with it since it could be seen"
    yield "take it out of where it stands; in git, deleting the line alone leaves it in history"
    yield "keep the new one outside of the code: in a secret store, or in the environment"
