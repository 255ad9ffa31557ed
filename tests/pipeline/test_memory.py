"""A second scan of a repository tells what a first one would, and searches only what came to it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from git_repository import GitRepository
from oakum.scanner.model import ScanResult
from oakum.scanner.pipeline import targets
from oakum.scanner.pipeline.workers import Searcher
from oakum.scanner.report import FORMATS
from oakum.scanner.report.options import ReportOptions
from oakum.scanner.sources.objects import ObjectUnit
from oakum.scanner.sources.packs import PackUnit
from scanning import Fresh, places, scan

NAME = b"pass" + b"word"
TEXT = b"".join(b"line %d of a file that has many\n" % n for n in range(60))


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    """A repository with some secrets in its history, in versions that are alike, and in a message."""
    fresh = Fresh("memory")
    made = GitRepository.create(tmp_path / "repo")
    token, other = fresh(), fresh()
    for number in range(6):
        text = TEXT.replace(b"line %d " % (8 * number), b"LINE %d " % number) + b"token: " + token + b"\n"
        commit(made, {"deploy.yml": text, f"notes/{number}.md": b"nothing here %d\n" % number})
    commit(made, {"old.py": b"first = '" + other + b"'\nEXAMPLE = 'password: changeme'\n"})
    commit(made, {"old.py": NAME + b" = 'hunter2-and-more-of-it'\n"}, message=b"use " + fresh() + b" no more")
    made.git("repack", "-adq")
    return made


def commit(repo: GitRepository, files: dict[str, bytes], message: bytes = b"a change") -> None:
    """Write files and commit them."""
    for name, content in files.items():
        path = repo.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    repo.days += 1
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--allow-empty", "--file=-", stdin=message)


def told(result: ScanResult) -> dict[str, Any]:
    """All that a report says of a repository but counts."""
    report: dict[str, Any] = json.loads("".join(FORMATS["json"].render(result, ReportOptions(show_secrets=True))))
    del report["summary"]
    return report


class Seen:
    """The objects that were searched while it was there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        self.whole = 0
        search = Searcher.search

        def noting(searcher: Searcher, unit: Any, into: Any = None) -> Any:
            if type(searcher) is Searcher:
                self.names.update(unit.names() if isinstance(unit, ObjectUnit) else ())
                self.whole += isinstance(unit, PackUnit)
            return search(searcher, unit, into)

        monkeypatch.setattr(Searcher, "search", noting)


def test_an_unchanged_repository_is_not_searched_again(
    repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are its packs opened, nor its history gone through: and the report is the same, whole."""
    first = scan(repo.path, cache=str(tmp_path / "cache"))
    assert len(places(first)) >= 4

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("looked at again")

    monkeypatch.setattr(targets.packs, "open_packs", never)
    monkeypatch.setattr(targets.objects, "list_units", never)
    monkeypatch.setattr(targets.history, "attribute", never)
    second = scan(repo.path, cache=str(tmp_path / "cache"))
    assert told(second) == told(first) == told(scan(repo.path, cache=str(tmp_path / "cache")))
    counted = ("counts", "bytes", "copied", "detectors")
    assert [getattr(second.coverage, name) for name in counted] == [getattr(first.coverage, name) for name in counted]
    assert (second.suppressed, second.dropped) == (first.suppressed, first.dropped)
    note = "git objects known from an earlier scan were not searched again"
    page = FORMATS["text"].render
    assert [note in "".join(page(result, ReportOptions())) for result in (first, second)] == [False, True]


def test_what_came_to_it_is_searched_and_nothing_else(
    repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loose or packed, and also when all packs have other names."""
    cache = str(tmp_path / "cache")
    scan(repo.path, cache=cache)
    before = set(repo.git("rev-list", "--all", "--objects", "--no-object-names").split())
    secret = Fresh("more")()
    commit(repo, {"more.txt": b"one = " + secret + b"\n"})
    new = set(repo.git("rev-list", "--all", "--objects", "--no-object-names").split()) - before
    for pack in (False, True):
        if pack:
            commit(repo, {"even more.txt": b"nothing\n"})
            new = set(
                repo.git("rev-list", "-1", "HEAD", "HEAD:even more.txt", "--objects", "--no-object-names").split()
            )
            repo.git("-c", "pack.threads=1", "repack", "-adfq", "--window=3")
        seen = Seen(monkeypatch)
        warm = scan(repo.path, cache=cache)
        assert seen.whole == 0
        alone = {repo.git("rev-parse", "HEAD"), *([] if pack else [repo.git("rev-parse", "HEAD:more.txt")])}
        assert alone <= seen.names
        assert len(seen.names) < 12
        assert new & seen.names
        assert secret in places(warm)
        assert told(warm) == told(scan(repo.path))


def test_what_comes_while_a_scan_begins_is_not_missed(
    repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pack that appears between the first look at a repository and its packs being opened, by a fetch, say."""
    cache, secret = str(tmp_path / "cache"), Fresh("late")()
    scan(repo.path, cache=cache)
    open_packs = targets.packs.open_packs

    def late(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(targets.packs, "open_packs", open_packs)
        commit(repo, {"late.txt": b"one = " + secret + b"\n"})
        repo.git("repack", "-dq")
        return open_packs(*arguments, **options)

    commit(repo, {"other.txt": b"so that something is new\n"})
    monkeypatch.setattr(targets.packs, "open_packs", late)
    scan(repo.path, cache=cache)
    assert secret in places(scan(repo.path, cache=cache))
    assert told(scan(repo.path, cache=cache)) == told(scan(repo.path))


def test_what_is_lost_is_told(repo: GitRepository, tmp_path: Path) -> None:
    """A blob of history that is not there any more is named by the second scan as by a first one."""
    cache = str(tmp_path / "cache")
    commit(repo, {"lost.txt": b"one = " + Fresh("lost")() + b"\n"})
    commit(repo, {"lost.txt": b"nothing\n"})
    scan(repo.path, cache=cache)
    lost = repo.git("rev-parse", "HEAD^:lost.txt")
    (repo.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    for _ in range(2):
        warm, cold = scan(repo.path, cache=cache), scan(repo.path)
        assert told(warm) == told(cold)
        assert any(lost.encode() in entry.what for entry in warm.not_scanned)


def test_a_shallow_clone_that_is_deepened(repo: GitRepository, tmp_path: Path) -> None:
    """Its first commit had parents after all: what that seemed to bring was there before."""
    cache, clone = str(tmp_path / "cache"), GitRepository(tmp_path / "clone")
    clone.path.mkdir()
    clone.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", ".")
    scan(clone.path, cache=cache)
    clone.git("fetch", "--quiet", "--unshallow")
    assert told(scan(clone.path, cache=cache)) == told(scan(clone.path))


@pytest.mark.parametrize("again", [False, True])
def test_a_fetch_in_the_middle_of_a_scan(
    repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """What comes between the first look at a repository and its attribution is searched by the next scan, and named
    rightly; also where all of history must be gone through, as a branch went away."""
    cache, secret = str(tmp_path / "cache"), Fresh("middle")()
    repo.git("branch", "gone", "HEAD~3")
    commit(repo, {"last.txt": b"nothing\n"})
    scan(repo.path, cache=cache)
    work_tree = targets.work_tree

    def fetched(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(targets, "work_tree", work_tree)
        out = work_tree(*arguments, **options)
        commit(repo, {"a.txt": b"one = " + secret + b"\n"})
        repo.git("repack", "-dq")
        return out

    repo.git("branch", "-qD", "gone") if again else repo.git("branch", "more", "HEAD~1")
    monkeypatch.setattr(targets, "work_tree", fetched)
    scan(repo.path, cache=cache)
    commit(repo, {"b.txt": b"one = " + secret + b"\n", "a.txt": b"other\n"})
    warm = scan(repo.path, cache=cache)
    assert secret in places(warm)
    assert told(warm) == told(scan(repo.path))


def test_gc_alone_changes_nothing(repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other packs, the same objects."""
    cache = str(tmp_path / "cache")
    first = scan(repo.path, cache=cache)
    repo.git("repack", "-adfq", "--depth=2", "--window=3")
    seen = Seen(monkeypatch)
    assert told(scan(repo.path, cache=cache)) == told(first)
    assert seen.whole == 0


def test_what_is_gone_is_not_told_again(repo: GitRepository, tmp_path: Path) -> None:
    """Its secrets go with it; what stood in other objects too is still found there."""
    cache = str(tmp_path / "cache")
    before = places(scan(repo.path, cache=cache))
    repo.git("checkout", "--quiet", "--orphan", "other")
    commit(repo, {"left.txt": b"nothing\n"})
    repo.git("branch", "-qD", "main")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    warm = scan(repo.path, cache=cache)
    assert told(warm) == told(scan(repo.path))
    assert places(warm).keys() < before.keys()


def test_refs_alone_change_what_reaches_it(repo: GitRepository, tmp_path: Path) -> None:
    """A branch that is deleted takes no object along."""
    cache = str(tmp_path / "cache")
    scan(repo.path, cache=cache)
    repo.git("checkout", "--quiet", "--detach", "HEAD~3")
    repo.git("branch", "-qD", "main")
    assert told(scan(repo.path, cache=cache)) == told(scan(repo.path))


def test_it_counts_for_the_same_detectors_and_limits_only(repo: GitRepository, tmp_path: Path) -> None:
    """A user's detector that is new finds what it finds, and a lower limit leaves out what it leaves out."""
    cache = str(tmp_path / "cache")
    scan(repo.path, cache=cache)
    own = tmp_path / "own.toml"
    own.write_text(
        '[[detector]]\nid = "acme-line"\nname = "Line"\nkind = "token"\nseverity = "low"\n'
        'pattern = \'line 5(?P<secret>[0-9] of a file)\'\nkeywords = ["line 5"]\nexamples = ["line 5{secret} x"]\n'
    )
    for options in ({"detectors": (str(own),)}, {"max_size": 1000}, {"markers": False}):
        assert told(scan(repo.path, cache=cache, **options)) == told(scan(repo.path, **options)), options


def test_nothing_of_a_secret_is_kept(repo: GitRepository, tmp_path: Path) -> None:
    """No value, no line, no fact: the cache says where, not what."""
    values = places(scan(repo.path, cache=str(tmp_path / "cache")))
    kept = b"".join(file.read_bytes() for file in (tmp_path / "cache" / "repositories").iterdir())
    assert kept
    for value in values:
        assert value[4:16] not in kept
    assert b"token" not in kept
    assert b"hunter" not in kept


def test_a_damaged_cache_costs_time_only(repo: GitRepository, tmp_path: Path) -> None:
    """Whatever stands in its files."""
    cache = tmp_path / "cache"
    first = scan(repo.path, cache=str(cache))
    for damage in (b"", b"{}", b"x" * 100):
        for file in (cache / "repositories").iterdir():
            file.write_bytes(damage)
        assert told(scan(repo.path, cache=str(cache))) == told(first)
        assert told(scan(repo.path, cache=str(cache))) == told(first)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 2, 3))])
@pytest.mark.long
def test_the_law(seed: int, tmp_path: Path) -> None:
    """Whatever happens to a repository between two scans, the second tells what a scan without a memory tells."""
    random, fresh = Random(f"law {seed}"), Fresh(f"law {seed}")
    repo = GitRepository.create(tmp_path / "repo")
    commit(repo, {"a.txt": TEXT})
    secrets = [fresh() for _ in range(4)]
    for step in range(12):
        change(repo, random, secrets, step)
        cache = str(tmp_path / "cache")
        warm, cold = scan(repo.path, cache=cache), scan(repo.path)
        assert told(warm) == told(cold), step
        assert told(scan(repo.path, cache=cache)) == told(cold), step


def change(repo: GitRepository, random: Random, secrets: list[bytes], step: int) -> None:
    """Something that people do to a repository."""
    name = random.choice(["a.txt", "b.txt", "c/d.py"])
    path = repo.path / name
    lines = (path.read_bytes() if path.exists() else TEXT).splitlines(keepends=True)
    lines.insert(random.randrange(len(lines)), b"key = '" + random.choice(secrets) + b"'\n")
    branches = repo.git("branch", "--format=%(refname:short)").split()
    match random.randrange(12):
        case 0 | 1:
            commit(repo, {name: b"".join(lines)})
        case 2:
            commit(repo, {name: TEXT}, message=b"with " + random.choice(secrets))
        case 3:
            repo.git("checkout", "--quiet", "-b", f"branch-{step}")
            commit(repo, {f"new-{step}.txt": b"".join(lines)})
        case 4:
            repo.git("reset", "--quiet", "--hard", repo.git("rev-list", "--max-parents=0", "HEAD").split()[0])
            if random.random() < 0.5:
                repo.git("reflog", "expire", "--expire=now", "--all")
                repo.git("gc", "-q", "--prune=now")
        case 5:
            repo.git("checkout", "--quiet", random.choice(branches))
        case 6:
            repo.git("merge", "--quiet", "--no-edit", "-X", random.choice(("ours", "theirs")), random.choice(branches))
        case 7:  # the same file on another branch, by a clock that is behind or ahead
            now, repo.days = repo.days, random.randrange(40)
            repo.git("checkout", "--quiet", "-b", f"clock-{step}")
            commit(repo, {name: TEXT + b"key = '" + secrets[0] + b"'\n"})
            repo.days = now
        case 8:
            repo.git(
                "tag", "-a", f"tag-{step}", "-m", f"tag {random.choice(secrets).decode()}", random.choice(branches)
            )
        case 9:
            tags = repo.git("tag").split()
            if tags:
                repo.git("tag", "-d", random.choice(tags))
        case 10:
            (repo.path / name).parent.mkdir(exist_ok=True)
            (repo.path / name).write_bytes(b"".join(lines))
            repo.git("stash", "--quiet", "--include-untracked")
        case _:
            repo.git("gc", "-q")
            commit(repo, {name: b"".join(lines)})


def test_after_a_fetch_only_what_came_is_attributed(
    repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither are the packs that were there read, nor their commits gone through: and the report is that of a first
    scan, whole. A branch, a merge, a tag, a commit whose clock was behind, and the head moved."""
    cache, bare = str(tmp_path / "cache"), GitRepository.create(tmp_path / "bare.git", "--bare")
    bare.git("fetch", "--quiet", str(repo.path), "+refs/*:refs/*")
    scan(bare.path, cache=cache)
    secret = Fresh("fetched")()
    repo.git("checkout", "--quiet", "-b", "side", "HEAD~2")
    now, repo.days = repo.days, 0
    commit(repo, {"side.txt": b"one = '" + secret + b"'\n"})
    repo.days = now
    repo.git("checkout", "--quiet", "main")
    commit(repo, {"main.txt": b"two\n", "side.txt": b"one = '" + secret + b"'\n"})
    repo.git("merge", "--quiet", "--no-edit", "side")
    (repo.path / "deploy.yml").unlink()
    commit(repo, {"last.txt": b"three\n"})
    repo.git("tag", "-a", "v1", "-m", "a tag")
    bare.git("fetch", "--quiet", str(repo.path), "+refs/*:refs/*")
    bare.git("-c", "gc.pruneExpire=now", "repack", "-dq")
    cold = scan(bare.path)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("gone through again")

    monkeypatch.setattr(targets.history, "attribute", never)
    monkeypatch.setattr(targets.packs.Packs, "grow", never)
    monkeypatch.setattr(targets.packs.Packs, "list_units", never)
    warm = scan(bare.path, cache=cache)
    assert secret in places(warm)
    assert told(warm) == told(cold)
    assert told(scan(bare.path, cache=cache)) == told(cold)


def own(path: Path, *detectors: tuple[str, str]) -> str:
    """A file of detectors for numbers behind a word, or one of some words."""
    form = (
        '[[detector]]\nid = "{0}"\nname = "Own"\nkind = "token"\nseverity = "low"\n'
        "pattern = '(?:{1}) (?P<secret>[0-9]{{2,9}})(?![0-9])'\nkeywords = {2}\nexamples = [\"{3} {{secret}}\"]\n"
    )
    words = [(name, expected, expected.lower().split("|")) for name, expected in detectors]
    path.write_text("".join(form.format(name, expected, keys, keys[0].upper()) for name, expected, keys in words))
    return str(path)


NUMBERED, NOTED, WIDER = ("acme-number", "NUMBER"), ("acme-note", "NOTE"), ("acme-number", "COUNT|NUMBER")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [NUMBERED]),
        ([NUMBERED], []),
        ([NUMBERED], [NOTED]),
        ([NUMBERED], [WIDER]),
        ([WIDER, NOTED], [NUMBERED]),
    ],
)
@pytest.mark.parametrize("packed", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_detector_that_changed_is_searched_for_alone(
    before: list[tuple[str, str]],
    after: list[tuple[str, str]],
    packed: bool,
    repo: GitRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only where it could find something, now or as it was, is anything searched again; the report is that of a first
    scan, whole. So it is for detectors that came, went, or became others."""
    for number in range(3):
        commit(
            repo, {"numbers.txt": TEXT + b"NUMBER 4711%d\n" % number, f"counts/{number}.txt": b"COUNT 10%d\n" % number}
        )
        commit(repo, {"notes.txt": TEXT + b"a NOTE 99%d\n" % number, "wide.txt": "NUMBER 1234".encode("utf-16")})
    if packed:
        repo.git("repack", "-adfq")
    cache = str(tmp_path / "cache")
    scan(repo.path, cache=cache, detectors=(own(tmp_path / "own.toml", *before),) if before else ())
    files = (own(tmp_path / "own.toml", *after),) if after else ()
    cold = scan(repo.path, detectors=files)
    seen = Seen(monkeypatch)
    warm = scan(repo.path, cache=cache, detectors=files)
    assert told(warm) == told(cold)
    assert seen.whole == 0
    if packed:
        blobs = [name for name in seen.names if repo.git("cat-file", "-t", name) == "blob"]
        assert len(blobs) < 16
        assert repo.blob("HEAD:notes/1.md") not in blobs
    assert told(scan(repo.path, cache=cache, detectors=files)) == told(cold)
    assert (warm.coverage.counts, warm.coverage.bytes) == (cold.coverage.counts, cold.coverage.bytes)
