"""The reports of `oakum verify`: the verdict of then and of now."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from handmade import HEAD, TOKEN, occurrence, result, token
from oakum.scanner.model import NOT_ASKED, Coverage, NotScanned, RankedFinding, Verdict
from oakum.scanner.rechecked import FormerReport, RecheckResult
from oakum.scanner.report.options import ReportOptions
from oakum.scanner.report.recheck import RECHECK_FORMATS, heading

LIVE = Verdict("live", "user octocat", (("user", "octocat"),), "api.github.com")
DEAD = Verdict("dead", "api.github.com refuses it (401)", (), "api.github.com")
UNKNOWN = Verdict("unknown", "api.github.com: it answers 404")
EXPIRED = Verdict("dead", "expired on 2026-12-01 (1 month ago)")
COVERAGE = Coverage(("repo",), (("git blobs", 2),), 2500, 0.5, 70, asked=(("live", 1), ("dead", 1), ("unknown", 0)))


def finding(number: int, verdict: Verdict) -> RankedFinding:
    return replace(token(occurrence(HEAD, b"", TOKEN), verdict=verdict), fingerprint="abcd"[number] * 26)


def made(*pairs: tuple[Verdict, Verdict]) -> RecheckResult:
    """Findings of which the verdict was and is."""
    findings = [finding(number, now) for number, (_, now) in enumerate(pairs)]
    former = {one.fingerprint: was for one, (was, _) in zip(findings, pairs, strict=True)}
    unread = [NotScanned(b"e" * 26 + b" github-pat (was live)", "gone.py: it does not stand there any more")]
    scan = replace(
        result(*findings), findings=findings, not_scanned=unread, suppressed=(), dropped=(), coverage=COVERAGE
    )
    return RecheckResult(scan, former, FormerReport((), ("repo",), "2026-11-20T14:03:00+00:00"), "report.json")


def page(of: RecheckResult, form: str = "text") -> str:
    options = ReportOptions(version="0.1.0", width=140)
    return "".join(RECHECK_FORMATS[form](of, replace(options, heading=tuple(heading(of, options)))))


@pytest.mark.parametrize(
    ("was", "now", "outcome", "said"),
    [
        (LIVE, LIVE, "still live", "was live on 2026-11-20, now live: user octocat (api.github.com)"),
        (LIVE, DEAD, "revoked since", "was live on 2026-11-20, now dead: api.github.com refuses it (401)"),
        (LIVE, EXPIRED, "revoked since", "was live on 2026-11-20, now dead: expired on 2026-12-01 (1 month ago)"),
        (LIVE, UNKNOWN, "unknown", "was live on 2026-11-20, now unknown: api.github.com: it answers 404"),
        (DEAD, LIVE, "newly live", "was dead on 2026-11-20, now live: user octocat (api.github.com)"),
        (DEAD, DEAD, "dead", "was dead on 2026-11-20, now dead: api.github.com refuses it (401)"),
        (UNKNOWN, LIVE, "newly live", "was unknown on 2026-11-20, now live: user octocat (api.github.com)"),
        (NOT_ASKED, DEAD, "dead", "was not asked about on 2026-11-20, now dead: api.github.com refuses it (401)"),
    ],
)
def test_the_verdict_of_then_and_of_now(was: Verdict, now: Verdict, outcome: str, said: str) -> None:
    """In a word and in a line."""
    of = made((was, now))
    assert of.outcome(of.scan.findings[0]) == outcome
    assert f"  asked  {said}\n" in page(of)
    assert f"\n1 finding checked again: 1 {outcome}\n" in page(of)
    undated = replace(of, report=FormerReport(()))
    assert f"  asked  {said.replace(' on 2026-11-20', '')}\n" in page(undated)


def test_the_page_ends_with_counts() -> None:
    """And with what could not be checked again."""
    text = page(made((LIVE, LIVE), (LIVE, DEAD)))
    assert text.startswith("oakum 0.1.0  report.json of 2026-11-20\n  repo\n\n CRITICAL 95  GitHub token")
    assert text.endswith(
        "2 findings checked again: 1 still live, 1 revoked since\n"
        "  searched     2 git blobs: 2.5 kB in 0.5 s\n"
        "  verified     2 secrets: 1 live, 1 dead\n"
        "  NOT SCANNED  1 (could not be checked again)\n"
        "    eeeeeeeeeeeeeeeeeeeeeeeeee github-pat (was live): gone.py: it does not stand there any more\n"
    )


def test_what_programs_read() -> None:
    """A finding as in a scan, with its outcome and its former verdict; counts of all outcomes."""
    of = made((LIVE, DEAD))
    document = json.loads(page(of, "json"))
    was = {"state": "live", "reason": "user octocat", "asked": "api.github.com", "facts": {"user": "octocat"}}
    more = {"outcome": "revoked since", "former_verdict": was}
    assert {name: document["findings"][0][name] for name in more} == more
    assert document["findings"][0]["verdict"]["state"] == "dead"
    assert document["report"] == {"name": "report.json", "started": "2026-11-20T14:03:00+00:00", "targets": ["repo"]}
    assert document["summary"]["outcomes"] == {
        "newly live": 0,
        "still live": 0,
        "unknown": 0,
        "revoked since": 1,
        "dead": 0,
    }
    assert document["complete"] is False
    assert [json.loads(line) for line in page(of, "jsonl").splitlines()] == document["findings"]
    properties = json.loads(page(of, "sarif"))["runs"][0]["results"][0]["properties"]
    assert {name: properties[name] for name in more} == more
