"""What to do about a finding, step by step: how its very kind is revoked, and how it is taken out."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Finding, GitMessage

_REVOKE = {
    "account key": "regenerate the account's key that signed it (every other signature made with it ends, too)",
    "policy": "delete or change its stored access policy on the container, share, queue or table",
    "delegation key": "revoke the account's user delegation keys, or take the role away from whom it was signed for",
    "signing key": "replace or deactivate the key that signed it (it can be revoked in no other way)",
}
"""By the fact `revocation`."""
_KINDS = {
    "password": "change the password",
    "admin-credential": "change the password",
    "connection-string": "change the password",
    "password-hash": "change the passwords behind it",
    "private-key": "make a new key, and take this one's public half out of wherever it is trusted",
    "webhook-url": "make a new address, and delete this one",
}


def revocation(finding: Finding) -> str:
    """How this very kind is revoked, in a few words."""
    facts = dict(finding.facts)
    return _REVOKE.get(facts.get("revocation", "")) or _KINDS.get(finding.detector.kind, "revoke it")


def steps(finding: Finding, *, expired: bool) -> Iterator[str]:
    """What to do, in order. A secret that has expired opens nothing; its place says where the next one will stand."""
    if dict(finding.facts).get("mode") == "emulator":
        yield "nothing: the emulator's key is public, and opens nothing else"
        return
    if expired:
        yield "nothing opens with it any more; see that the one that is in use now does not lie open, too"
    else:
        yield revocation(finding)
        yield "look through the provider's logs for what was done with it since it could be seen"
    if any(isinstance(o.origin, GitMessage) for o in finding.occurrences):
        yield "a message goes away only by rewriting the commit, tag or note that carries it"
    yield "take it out of where it stands; in git, deleting the line alone leaves it in history"
    yield "keep the new one outside of the code: in a secret store, or in the environment"
