"""The page and the JSON of `oakum explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..model import Explanation, Guess, RankedFinding, clean
from .advice import steps
from .options import ReportOptions, reasons, shown, wrapped
from .structured import finding_object, to_json

_GUESSES = 8
"""Guesses that are told."""


def render_text(explanation: Explanation, options: ReportOptions) -> Iterator[str]:
    """For people: of each secret what it is, what is known of it, and what to do."""
    for ranked, suppressed in explanation.secrets:
        yield from (line + "\n" for line in _secret(ranked, suppressed, options))
    if explanation.secrets:
        return
    if not explanation.guesses:
        yield "No detector knows this form. If it has a name, give that, too: NAME=VALUE\n"
        return
    yield "By itself it could be:\n"
    for guess in explanation.guesses[:_GUESSES]:
        yield f"  {clean(_guessed(guess))}\n"
        for name, value in guess.facts:
            yield f"    {name:<16}{clean(value)}\n"
    if len(explanation.guesses) > _GUESSES:
        yield f"  … and {len(explanation.guesses) - _GUESSES} more\n"
    yield "What stands around it decides. Give its name, too: NAME=VALUE\n"


def render_json(explanation: Explanation, options: ReportOptions) -> Iterator[str]:
    """For programs: schema 1, described in docs/explain.md."""
    document: dict[str, Any] = {
        "schema": 1,
        "secrets": [_object(ranked, suppressed, options) for ranked, suppressed in explanation.secrets],
        "could_be": [_guess(guess) for guess in explanation.guesses],
    }
    yield to_json(document, indent=2) + "\n"


def _links(ranked: RankedFinding) -> list[str]:
    detector = ranked.finding.detector
    return list(dict.fromkeys(filter(None, (detector.rotate, detector.source))))


def _secret(ranked: RankedFinding, suppressed: str, options: ReportOptions) -> Iterator[str]:
    finding = ranked.finding
    unplaced = replace(ranked, reasons=tuple(r for r in ranked.reasons if r.factor != "exposure"))
    left_out = f" ({suppressed}: a scan leaves it out)" if suppressed else ""
    yield from _wrapped("", f"{ranked.band.upper()} {ranked.score}  {ranked.summary}{left_out}", options)
    yield f"  secret          {clean(shown(finding.secret, options))}"
    yield f"  detector        {finding.detector.id}"
    yield f"  fingerprint     {ranked.fingerprint}"
    for name, value in finding.facts:
        yield from _wrapped(name, value, options)
    yield from _wrapped("why", "; ".join(reasons(unplaced)), options)
    for number, step in enumerate(steps(finding, suppressed), 1):
        yield from _wrapped("next" if number == 1 else "", f"{number}. {step}", options, hanging=3)
    for number, link in enumerate(_links(ranked)):
        yield f"  {'' if number else 'read':<16}{link}"
    yield ""


def _wrapped(label: str, text: str, options: ReportOptions, hanging: int = 0) -> list[str]:
    first = f"  {label:<16}" if label or hanging else ""
    indent = " " * (18 + hanging if first else 2)
    return wrapped(clean(text), options, first, indent)


def _guessed(guess: Guess) -> str:
    failed = ": its form, but an offline check fails" if guess.failed else ""
    return f"{guess.detector.name} ({guess.detector.id}){failed}"


def _object(ranked: RankedFinding, suppressed: str, options: ReportOptions) -> dict[str, Any]:
    found = finding_object(ranked, options)
    for name in ("occurrences", "occurrences_folded"):
        del found[name]
    found["suppressed"] = suppressed
    found["next"] = list(steps(ranked.finding, suppressed))
    found["links"] = _links(ranked)
    return found


def _guess(guess: Guess) -> dict[str, Any]:
    return {
        "detector": guess.detector.id,
        "name": guess.detector.name,
        "facts": dict(guess.facts),
        "check_failed": guess.failed,
    }
