"""What can be said of one secret, offline: `oakum explain`. The stages are those of a scan, without a target."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from .. import catalog
from ..allow import Allowlist
from ..cache import Cache
from ..engine import Engine
from ..engine.aho_corasick import AhoCorasick
from ..ledger import Ledger
from ..model import Explanation, Piece, Sighting, Stdin
from ..prove import prove
from ..rank import order
from .judge import judged
from .redact import Redactor
from .targets import as_given
from .workers import digest

MOST = 1 << 20
"""Bytes of a text that is explained: a secret with what stands around it, not a file to be scanned."""


def explain(text: bytes, *, now: datetime, detectors: tuple[str, ...] = (), cache: str = "") -> Explanation:
    """Every secret in a text, ranked as if it stood in a file, proved where another part of the text has its key.

    Allowlists take nothing out. A text in which no detector finds anything is taken for a secret by itself.
    """
    found = catalog.load(detectors, Cache(cache))
    by_id = {d.id: d for d in found}
    allowlist, ledger = Allowlist.load(markers=False), Ledger(by_id)
    reasons: dict[bytes, str] = {}
    for m in Engine(found, AhoCorasick(found)).search([Piece(text)]).matches:
        reasons[digest(m.secret)] = allowlist.review(m, by_id[m.detector])
        ledger.add(Stdin(), Sighting(m.detector, m.also, m.secret, m.span, m.facts, m.excerpt, m.near))
    ranked = [judged(finding, now) for finding in prove(ledger.findings(as_given))]
    named = [replace(r, fingerprint=r.finding.secret.fingerprint()) for r in ranked]
    redactor = Redactor(r.finding for r in named)
    secrets = tuple((redactor.finding(r), reasons[digest(r.finding.secret)]) for r in order(named))
    return Explanation(secrets, () if secrets else tuple(catalog.fitting(text.strip(), found)))
