"""Objects come from git many at a time, and none is lost, cut or taken for another."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from git_repository import GitRepository
from oakum.scanner.model import GitBlob, GitMessage, NotScanned
from oakum.scanner.sources import Batch, Item, files, objects
from oakum.scanner.sources.git import Repository, open_repository


def opened(repo: GitRepository) -> Repository:
    """The repository as a scan opens it."""
    found = open_repository(os.fsencode(repo.path), dict(os.environ))
    assert found
    return found


def contents(read: Iterable[Batch | Item | NotScanned]) -> dict[object, bytes]:
    """Every blob by its origin."""
    out: dict[object, bytes] = {}
    for one in read:
        match one:
            case Batch():
                for place, (start, end) in enumerate(zip(one.starts, one.ends, strict=True)):
                    out[one.origin(place)] = one.buffer[start:end]
            case Item():
                joined = bytearray()
                for piece in one.pieces:
                    joined[piece.offset :] = piece.content
                out[one.origin] = bytes(joined)
            case NotScanned():
                out[one.what] = one.why.encode()
    return out


def units(repository: Repository) -> list[objects.ObjectUnit]:
    """All objects of a repository."""
    return list(objects.list_units(repository, objects.Store(40), max_size=1 << 30))


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_every_object_is_read_whole(repo: GitRepository, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """However the stream is cut: empty ones, some that look like what git says, some larger than a batch."""
    rng = Random(size)
    made = {
        f"{n}.bin": rng.choice([b"", b"\n", b"x" * n, b"blob 3\nabc\n", rng.randbytes(rng.randrange(300))]) + b"%d" % n
        for n in range(60)
    }
    repo.commit({**made, "empty": b""}, "many")
    repo.git("tag", "-a", "v1", "-m", "a tag")
    monkeypatch.setattr(objects, "BATCH_SIZE", size)
    read = {origin: content for unit in units(opened(repo)) for origin, content in contents(unit.blobs()).items()}
    one_by_one = {origin: content for unit in units(opened(repo)) for origin, content in contents(unit.read()).items()}
    assert read == one_by_one
    assert {c for o, c in read.items() if isinstance(o, GitBlob)} == {*made.values(), b"", b"nothing to see\n"}
    assert sorted(o.message for o in read if isinstance(o, GitMessage)) == ["commit", "commit", "tag"]


def test_an_object_larger_than_a_piece(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read by itself, and what follows it too."""
    monkeypatch.setattr(objects, "PIECE_SIZE", 5000)
    monkeypatch.setattr(objects, "PIECE_OVERLAP", 10)
    monkeypatch.setattr(objects, "BATCH_SIZE", 100)
    made = {"a": b"a" * 20_000, "b": b"b" * 3000, "c": b"c" * 20}
    repo.commit(made, "large")
    read = {origin: content for unit in units(opened(repo)) for origin, content in contents(unit.blobs()).items()}
    assert {c for o, c in read.items() if isinstance(o, GitBlob)} == {*made.values(), b"nothing to see\n"}


def test_missing_and_damaged_objects_are_named_and_the_rest_is_read(repo: GitRepository) -> None:
    """An id that there is not, and a loose object with a wrong byte, among sound ones."""
    sound = {f"{n}": b"content %d\n" % n for n in range(20)}
    repo.commit(sound, "sound")
    repository = opened(repo)
    (unit,) = [u for u in units(repository) if u.kind == "blob"]
    names = list(unit.names())
    damaged = names[5]
    path = Path(repo.path) / ".git" / "objects" / damaged[:2] / damaged[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    lost = "ab" * 20
    unit = objects.ObjectUnit(repository, "blob", bytes.fromhex("".join([*names[:10], lost, *names[10:]])), 0)
    read = contents(unit.blobs())
    assert lost.encode() in read
    assert damaged.encode() in read
    assert {o.blob for o in read if isinstance(o, GitBlob)} == {*names} - {damaged}
    assert len(read) == len(names) + 1


def test_small_files_come_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of about a size; each under its own name."""
    monkeypatch.setattr(files, "BATCH_SIZE", 1000)
    made = {f"{n:03}.txt".encode(): b"%d" % n * n for n in range(100)}
    for name, content in made.items():
        (tmp_path / os.fsdecode(name)).write_bytes(content)
    root = os.fsencode(tmp_path)
    (unit,) = files.units(root, sorted(made), shown=b"", max_size=1 << 20)
    read = list(unit.blobs())
    assert {o.path: c for o, c in contents(read).items()} == made  # type: ignore[attr-defined]
    assert all(isinstance(b, Batch) and len(b.buffer) < 1300 for b in read)
    assert len(read) < 15


def test_git_is_asked_once_for_a_unit(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each object, nor for groups of them."""
    repo.commit({f"{n}": b"content %d\n" % n for n in range(300)}, "many")
    started: list[object] = []
    real = subprocess.Popen.__init__

    def counting(self: object, *arguments: object, **more: object) -> None:
        started.append(arguments)
        real(self, *arguments, **more)  # type: ignore[arg-type]

    (unit,) = [u for u in units(opened(repo)) if u.kind == "blob"]
    monkeypatch.setattr(subprocess.Popen, "__init__", counting)
    assert len(contents(unit.blobs())) == 301
    assert len(started) == 1


def test_git_finds_objects_under_names(repo: GitRepository) -> None:
    """Paths may hold spaces and colons; what is not there is told from what is."""
    made = repo.commit({"a b/c: d": b"x", "missing": b"y"})
    names = [f"{made.id}:a b/c: d", f"{made.id}:a b", f"{made.id[:7]}^{{commit}}", f"{made.id}:no missing", "0" * 40]
    assert objects.look_up(opened(repo), [name.encode() for name in names]) == [
        (repo.blob("HEAD:a b/c: d"), "blob"),
        (repo.blob("HEAD:a b"), "tree"),
        (made.id, "commit"),
        ("", ""),
        ("", ""),
    ]


def test_where_git_gives_up_the_rest_is_not_known(repo: GitRepository) -> None:
    """It dies of a relative path in a name, where there is no work tree to be relative to."""
    made = repo.commit({"a": b"x"})
    bare = replace(opened(repo), work_tree=b"")
    assert objects.look_up(bare, [b"HEAD:a", b"HEAD:../a", b"HEAD:a"])[::2] == [
        (repo.blob(f"{made.id}:a"), "blob"),
        None,
    ]
