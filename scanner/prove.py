"""Proof across findings, offline: a signature is proved where the key that made it stands in the same scan."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .model import Detector, Facts, Finding

MOST_TRIALS = 20_000
"""Pairs of signature and key that are tried in a scan; each costs at most some 50 hashes."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that was found, and the account that it belongs to, where that stood beside it."""

    raw: bytes
    account: str


def prove(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, with the fact `signature` where one could be tested: `proved` or `refuted`.

    A key of no known account proves what it made, and refutes nothing. A key proved to be of an account names it.
    """
    found = list(findings)
    keys = _keys(found)
    trials = MOST_TRIALS
    out: list[Finding] = []
    for finding in found:
        if finding.detector.proof:
            rivals = [key for name in finding.detector.proved_by for key in keys.get(name, ())][:trials]
            trials -= len(rivals)
            facts = dict(finding.facts) | _proved(finding, rivals)
            finding = replace(finding, facts=tuple(facts.items()))
        out.append(finding)
    return out


def _keys(findings: Iterable[Finding]) -> Mapping[str, list[_Key]]:
    """The keys of each detector that found some."""
    out: dict[str, list[_Key]] = {}
    for finding in findings:
        try:
            raw = base64.b64decode(finding.secret.reveal(), validate=True)
        except binascii.Error:
            continue
        key = _Key(raw, dict(finding.facts).get("account", ""))
        for name in (finding.detector.id, *finding.also):
            out.setdefault(name, []).append(key)
    return out


def _proved(finding: Finding, keys: Iterable[_Key]) -> dict[str, str]:
    account = dict(finding.facts).get("account", "")
    public = _test(finding.detector, finding, finding.facts, None)
    refuted = public is False
    if public:
        return {"signature": "proved"}
    for key in keys:
        if account and key.account and key.account != account:
            continue
        facts = finding.facts if account else (*finding.facts, ("account", key.account))
        right = _test(finding.detector, finding, facts, key.raw)
        if right:
            return {"signature": "proved"} | ({"account": key.account} if key.account else {})
        refuted = refuted or (right is False and bool(account and key.account))
    return {"signature": "refuted"} if refuted else {}


def _test(detector: Detector, finding: Finding, facts: Facts, key: bytes | None) -> bool | None:
    assert detector.proof
    return detector.proof(finding.secret.reveal(), facts, key)
