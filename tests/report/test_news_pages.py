"""What a sweep brought, as a page and as JSON, compared as wholes; and what hostile names may not do to either."""

from __future__ import annotations

import json

from oakum.scanner.report import kept as kept_module
from oakum.scanner.report.news import by_group, render_json, render_text
from oakum.scanner.report.options import ReportOptions
from swept_by_hand import ALL, HOSTILE_NEWS, NOW, event, kept, news, place

FULL = """\
 HIGH 81  Acme token: may write  acme_…[masked]
{note}  where  acme/web: config/app.py:3:9
  since  2027-02-01, cccccccccccc by Ada <ada@example.test>, at the head of the default branch
{also}  state  {state}, first seen 2027-02-27, last seen 2027-03-02
  owner  @acme/platform
  next   revoke it: https://acme.test/rotate
  id     {id}  acme-token

"""
LINE = "  high 81  Acme token: may write  acme_…[masked]  acme/web: config/app.py:3:9  {id}\n\n"


def full(name: str, state: str = "open", note: str = "", also: str = "") -> str:
    """A finding in full."""
    return FULL.format(id=name, state=state, note=note and f"  change {note}\n", also=also and f"  also   {also}\n")


def test_the_whole_page() -> None:
    """Most urgent first, each with whose it is and what to do; then what could not be looked at, and counts."""
    assert "".join(render_text(ALL, ReportOptions())) == (
        "New (1)\n\n"
        + full("0123456789abcdef")
        + "Reopened: fixed, revoked or accepted before, and there again (1)\n\n"
        + full("1" * 16, "reopened", "it was fixed in head")
        + "Worse than before (1)\n\n"
        + full("2" * 16, note="from medium to high")
        + "In another repository, too (1)\n\n"
        + full("3" * 16, note="it came to acme/api", also="in acme/api")
        + "Fixed: no branch has it any more (revoke it all the same, if that is not done) (1)\n\n"
        + LINE.format(id="4" * 16)
        + "Revoked: its provider does not take it any more (1)\n\n"
        + LINE.format(id="5" * 16)
        + "repository acme/web: 1 new, 1 reopened, 1 worse, 1 spread, 1 fixed, 1 revoked\n"
        "           acme/api: 1 spread\n"
        "\n"
        "failed   acme/old: git.test answers 404\n"
        "unlisted gitlab:acme: gitlab.com answers 500\n"
        "sweep 7 of github:acme: 1 new, 1 reopened, 1 worse, 1 spread, 1 fixed, 1 revoked\n"
        "         12 repositories, 2 searched, 9 unchanged, 1 failed; 2,460 s\n"
        "         4 findings to do something about (4 high)\n"
        "         INCOMPLETE: what failed is tried again in the next sweep\n"
    )


def test_a_quiet_night() -> None:
    """Three lines."""
    quiet = news(failed=())
    assert "".join(render_text(quiet, ReportOptions())) == (
        "sweep 7 of github:acme: nothing new\n"
        "         12 repositories, 2 searched, 9 unchanged, 1 failed; 2,460 s\n"
        "         4 findings to do something about (4 high)\n"
    )


def test_the_document() -> None:
    """All fields, and nothing that JSON has no word for."""
    document = json.loads("".join(render_json(ALL)))
    changes = document.pop("changes")
    assert document == {
        "schema": 1,
        "sweep": 7,
        "started": "2027-03-02T02:19:00+00:00",
        "ended": "2027-03-02T03:00:00+00:00",
        "targets": ["github:acme"],
        "complete": False,
        "counts": dict(ALL.counts),
        "changes_folded": 0,
        "by": {by: by_group(ALL, by) for by in ("repository", "team", "kind")},
        "by_folded": {"repository": 0, "team": 0, "kind": 0},
        "failed": [{"repository": "acme/old", "why": "git.test answers 404"}],
        "failed_folded": 0,
        "unlisted": [{"target": "gitlab:acme", "why": "gitlab.com answers 500"}],
        "unlisted_folded": 0,
    }
    assert changes[1] == {
        "sweep": 7,
        "at": NOW.isoformat(),
        "change": "reopened",
        "finding": "0123456789abcdef",
        "before": "fixed in head",
        "after": "reopened",
        "is": kept_module.kept_object(kept(id="1" * 16, state="reopened")),
    }


def test_hostile_names_do_nothing_to_a_terminal() -> None:
    """Nor do they make the page endless: what is left is counted, with the command that tells it."""
    page = "".join(render_text(HOSTILE_NEWS, ReportOptions()))
    assert not {"\x1b", "\u202e"} & set(page)
    assert "and 250 more: oakum sweep history --sweep 7\n" in page
    assert "failed   480 more: oakum sweep status\n" in page
    assert not {"\x1b", "\u202e"} & set("".join(render_json(HOSTILE_NEWS)))


def test_findings_of_a_store() -> None:
    """As a page, as one document, and line by line."""
    found = [
        kept(),
        kept(id="1" * 16, band="low", score=9, state="accepted", decision={"reason": "a test", "by": "ada"}),
    ]
    page = "".join(kept_module.findings_text(found, ReportOptions()))
    assert page.startswith(full("0123456789abcdef"))
    assert "  state  accepted, first seen 2027-02-27, last seen 2027-03-02; a test (ada)\n" in page
    assert page.endswith("2 findings (1 high, 1 low)\n")
    objects = [kept_module.kept_object(one) for one in found]
    assert json.loads("".join(kept_module.findings_json(found))) == {"schema": 1, "findings": objects}
    assert [json.loads(line) for line in "".join(kept_module.findings_jsonl(found)).splitlines()] == objects
    assert json.loads("".join(kept_module.findings_json([]))) == {"schema": 1, "findings": []}


def test_findings_counted() -> None:
    """By repository, team, kind, owner, state or band; what is in two repositories counts in both."""
    found = [kept(repositories=("a", "b")), kept(band="low", repositories=("b",), teams=(), owners=())]
    assert kept_module.grouped(found, "repository") == {
        "b": {"total": 2, "critical": 0, "high": 1, "medium": 0, "low": 1},
        "a": {"total": 1, "critical": 0, "high": 1, "medium": 0, "low": 0},
    }
    assert list(kept_module.grouped(found, "team")) == ["acme", "(none)"]
    assert "".join(kept_module.groups_text(found, "kind")) == (
        "kind     total  critical      high    medium       low\n"
        "token        2                   1                   1\n"
    )


def test_a_history() -> None:
    """A line for each change, with what it was and what it is."""
    changes = [(event("worse", "medium", "high"), kept()), (event("spread", after="acme/api"), kept())]
    rest = "high 81  Acme token: may write  acme_…[masked]  acme/web: config/app.py:3:9  0123456789abcdef\n"
    assert "".join(kept_module.history_text(changes)) == (
        f"2027-03-02 03:00  sweep 7  worse (medium -> high)  {rest}"
        f"2027-03-02 03:00  sweep 7  spread to acme/api  {rest}"
    )
    (first, _) = json.loads("".join(kept_module.history_json(changes)))["history"]
    assert first["is"]["id"] == first["finding"]


def test_a_secret_in_a_message_of_a_commit() -> None:
    """A place has a name there, too."""
    there = place() | {"origin": {"type": "git-message", "message": "commit", "target": "d" * 40}}
    assert kept_module.place_of(there) == "acme/web: message of dddddddddddd:3:9"
