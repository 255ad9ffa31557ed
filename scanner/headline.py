"""What a finding is and what it opens, in one line: `Azure account SAS: full control (racwdl) of blobs in …`."""

from __future__ import annotations

from collections.abc import Iterator

from .model import SIGNED_KINDS, Finding, RankedFinding

_SERVICES = {"blob": "blobs", "file": "files", "queue": "queues", "table": "tables"}
_NOUNS = {
    ("blob", "container"): "container",
    ("blob", "object"): "blob",
    ("file", "container"): "share",
    ("file", "object"): "file",
    ("queue", "container"): "queue",
    ("table", "container"): "table",
}
_TOLD = ("lifetime", "ip", "protocol")
"""Factors whose reasons stand in the line of a signed URL, in this order; of one that has expired only the first."""


def headline(ranked: RankedFinding) -> str:
    """The line. Of a signed URL all that it allows; of other kinds the name, and what makes this one special."""
    finding = ranked.finding
    facts = finding.known
    if finding.detector.kind not in SIGNED_KINDS or not facts.keys() & {"type", "privilege"}:
        named = {} if finding.detector.kind == "admin-credential" else facts  # its name says it all
        if facts.get("account", "") in finding.verdict.reason:
            named = {name: text for name, text in named.items() if name != "account"}
        special = "; ".join(filter(None, (", ".join(_special(named)), _answer(finding))))
        return ": ".join(filter(None, (_subject(finding.detector.name, finding), special)))
    reasons = {reason.factor: reason.text for reason in ranked.reasons}
    said = [reasons[name] for name in _TOLD if name in reasons]
    end = reasons.get("revocation", "")
    if reasons.get("lifetime", "").startswith("expired"):
        said, end = said[:1], ""
    subject = facts.get("type", "") if finding.detector.kind == "sas" else finding.detector.name
    line = f"{_subject(subject, finding)}: " + ", ".join([_opens(facts, reasons.get("privilege", "")), *said])
    return "; ".join(filter(None, (line, end, _answer(finding))))


def _subject(name: str, finding: Finding) -> str:
    """What it is; that it is live is said first. Of what is open to all nothing else is."""
    return f"{name}, live" if finding.verdict.state == "live" and finding.detector.kind != "exposure" else name


def _answer(finding: Finding) -> str:
    """What its provider told of a live one beyond that."""
    verdict = finding.verdict
    if verdict.state != "live" or (verdict.unsaid and finding.detector.kind != "exposure"):
        return ""
    return finding.told


def _opens(facts: dict[str, str], privilege: str) -> str:
    """What is allowed, and of what."""
    what = _opened(facts)
    if privilege:
        between = "of" if privilege.startswith("full") else "to"
        return f"{privilege} {between} {what or 'what it names'}"
    allowed = (
        f"what the policy {_quoted(facts['policy'])} allows" if facts.get("policy") else "the request it was made for"
    )
    return f"{allowed}, {what}" if what else allowed


def _opened(facts: dict[str, str]) -> str:
    """The services of an account, or the one thing that it opens."""
    account, host = facts.get("account", ""), facts.get("host", "")
    where = f"account {_quoted(account)}" if account else host
    service, scope, resource = facts.get("service", ""), facts.get("scope", ""), facts.get("resource", "")
    if scope == "account":
        words = [_SERVICES.get(name, name) for name in service.split(", ") if name]
        what = f"{', '.join(words)} in" if words else ""
        return f"{what} {where or 'an account'}".strip()
    noun = _NOUNS.get((service, scope), "")
    what = f"{noun} {_quoted(resource)}".strip() if resource else f"one {noun}" if noun else ""
    if "://" in resource or host.startswith(f"{resource.partition('/')[0]}."):  # the host stands in it
        return what if not account else f"{what} in {where}"
    return f"{what} in {where}" if what and where else what or where


def _quoted(text: str) -> str:
    """A text of the target in quotation marks that nothing in it can end."""
    return '"' + text.replace('"', "'") + '"'


def _special(facts: dict[str, str]) -> Iterator[str]:
    """What changes how a reader takes it."""
    for name, value, text in (
        ("mode", "test", "test mode"),
        ("mode", "live", "live mode"),
        ("privilege", "admin", "administrator's rights"),
        ("privilege", "read", "read only"),
        ("encrypted", "yes", "under a passphrase"),
        ("encrypted", "no", "without a passphrase"),
    ):
        if facts.get(name) == value:
            yield text
    if facts.get("canary"):
        yield "a canary token"
    if facts.get("account"):
        yield f"account {_quoted(facts['account'])}"
