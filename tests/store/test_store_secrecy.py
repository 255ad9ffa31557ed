"""What a database holds: neither values nor their fingerprints, in no form; and what is not masked is not taken."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from databases import program
from git_repository import GitRepository
from oakum.scanner.model import RankedFinding
from oakum.scanner.report.options import ReportOptions
from oakum.scanner.report.structured import finding_object
from oakum.scanner.store import StoreError, Wanted
from oakum.scanner.store.objects import name_of
from scanning import Fresh, scan
from sweeping import KEY, day, found, opened, place, remote, searched, secret, sweep, told

WORD = "".join(("ge", "heim"))
"""A password, which is not one as it stands here."""
WEB = remote("acme/web", url=f"https://ann:{WORD}@git.example.org/acme/web.git")


def forms(text: bytes) -> list[bytes]:
    """A text, and what base64 makes of it wherever it stands in a longer one."""
    out = [text, text.upper(), text.hex().encode(), text[::-1]]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + text)
        out.append(coded[4 if shift else 0 : len(coded) - 4])
    return out


def content(where: str, folder: Path) -> bytes:
    """All that a database has on the disk, or a dump of it."""
    if "://" in where:
        dumped = subprocess.run([program("pg_dump", "postgresql"), "--inserts", where], capture_output=True, check=True)
        return dumped.stdout
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.startswith("store.db"))
    assert {p.suffix for p in files} >= {".db", ".db-wal"}
    return b"".join(p.read_bytes() for p in files)


def test_no_value_and_no_fingerprint_is_in_the_database(
    where: str, repo: GitRepository, fresh: Fresh, tmp_path: Path
) -> None:
    """Of findings of a real scan, whose reports tell of each other, and of a hostile path."""
    keys = [fresh(), fresh()]
    repo.commit({"a.ini": b"token = " + keys[0] + b"\n", "b.ini": b"token = " + keys[1] + b"\n"}, "settings")
    ranked: list[RankedFinding] = list(scan(repo.path).findings)
    assert len(ranked) == 2
    marks = [r.fingerprint for r in ranked]
    objects: list[dict[str, Any]] = [finding_object(r, ReportOptions()) | {"owners": ["ann"]} for r in ranked]
    objects[0]["also"] = [marks[1], f"see {marks[0]}.", {"fingerprint": marks[1], "id": [marks[1].upper()]}]
    objects[1]["facts"] |= {f"x{marks[0]}x": f"the same as {marks[0]}{marks[1]}"}
    objects[1]["occurrences"][0]["origin"] |= {"path_bytes": base64.b64encode(b"\xff" + marks[0].encode()).decode()}
    store = opened(where)
    sweep(store, 1, searched(WEB, *objects))
    for mark in marks:
        store.decide(mark, "accepted", "a test", "ann", day(1), None)
    stored = content(where, tmp_path)
    store.close()
    stored += content(where, tmp_path) if "://" in where else Path(where).read_bytes()
    assert name_of(KEY, marks[0]).encode() in stored
    assert b"github-pat" in stored
    hidden = [form for text in (*keys, *(m.encode() for m in marks), KEY, WORD.encode()) for form in forms(text)]
    assert [form for form in hidden if form in stored] == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"secret": secret("one").reveal().decode()}, "is not masked (workers must not show secrets)"),
        ({"secret": secret("one").reveal().decode() * 3 + "…[masked]"}, "is not masked"),
        ({"secret": None}, "is not masked"),
        ({"fingerprint": "short"}, "has no fingerprint"),
        ({"fingerprint": 7}, "has no fingerprint"),
        ({"band": "worst"}, "has no rank"),
        ({"score": "90"}, "has no rank"),
        ({"score": 101}, "has no rank"),
        ({"verdict": "live"}, "has no verdict"),
        ({"verdict": {"state": "maybe"}}, "has no verdict"),
        ({"occurrences": "many"}, "has no places"),
        ({"occurrences": ["one"]}, "has no places"),
        ({"owners": "ann"}, "has no places"),
        ({"summary": ["one"]}, "does not say what it is"),
        ({"facts": [[[[[[[[[["deep"]]]]]]]]]]}, "is nested too deeply"),
    ],
)
def test_an_object_that_is_not_as_it_must_be_is_refused_whole(tmp_path: Path, wrong: dict[str, Any], why: str) -> None:
    """With all that came with it; the value is not shown."""
    store = opened(tmp_path / "store.db")
    number = store.begin(["github:acme"], day(1))
    with pytest.raises(StoreError) as caught:
        store.commit(number, [searched(WEB, found("two"), found("one") | wrong)], day(1))
    assert f"a finding in acme/web {why}" in str(caught.value)
    assert secret("one").reveal().decode() not in str(caught.value)
    assert list(store.findings(Wanted())) == []
    assert store.known() == {}
    store.close()


def test_what_is_kept_of_a_finding_is_bounded(where: str) -> None:
    """Places, entries, lengths; what databases do not take is replaced."""
    many = found("one", *["history"] * 70, "head")
    many |= {"summary": "x" * 10_000 + "\0", "occurrences_folded": 5, "owners": [f"o{n}" for n in range(500)]}
    many["facts"] = {"host": "a\0b\ud800c", "ratio": float("nan"), "bytes": b"\xff"}
    store = opened(where)
    news = sweep(store, 1, searched(remote("acme/\0web\ud800", team="\0"), many))
    assert told(news) == [("new", "", "open")]
    (kept,) = store.findings(Wanted())
    assert (len(kept.summary), len(kept.owners), len(kept.places)) == (2000, 200, 5)
    assert kept.repositories == ("acme/\ufffdweb?",)
    with store._place.reading() as c:
        from oakum.scanner.store.schema import presences
        from sqlalchemy import select

        stored = c.scalars(select(presences.c.object)).one()
    assert len(stored["occurrences"]) == 50
    assert stored["occurrences_folded"] == 5 + 21
    assert stored["facts"] == {"host": "a\ufffdb?c", "ratio": "nan", "bytes": "b'\\xff'"}
    store.close()


def test_the_same_secret_twice_in_an_outcome_is_one(tmp_path: Path) -> None:
    """The worse one."""
    store = opened(tmp_path / "store.db")
    sweep(store, 1, searched(WEB, found("one", band="low"), found("one", band="critical"), found("one")))
    assert [k.band for k in store.findings(Wanted())] == ["critical"]
    store.close()


def test_an_unknown_reach_counts_as_the_head(tmp_path: Path) -> None:
    """What stands in a work tree or is staged is there for all to see."""
    store = opened(tmp_path / "store.db")
    odd = found("one", "history")
    odd["occurrences"].append({"origin": {"type": "file", "path": "a"}})
    staged = found("two") | {"occurrences": [place("staged")]}
    sweep(store, 1, searched(WEB, odd, staged))
    assert [k.state for k in store.findings(Wanted())] == ["open", "open"]
    store.close()


def test_what_a_hostile_host_and_worker_say_fits_into_the_tables(where: str) -> None:
    """Ids, targets and names without end, numbers that no database takes: the repository is known all the same."""
    store = opened(where)
    long = remote("x" * 9000, id="\ud800" + "i" * 9000, target="t" * 9000, team="é" * 9000, readers="all", url="\0")
    for night in (1, 2):
        done = searched(long, found("one", "history"), bytes=1 << 70, blobs=-1, worker="w" * 9000, refs="r" * 9000)
        sweep(store, night, done, targets=["t" * 9000])
    (known,) = store.known().values()
    assert (known.bytes, known.open) == (1 << 53, 1)
    sweep(store, 3, listed=[], targets=["t" * 9000])
    assert told(sweep(store, 4, listed=[], targets=["t" * 9000])) == [("fixed", "fixed in head", "removed")]
    store.close()
