"""Proof across findings, offline: a signature is proved where the key that made it stands in the same scan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .model import Finding, Proof

MOST_TRIALS = 20_000
"""Pairs of signature and key that are tried in a scan; each costs at most some 50 hashes."""


OWNERS = ("account", "access_key_id", "host")
"""Facts that say whose a key or a signature is."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that was found, as it stands in the text, and whose it is, where that stood beside it."""

    text: bytes
    owner: dict[str, str]


def prove(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, with the fact `signature` where one could be tested: `proved` or `refuted`.

    A key of nobody known proves what it made, and refutes nothing. A key that proves a signature names its owner.
    """
    found = list(findings)
    keys: dict[str, list[_Key]] = {}
    for finding in found if any(f.detector.proof for f in found) else ():
        facts = dict(finding.facts)
        key = _Key(finding.secret.reveal(), {name: facts[name] for name in OWNERS if name in facts})
        for name in (finding.detector.id, *finding.also):
            keys.setdefault(name, []).append(key)
    trials = MOST_TRIALS
    out: list[Finding] = []
    for finding in found:
        if finding.detector.proof:
            rivals = [key for name in finding.detector.proved_by for key in keys.get(name, ())][:trials]
            trials -= len(rivals)
            facts = dict(finding.facts) | _proved(finding, finding.detector.proof, rivals)
            finding = replace(finding, facts=tuple(facts.items()))
        out.append(finding)
    return out


def _proved(finding: Finding, proof: Proof, keys: Iterable[_Key]) -> dict[str, str]:
    value, known = finding.secret.reveal(), dict(finding.facts)
    public = proof(value, finding.facts, None)
    if public:
        return {"signature": "proved", "mode": "emulator"}
    refuted = public is False
    for key in keys:
        shared = [name for name in key.owner if name in known]
        if any(key.owner[name].lower() != known[name].lower() for name in shared):
            continue
        right = proof(value, tuple((key.owner | known).items()), key.text)
        if right:
            return {"signature": "proved"} | {name: text for name, text in key.owner.items() if name not in known}
        refuted = refuted or (right is False and bool(shared))
    return {"signature": "refuted"} if refuted else {}
