"""How far a sweep is: lines for logs, and bars for people."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.model import UNSAFE, NotScanned
from oakum.scanner.sweep import Task, progress
from oakum.scanner.sweep.progress import Bar, Log, Watch
from oakum.scanner.sweep.threads import each
from oakum.scanner.swept import Known, News, Outcome, Unlisted
from sweep_parts import NOW, remote, target


def told(watch: Watch) -> None:
    """A small sweep."""
    tasks = [Task(remote("web", size=3 << 20), "1"), Task(remote("api"), "1", Known(bytes=1 << 20))]
    watch.begun(7, [target()])
    watch.listed("github:acme", 5, 1)
    watch.unlisted(Unlisted("github:acme", "page 2: it answers 500"))
    watch.checking(4)
    for name in ("one", "two"):
        watch.checked()
        watch.done(Outcome(remote(name), "unchanged"))
    watch.planned(tasks)
    lost = (NotScanned(b"x", "damaged", count=3), NotScanned(b"y", "too large", policy=True))
    watch.done(
        Outcome(tasks[0].remote, "searched", findings=({}, {}), not_scanned=lost, blobs=9, bytes=77, seconds=0.3)
    )
    watch.done(Outcome(tasks[1].remote, "failed", why='git says "no"', worker="tcp://10.0.0.1:4", seconds=1.23456))
    watch.ended(
        News(7, NOW, NOW + timedelta(seconds=90), (), (), (("acme/api", "no"),), {"searched": 1, "fixed in head": 2})
    )
    watch.note("the message to slack:HOOK may not have arrived")


LINES = [
    {"sweep": 7, "event": "begun", "targets": 1},
    {"sweep": 7, "event": "listed", "target": "github:acme", "repositories": 5, "left_out": 1},
    {"sweep": 7, "event": "unlisted", "target": "github:acme", "why": "page 2: it answers 500"},
    {"sweep": 7, "event": "checking", "repositories": 4},
    {"sweep": 7, "event": "unchanged", "repositories": 2},
    {"sweep": 7, "event": "searching", "repositories": 2, "bytes": 4 << 20},
    {"sweep": 7, "repository": "acme/web", "ending": "searched", "findings": 2, "blobs": 9, "bytes": 77}
    | {"not_scanned": 3, "seconds": 0.3},
    {"sweep": 7, "repository": "acme/api", "ending": "failed", "why": 'git says "no"'}
    | {"worker": "tcp://10.0.0.1:4", "seconds": 1.235},
    {"sweep": 7, "event": "ended", "searched": 1, "fixed in head": 2, "news": 0, "failed": 1, "unlisted": 0}
    | {"seconds": 90.0},
    {"sweep": 7, "event": "note", "text": "the message to slack:HOOK may not have arrived"},
]


class TestLog:
    """A line for each thing that happens."""

    def test_objects(self) -> None:
        """With the time."""
        lines: list[str] = []
        told(Log(lines.append, lambda: NOW, as_json=True))
        assert [json.loads(line) for line in lines] == [{"time": "2027-01-01T00:00:00.000+00:00"} | o for o in LINES]

    def test_words(self) -> None:
        """Of the same names and values; what is no word is quoted."""
        lines: list[str] = []
        told(Log(lines.append, lambda: NOW, as_json=False))
        assert lines == [
            "oakum: sweep=7 event=begun targets=1",
            "oakum: sweep=7 event=listed target=github:acme repositories=5 left_out=1",
            'oakum: sweep=7 event=unlisted target=github:acme why="page 2: it answers 500"',
            "oakum: sweep=7 event=checking repositories=4",
            "oakum: sweep=7 event=unchanged repositories=2",
            "oakum: sweep=7 event=searching repositories=2 bytes=4194304",
            "oakum: sweep=7 repository=acme/web ending=searched findings=2 blobs=9 bytes=77 not_scanned=3 seconds=0.3",
            'oakum: sweep=7 repository=acme/api ending=failed why="git says \\"no\\"" worker=tcp://10.0.0.1:4 '
            "seconds=1.235",
            "oakum: sweep=7 event=ended searched=1 fixed_in_head=2 news=0 failed=1 unlisted=0 seconds=90.0",
            'oakum: sweep=7 event=note text="the message to slack:HOOK may not have arrived"',
        ]

    def test_what_is_as_it_was_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A line every so many."""
        monkeypatch.setattr(progress, "EVERY", 3)
        lines: list[str] = []
        log = Log(lines.append, lambda: NOW, as_json=False)
        for n in range(7):
            log.done(Outcome(remote(f"r{n}"), "unchanged"))
        log.ended(News(7, NOW, NOW, (), (), (), {}))
        assert [line.partition(" ")[2] for line in lines[:-1]] == [
            f"event=unchanged repositories={n}" for n in (3, 3, 1)
        ]

    def test_a_quiet_one(self) -> None:
        """Says what people should read in any case."""
        lines: list[str] = []
        told(Log(lines.append, lambda: NOW, as_json=False, quiet=True))
        assert lines == ['oakum: sweep=7 event=note text="the message to slack:HOOK may not have arrived"']

    @given(name=st.text(), why=st.text(max_size=2000), as_json=st.booleans())
    def test_nothing_that_a_host_says_breaks_a_line(self, name: str, why: str, as_json: bool) -> None:
        """No control characters, no second line, no end of a quoted text; and no line without an end."""
        lines: list[str] = []
        log = Log(lines.append, lambda: NOW, as_json=as_json)
        log.done(Outcome(replace(remote("x"), name=name), "failed", why=why))
        (line,) = lines
        assert re.search(UNSAFE, line) is None
        assert len(line) < 12 * progress.LONGEST + 200
        if as_json:
            assert json.loads(line)["repository"] == progress._bounded(name)
        else:
            rest = line.removeprefix("oakum: repository=")
            if rest.startswith('"'):
                value, end = json.JSONDecoder().raw_decode(rest)
                assert (value, rest[end:].partition("=")[0]) == (progress._bounded(name), " ending")
            else:
                assert rest.partition(" ")[0] == name


class TestBar:
    """Bars on a terminal."""

    def test_repositories_bytes_findings_and_time_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The time that is left goes by bytes and by repositories."""
        moments = iter([100.0, 130.0])
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments))
        stream = io.StringIO()
        bar = Bar(stream)
        bar.begun(7, [target()])
        bar.listed("github:acme", 4, 0)
        bar.checking(4)
        bar.planned([Task(remote(f"r{n}", size=1 << 20), "") for n in range(4)])
        bar.done(Outcome(remote("r0"), "searched", findings=({}, {})))
        shown = bar._bar.postfix
        bar.unlisted(Unlisted("github:acme", "it answers \x1b[31m500"))
        bar.ended(News(7, NOW, NOW, (), (), (), {}))
        assert shown == "1 MiB/4 MiB, 2 findings, 0:01:30 left"
        assert "oakum: github:acme: it answers \\x1b[31m500\n" in stream.getvalue()
        assert bar._bar is None

    def test_a_whole_sweep(self) -> None:
        """Also one in which nothing is known of sizes, or nothing is to be done."""
        bar = Bar(io.StringIO())
        told(bar)
        bar.begun(8, [])
        bar.checking(0)
        bar.planned([])
        bar.close()


class TestThreads:
    """Asking many at once."""

    def test_each_comes_once_with_what_became_of_it(self) -> None:
        """An exception is what became of it, too."""

        def work(n: int) -> int:
            if n % 3 == 0:
                raise ValueError(n)
            return n * n

        got = {n: repr(one) for n, one in each(work, iter(range(100)), threads=8)}
        assert got == {n: repr(ValueError(n)) if n % 3 == 0 else repr(n * n) for n in range(100)}

    def test_so_many_at_a_time_where_answers_take_long(self) -> None:
        """As hosts that are far away let everybody wait."""
        together = threading.Barrier(8)
        waited = each(lambda _: together.wait(30), range(16), threads=8)
        assert sorted(place for _, place in waited) == sorted([*range(8)] * 2)

    def test_nothing_more_begins_when_the_reader_stops(self) -> None:
        """A thread ends what it has begun."""
        begun: list[int] = []
        answers = each(begun.append, iter(range(1_000_000)), threads=2)
        next(answers)
        answers.close()  # type: ignore[attr-defined]
        count = len(begun)
        assert count < 1_000_000

    def test_what_is_given_may_fail(self) -> None:
        """The reader hears it."""

        def numbers() -> Iterator[int]:
            yield 1
            raise OSError("no more")

        with pytest.raises(OSError, match="no more"):
            list(each(lambda n: n, numbers(), threads=3))
