"""Findings of a store, their history, groups and status: whole pages, formats for programs, and what damaged workers
left in a store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_stores import failed, found, opened, remote, searched, sweep
from oakum.scanner.errors import UsageError
from oakum.scanner.model import UNSAFE
from oakum.scanner.report import kept as reports
from oakum.scanner.report.options import ReportOptions
from oakum.scanner.swept import Kept, Unlisted
from sweep_news import ENDED, HOSTILE, MASK, TOKEN, event, full, hostile, kept, place

PLAIN = ReportOptions()


def page(*findings: Kept, **options: Any) -> str:
    """Findings for people."""
    return "".join(reports.findings_text(findings, ReportOptions(**options)))


def test_a_finding() -> None:
    """What, where, since when, what became of it, whose, what to do, and its id."""
    told = kept(
        repositories=("acme/shop", "acme/web", *(f"acme/{n}" for n in range(8))),
        places=(place(), *(place("acme/shop", f"{n}.ini", line=n) for n in range(1, 6))),
        owners=("@acme/web", "Ada <ada@example.test>"),
        verdict={"state": "live", "reason": "user ada"},
    )
    assert page(told) == (
        f" CRITICAL 95  GitHub token: live mode  {MASK}\n"
        "  where  acme/web: src/settings.ini:100:9\n"
        "  since  2027-01-31, c1c1c1c1c1c1 by Ada Lovelace <ada@example.test>, at the head of the default branch\n"
        "  also   acme/shop: 1.ini:1:9\n"
        "  also   acme/shop: 2.ini:2:9\n"
        "  also   acme/shop: 3.ini:3:9\n"
        "  also   in acme/0, acme/1, acme/2, acme/3, acme/4, acme/5 and 2 more\n"
        "  state  open, first seen 2027-02-01, last seen 2027-03-02; live: user ada\n"
        "  owner  @acme/web, Ada <ada@example.test>\n"
        "  next   revoke it: https://docs.github.com/rotate\n"
        "  id     0123456789abcdef  github-pat\n"
        "\n"
        "1 finding (1 critical)\n"
    )


def test_none_and_many() -> None:
    """The last line counts them."""
    assert page() == "0 findings\n"
    assert page(kept(), kept(band="low"), kept()).endswith("\n\n3 findings (2 critical, 1 low)\n")


def test_one_that_is_decided_upon() -> None:
    """Who decided, why and until which day; there is nothing to do."""
    decision = {"state": "accepted", "reason": "a demo", "by": "ada", "expires": "2027-06-30T23:59:59+00:00"}
    said = page(kept(state="accepted", decision=decision))
    assert "last seen 2027-03-02; a demo (ada), until 2027-06-30\n" in said
    assert "next" not in said
    bare = page(kept(state="false positive", decision={"reason": "made up"}))
    assert "  state  false positive, first seen 2027-02-01, last seen 2027-03-02; made up\n" in bare


def test_a_message_and_a_file_of_a_clone() -> None:
    """Places without a path or a commit say what they are."""
    message = {"type": "git-message", "message": "commit", "target": "d" * 40, "date": "2027-01-31", "author": "Ada"}
    assert reports.place_of({"repository": "acme/web", "origin": message, "line": 2, "column": 1}) == (
        "acme/web: message of dddddddddddd:2:1"
    )
    assert reports.since_of({"origin": message}) == "2027-01-31 by Ada"
    assert reports.since_of({"origin": {"type": "file", "path": "a"}}) == ""


def test_history() -> None:
    """A line for each change, with what it was and what it is."""
    lines = "".join(reports.history_text(full().changes)).splitlines()
    what = f"critical 95  GitHub token: live mode  {MASK}  acme/web: src/settings.ini:100:9  0123456789abcdef"
    other = "medium 42  Password in a .netrc file  …[masked]  acme/shop: tests/.netrc:100:9  fedcba9876543210"
    assert [line.removeprefix("2027-03-02 03:10  sweep 2  ") for line in lines] == [
        f"new  {what}",
        f"reopened (revoked -> reopened)  {what}",
        f"worse (medium -> critical)  {what}",
        f"worse  {what}",
        f"spread to acme/shop  {other}",
        f"fixed (open -> fixed in head)  {other}",
        f"revoked (open -> revoked)  {what}",
    ]


def test_groups() -> None:
    """A table, most urgent first; what is in none is told, too."""
    findings = [kept(), kept(teams=("acme", "shop")), kept(band="low", teams=())]
    assert "".join(reports.groups_text(findings, "team")) == (
        "team      total  critical      high    medium       low\n"
        "acme          2         2                              \n"
        "shop          1         1                              \n"
        "(none)        1                                       1\n"
    )
    assert json.loads("".join(reports.groups_json(findings, "team"))) == {
        "schema": 1,
        "by": "team",
        "groups": [
            {"name": "acme", "total": 2, "critical": 2, "high": 0, "medium": 0, "low": 0},
            {"name": "shop", "total": 1, "critical": 1, "high": 0, "medium": 0, "low": 0},
            {"name": "(none)", "total": 1, "critical": 0, "high": 0, "medium": 0, "low": 1},
        ],
    }


@pytest.mark.parametrize("by", reports.GROUPS)
def test_every_group(by: str) -> None:
    """Each can be counted by."""
    assert sum(sum(1 for _ in reports.groups_of(each, by)) for each in (kept(), kept(owners=()))) == 2


OBJECT = {
    "id": "0123456789abcdef",
    "detector": "github-pat",
    "provider": "github",
    "kind": "token",
    "name": "GitHub personal access token",
    "summary": "GitHub token: live mode",
    "secret": MASK,
    "band": "critical",
    "score": 95,
    "state": "open",
    "verdict": {"state": "unknown", "reason": "not asked"},
    "first_seen": "2027-02-01T02:00:00+00:00",
    "last_seen": "2027-03-02T03:10:00+00:00",
    "repositories": ["acme/web"],
    "teams": ["acme"],
    "owners": ["@acme/web"],
    "places": [place()],
    "rotate": "https://docs.github.com/rotate",
    "decision": {},
}
CHANGE = {
    "sweep": 2,
    "at": "2027-03-02T03:10:00+00:00",
    "change": "new",
    "finding": "0123456789abcdef",
    "before": "",
    "after": "",
    "is": OBJECT,
}


@pytest.mark.parametrize("number", [0, 1, 3])
def test_formats_for_programs(number: int) -> None:
    """One document, or an object on each line; the same objects."""
    findings, changes = [kept()] * number, [(event(), kept())] * number
    assert json.loads("".join(reports.findings_json(findings))) == {"schema": 1, "findings": [OBJECT] * number}
    assert json.loads("".join(reports.history_json(changes))) == {"schema": 1, "history": [CHANGE] * number}
    assert [json.loads(line) for line in reports.findings_jsonl(findings)] == [OBJECT] * number
    assert [json.loads(line) for line in reports.history_jsonl(changes)] == [CHANGE] * number


def test_nothing_is_written_of_what_is_refused() -> None:
    """A document that is begun and not ended would be read as far as it goes."""

    def refused() -> Iterator[Kept]:
        raise UsageError("no finding is called so")
        yield

    for render in (reports.findings_json, reports.findings_jsonl):
        with pytest.raises(UsageError):
            next(render(refused()))


def test_what_comes_from_outside_does_not_act() -> None:
    """On a terminal nothing but our own lines and colours is to be seen, in no format."""
    changes = hostile().changes
    findings = [one for _, one in changes]
    pages = [
        page(*findings),
        "".join(reports.history_text(changes)),
        *("".join(reports.groups_text(findings, by)) for by in reports.GROUPS),
        "".join(reports.findings_json(findings)),
        "".join(reports.findings_jsonl(findings)),
        "".join(reports.history_jsonl(changes)),
    ]
    for said in pages:
        assert not re.search(UNSAFE, said.replace("\n", ""))
    assert json.loads(pages[-3])["findings"][0]["owners"] == [HOSTILE]
    colored = re.sub("\x1b\\[[0-9;]*m", "", page(*findings, color=True))
    assert not re.search(UNSAFE, colored.replace("\n", ""))
    assert TOKEN.decode() not in "".join(pages)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["path", "message", "target", "date", "author", "reachable", "commit", "type"])


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["origin", "line", "column", "blobs"]), ANYTHING, max_size=4),
    st.dictionaries(NAMES, ANYTHING, max_size=6),
    st.text(max_size=20),
)
def test_places_of_damaged_workers(bare: dict[str, Any], origin: dict[str, Any], summary: str) -> None:
    """A store holds of a place what a worker gave: it is shown as far as it goes, in lines of our own."""
    told = kept(places=(bare | {"repository": summary}, {"repository": "acme/web", "origin": origin}), summary=summary)
    said = page(told) + reports.line_of(told) + "".join(reports.history_text([(event(), told)]))
    assert not re.search(UNSAFE, said.replace("\n", ""))
    assert "0123456789abcdef" in said


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (("", "GitHub token", "github-pat"), "GitHub token"),
        ((" \t ", "", "github-pat"), "github-pat"),
        (("", "", ""), "a secret"),
    ],
)
def test_one_that_does_not_say_what_it_is(texts: tuple[str, str, str], shown: str) -> None:
    """It has a name all the same."""
    summary, name, detector = texts
    told = kept(summary=summary, name=name, detector=detector)
    assert page(told).startswith(f" CRITICAL 95  {shown}  {MASK}\n")
    assert reports.line_of(told).startswith(f"critical 95  {shown}  {MASK}  acme/web")


def test_status(tmp_path: Path) -> None:
    """A page of a real store: its last sweeps, what there is, what fails and since when, and messages."""
    web, gone = remote("acme/web"), remote("acme/gone")
    with closing(opened(tmp_path / "sweeps.db")) as store:
        assert "".join(reports.status_text(store.status())) == (
            "findings 0 to do something about\n         none\nknown    0 repositories, 0 failing, 0 gone\n"
        )
        sweep(store, 1, searched(web, found("one", band="critical"), found("two")), hooks=["slack:NEWS"])
        (delivery,) = store.deliveries()
        store.sending(delivery.id)
        sweep(
            store,
            2,
            searched(web, found("one", band="critical"), found("two", reach="history"), found("three", band="low")),
            failed(gone, f"it answers 500: {HOSTILE}"),
            hooks=["teams:NEWS"],
            unlisted=[Unlisted("github:acme", "it answers 500")],
        )
        (delivery,) = store.deliveries()
        store.sending(delivery.id)
        store.sent(delivery.id, ENDED, failed="it answers 404")
        store.begin(["github:acme"], replace(event(), at=ENDED).at)
        status = store.status()
    assert "".join(reports.status_text(status)) == (
        "sweep 3  began 2027-03-02 03:10, NOT ENDED: run it again  \n"
        "         github:acme\n"
        "sweep 2  began 2027-03-03 02:00, ended 2027-03-03 03:00  2 repositories, 1 searched, 1 failed\n"
        "         github:acme\n"
        "         not listed: github:acme: it answers 500\n"
        "sweep 1  began 2027-03-02 02:00, ended 2027-03-02 03:00  1 repositories, 1 searched, 0 failed\n"
        "         github:acme\n"
        "findings 3 to do something about (1 critical, 1 high, 1 low)\n"
        "         2 open, 1 fixed in head\n"
        "known    2 repositories, 1 failing, 0 gone\n"
        f"failing  acme/gone since 2027-03-03 (1 sweeps): it answers 500: {escaped()}\n"
        "message  of sweep 2 to teams:NEWS: waiting: it answers 404\n"
        "message  of sweep 1 to slack:NEWS: may have arrived\n"
    )
    document = json.loads("".join(reports.status_json(status)))
    assert (document["schema"], document["failing"][0]["repository"]) == (1, "acme/gone")


def escaped() -> str:
    """The hostile text as it stands on a page; a store has no NUL."""
    text = HOSTILE.replace("\0", "\ufffd")
    for sign, instead in (("\x1b", "\\x1b"), ("\r", "\\x0d"), ("\n", "\\x0a"), ("\u202e", "\\u202e")):
        text = text.replace(sign, instead)
    return text.replace("\u2028", "\\u2028")
