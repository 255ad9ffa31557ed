"""Clones in their folder: as their host has them now, within a limit, whatever happens to host, disk and process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest
from git_hosts import Host, advertisement, endless, pkt, told
from git_repository import GitRepository
from oakum.scanner.sources.clones import Clone, CloneError, Clones, advertised, folder
from oakum.scanner.sources.clones.folder import name_of, size_of
from oakum.scanner.sources.clones.ledger import Entry, Ledger
from oakum.scanner.sources.clones.locks import Lock
from oakum.scanner.swept import Remote


def refs(clone: Clone) -> dict[str, str]:
    """The refs of a clone, and HEAD."""
    of = GitRepository(Path(os.fsdecode(clone.path)))
    listed = of.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in listed) | {"HEAD": of.git("symbolic-ref", "HEAD")}


def objects(clone: Clone) -> set[str]:
    """All objects of a clone."""
    listed = GitRepository(Path(os.fsdecode(clone.path))).git("cat-file", "--batch-all-objects", "--batch-check")
    return {line.split(" ")[0] for line in listed.splitlines()}


def grow(host: Host, name: str, size: int) -> None:
    """A repository on the server that is so big."""
    made = GitRepository.create(host.root.parent / f"big-{name}")
    made.commit({"noise": Random(name).randbytes(size)}, name)
    made.git("clone", "--quiet", "--bare", str(made.path), str(host.root / f"{name}.git"))


def test_every_ref_of_the_host_is_there(host: Host, clones: Clones) -> None:
    """Branches, tags, pull requests, notes; and HEAD names the host's default branch."""
    host.work.git("branch", "release/1")
    host.work.git("tag", "-a", "v1", "-m", "one")
    host.work.git("update-ref", "refs/pull/7/head", "HEAD")
    host.work.git("notes", "add", "-m", "a note")
    host.push()
    host.bare().git("symbolic-ref", "HEAD", "refs/heads/release/1")
    with clones.held(host.remote(), host.reach) as clone:
        theirs = host.bare().git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        assert refs(clone) == dict(line.split(" ") for line in theirs) | {"HEAD": "refs/heads/release/1"}
        assert (clone.fresh, clone.problems) == (True, ())
        assert clone.bytes == size_of(clone.path)


def test_it_is_brought_up_to_date(host: Host, clones: Clones) -> None:
    """New branches come, deleted ones go, and what was force-pushed away stays, unreachable."""
    host.work.git("branch", "old")
    lost = host.work.commit({"b.txt": b"to be lost\n"}, "lost").id
    host.push()
    with clones.held(host.remote(), host.reach):
        pass
    host.work.git("reset", "--quiet", "--hard", "HEAD^")
    host.work.git("branch", "-D", "old")
    host.work.git("branch", "new")
    host.push()
    host.bare().git("symbolic-ref", "HEAD", "refs/heads/new")
    with clones.held(host.remote(), host.reach) as clone:
        assert set(refs(clone)) == {"refs/heads/main", "refs/heads/new", "HEAD"}
        assert refs(clone)["HEAD"] == "refs/heads/new"
        assert lost in objects(clone)
        assert not clone.fresh


def test_a_branch_in_place_of_a_folder_of_branches(host: Host, clones: Clones) -> None:
    """`topic/one` is deleted, and `topic` made: git's files cannot have both at once."""
    host.work.git("branch", "topic/one")
    host.push()
    with clones.held(host.remote(), host.reach):
        pass
    host.work.git("branch", "-D", "topic/one")
    host.work.git("branch", "topic")
    host.push()
    with clones.held(host.remote(), host.reach) as clone:
        assert set(refs(clone)) == {"refs/heads/main", "refs/heads/topic", "HEAD"}


def test_where_refs_are_as_they_were_nothing_is_fetched(host: Host, clones: Clones) -> None:
    """A detector changed, and the clone is what it was."""
    told = advertised(host.remote(), host.reach)
    with clones.held(host.remote(), host.reach, told) as clone:
        asked = len(host.server.asked)
        assert clone.refs == told
    with clones.held(host.remote(), host.reach, told) as clone:
        assert len(host.server.asked) == asked
        assert (clone.fresh, clone.refs) == (False, told)
    with clones.held(host.remote(), host.reach, "other"):
        assert len(host.server.asked) > asked


def test_refs_that_are_others_when_it_is_fetched(host: Host, clones: Clones) -> None:
    """A branch is deleted between the list and the fetch, and then restored: it is not taken for fetched."""
    told = advertised(host.remote(), host.reach)
    lost = host.work.commit({"b.txt": b"b\n"}, "b").id
    host.push()
    restored = advertised(host.remote(), host.reach)
    host.work.git("reset", "--quiet", "--hard", "HEAD^")
    host.push()
    with clones.held(host.remote(), host.reach, restored) as clone:
        assert clone.refs == told
    host.work.git("reset", "--quiet", "--hard", lost)
    host.push()
    with clones.held(host.remote(), host.reach, restored) as clone:
        assert lost in objects(clone)
        assert clone.refs == restored


@pytest.mark.long
def test_many_packs_are_made_few(host: Host, clones: Clones, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that was force-pushed away: what nobody can reach is searched as before."""
    monkeypatch.setattr(folder, "MOST_PACKS", 4)
    packs = []
    for number in range(6):
        host.work.write({"a.txt": b"%d\n" % number})
        host.work.git("commit", "--quiet", "--all", "--amend", "-m", f"number {number}")
        host.push()
        with clones.held(host.remote(), host.reach) as clone:
            packs.append(len(list(Path(os.fsdecode(clone.path), "objects", "pack").glob("*.pack"))))
            assert len(objects(clone)) == 3 * (number + 1)
    assert packs == [1, 2, 3, 4, 1, 2]


def test_a_part_of_a_history_grows(host: Host, clones: Clones) -> None:
    """A host that has a shallow mirror, which is made anew with more in it, at last with all."""
    for number in range(3):
        host.work.commit({"a.txt": b"%d\n" % number}, f"{number}")
    host.push()
    served, source = host.root / "part.git", (host.root / "web.git").as_uri()
    for depth in (1, 3, 99):
        host.work.git("clone", "--quiet", "--mirror", f"--depth={depth}", source, str(served))
        with clones.held(host.remote("part"), host.reach) as clone:
            assert (len(objects(clone)), clone.problems) == (3 * min(depth, 4), ())
            assert clone.fresh is (depth == 1)
            assert Path(os.fsdecode(clone.path), "shallow").exists() is (depth < 99)
        shutil.rmtree(served)


def test_an_empty_repository_and_one_with_longer_names(host: Host, clones: Clones) -> None:
    """Both are cloned, and fetched again."""
    GitRepository.create(host.root / "empty.git", "--bare")
    long = GitRepository.create(host.root.parent / "long", "--object-format=sha256")
    long.commit({"a": b"a\n"}, "a")
    long.git("clone", "--quiet", "--bare", str(long.path), str(host.root / "long.git"))
    for _ in range(2):
        with clones.held(host.remote("empty"), host.reach) as clone:
            assert set(refs(clone)) == {"HEAD"}
        with clones.held(host.remote("long"), host.reach) as clone:
            assert len(refs(clone)["refs/heads/main"]) == 64


def test_a_rename_keeps_the_clone_and_hosts_name_no_folder(host: Host, clones: Clones, tmp_path: Path) -> None:
    """What the host says a repository's id is may be anything."""
    hostile = replace(host.remote(), id="../../x\0\n-rf " + "y" * 5000)
    with clones.held(hostile, host.reach):
        pass
    assert {path.name for path in (tmp_path / "clones").iterdir()} == {
        name_of(hostile.id),
        name_of(hostile.id) + ".lock",
        "ledger.db",
    }
    host.root.joinpath("web.git").rename(host.root / "renamed.git")
    with clones.held(replace(host.remote("renamed"), id=hostile.id), host.reach) as clone:
        assert not clone.fresh


def test_a_default_branch_that_cannot_be_one(host: Host, clones: Clones) -> None:
    """HEAD stays what it was, and nothing else is written."""
    with clones.held(host.remote(), host.reach) as clone:
        before = sorted(Path(os.fsdecode(clone.path)).parent.rglob("*"))
    for branch in ("../../../config", "a..b", "x.lock", "a\nb", "@{1}", "/abs", "a" * 300, "x/.y", "x.lock/y"):
        with clones.held(host.remote(default_branch=branch), host.reach):
            assert Path(os.fsdecode(clone.path), "HEAD").read_text() == "ref: refs/heads/main\n"
            assert [path for path in before if not path.exists()] == []
    with clones.held(host.remote(default_branch="-x"), host.reach) as clone:
        assert Path(os.fsdecode(clone.path), "HEAD").read_text() == "ref: refs/heads/-x\n"


def test_what_lies_here_is_searched_where_it_is(host: Host, clones: Clones) -> None:
    """A folder of clones is not cloned again; what is remembered of a search has its place."""
    here = Remote("here", "web", (host.root / "web.git").as_uri(), "folder")
    with clones.held(here, host.reach) as clone:
        assert clone.path == os.fsencode(host.root / "web.git")
        assert os.path.isdir(clone.memory)


# --- hosts that mean us ill -------------------------------------------------------------------------------------------


def forged(host: Host, refs: list[tuple[str, str]], head: str = "refs/heads/main") -> None:
    """Has the server advertise these, whatever it has."""
    host.server.mishaps["/web.git/info"] = told("advertisement", advertisement(refs, head))


def test_a_branch_and_another_below_it(host: Host, clones: Clones) -> None:
    """They cannot both be in git's files: one is there, the other is told, and all else is there."""
    tips = [host.work.commit({"b.txt": b"%d\n" % number}, "b").id for number in range(3)]
    host.push()
    forged(host, [("refs/heads/a", tips[0]), ("refs/heads/a/b", tips[1]), ("refs/heads/main", tips[2])])
    for tries in range(2):
        with clones.held(host.remote(), host.reach, "" if tries else "some") as clone:
            assert refs(clone)["refs/heads/main"] == tips[2]
            assert len(set(refs(clone)) & {"refs/heads/a", "refs/heads/a/b"}) == 1
            assert "refs/heads/a" in clone.problems[0]
            assert tips[1] in objects(clone)
            assert not (tmp := Path(os.fsdecode(clone.path)).parent / "refs").exists(), tmp


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["refs/heads/../../../config", "refs/heads/x.lock", "../x", "refs/heads/-x", "refs/heads/" + "y" * 300]
)
def test_names_of_branches_that_cannot_be_or_should_not(host: Host, clones: Clones, name: str, tmp_path: Path) -> None:
    """Git keeps what it can, and nothing is written that is no ref."""
    head = host.work.git("rev-parse", "HEAD")
    config = None
    for _ in range(2):
        forged(host, [("refs/heads/main", head), (name, head)], name)
        with clones.held(host.remote(), host.reach) as clone:
            assert refs(clone)["refs/heads/main"] == head
            content = Path(os.fsdecode(clone.path), "config").read_bytes()
            assert config in (None, content)
            config = content
    assert not (tmp_path / "x").exists()


@pytest.mark.long
def test_a_fetch_without_an_end(host: Host, tmp_path: Path) -> None:
    """Of objects: it ends at the limit; of words: when its time is over. What was there stays."""
    clones = Clones(str(tmp_path / "clones"), 8 << 20)
    with clones.held(host.remote(), host.reach):
        pass
    forged(host, [("refs/heads/main", "a" * 40)])
    noise = Random(1)

    def blobs() -> bytes:
        """A packet of side band 1, with one object (gitformat-pack(5))."""
        size = 48_000
        packed = zlib.compress(noise.randbytes(size), 0)
        return pkt(b"\1" + bytes([0xB0 | size & 15, 0x80 | size >> 4 & 127, size >> 11]) + packed)

    begin = pkt(b"NAK\n") + pkt(b"\1PACK" + (2).to_bytes(4) + (1 << 20).to_bytes(4))
    host.server.mishaps["/web.git/git-upload-pack"] = endless("result", begin, blobs)
    with pytest.raises(CloneError, match="--clones-limit"), clones.held(host.remote(), host.reach):
        pass
    words = endless("result", pkt(b"NAK\n"), lambda: pkt(b"\2wait\n"), pause=0.01)
    host.server.mishaps["/web.git/git-upload-pack"] = words
    with (
        pytest.raises(CloneError, match="--clone-seconds"),
        clones.held(host.remote(), replace(host.reach, seconds=0.5)),
    ):
        pass
    host.server.mishaps.clear()
    with clones.held(host.remote(), host.reach) as clone:
        assert not clone.fresh
    assert size_of(os.fsencode(tmp_path / "clones")) < 1 << 20


@pytest.mark.long
def test_a_host_that_is_silent_in_a_fetch_is_left(host: Host, clones: Clones) -> None:
    """After the seconds of silence, whatever time the repository has."""
    forged(host, [("refs/heads/main", "a" * 40)])
    host.server.mishaps["/web.git/git-upload-pack"] = endless("result", pkt(b"NAK\n"), lambda: b"", pause=1)
    begun = time.monotonic()
    with pytest.raises(CloneError) as caught, clones.held(host.remote(), host.reach):
        pass
    assert caught.value.passing
    assert time.monotonic() - begun < 10


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_host_that_talks_nonsense_does_not_take_the_clone(host: Host, clones: Clones) -> None:
    """What was force-pushed away is in no other."""
    lost = host.work.commit({"b.txt": b"to be lost\n"}, "lost").id
    host.push()
    with clones.held(host.remote(), host.reach):
        pass
    host.work.git("commit", "--quiet", "--amend", "-m", "other")
    host.push()
    host.server.mishaps["/web.git/git-upload-pack"] = told("result", b"nonsense")
    with pytest.raises(CloneError), clones.held(host.remote(), host.reach):
        pass
    host.server.mishaps.clear()
    with clones.held(host.remote(), host.reach) as clone:
        assert lost in objects(clone)
        assert not clone.fresh


def test_a_page_in_place_of_refs_does_not_take_the_refs(host: Host, clones: Clones) -> None:
    """Git takes it for a server of old, and an empty one for a repository without refs."""
    with clones.held(host.remote(), host.reach) as clone:
        before = refs(clone)
    host.server.mishaps["/web.git"] = told("result", b"")
    with pytest.raises(CloneError, match="something else"), clones.held(host.remote(), host.reach):
        pass
    assert refs(clone) == before


def test_what_a_killed_process_has_left_counts_and_goes(host: Host, tmp_path: Path) -> None:
    """Its repository may be gone, so that nobody else comes to clear away."""
    left = tmp_path / "clones" / name_of("host:gone")
    for each in ("new.git", "repo.git.gone"):
        (left / each).mkdir(parents=True)
        (left / each / "pack").write_bytes(b"x" * (2 << 20))
    clones = Clones(str(tmp_path / "clones"), 3 << 20)
    with clones.held(host.remote(), host.reach):
        pass
    assert list(left.iterdir()) == []


def test_a_branch_that_is_called_as_scraps_are_is_none(host: Host, clones: Clones) -> None:
    """`tmp_x` stays where the host cannot be asked."""
    with clones.held(host.remote(), host.reach):
        pass
    host.work.git("branch", "tmp_x")
    host.push()
    with clones.held(host.remote(), host.reach) as clone:
        path = clone.path
    host.server.mishaps["/web.git/git-upload-pack"] = told("result", b"nonsense")
    forged(host, [("refs/heads/main", "a" * 40), ("refs/heads/tmp_x", host.work.git("rev-parse", "tmp_x"))])
    with pytest.raises(CloneError), clones.held(host.remote(), host.reach):
        pass
    assert "refs/heads/tmp_x" in refs(Clone(path, "", 0))


@pytest.mark.long
def test_a_disk_that_is_full(host: Host, tmp_path: Path) -> None:
    """It says so; what is there stays, and it goes on when there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs to be let mount a file system")
    try:
        clones = Clones(str(disk / "clones"), 1 << 30)
        with clones.held(host.remote(), host.reach):
            pass
        grow(host, "big", 4 << 20)
        grow(host, "new", 1000)
        with pytest.raises(CloneError, match="free") as caught, clones.held(host.remote("big"), host.reach):
            pass
        assert caught.value.passing
        (disk / "rest").write_bytes(b"")
        with contextlib.suppress(OSError), (disk / "rest").open("ab", buffering=0) as rest:
            while rest.write(bytes(4096)):
                pass
        host.work.commit({"b.txt": b"b\n"}, "b")
        host.push()
        for name in ("web", "new"):
            with pytest.raises(CloneError, match="free"), clones.held(host.remote(name), host.reach):
                pass
        (disk / "rest").unlink()
        with clones.held(host.remote(), host.reach) as clone:
            assert (len(objects(clone)), clone.fresh) == (6, False)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_host_that_is_gone_keeps_the_clone(host: Host, clones: Clones) -> None:
    """It was made private: what is here stays, and is brought up to date when it is there again."""
    with clones.held(host.remote(), host.reach):
        pass
    host.server.logins = {"me": "secret"}
    with pytest.raises(CloneError, match="needs a token") as caught, clones.held(host.remote(), host.reach):
        pass
    assert caught.value.gone
    with clones.held(host.remote(), host.with_login("me", "secret")) as clone:
        assert not clone.fresh


@pytest.mark.long
@pytest.mark.parametrize("damage", ["HEAD is empty", "packs are cut", "packs are gone", "config is none"])
def test_a_damaged_clone_is_whole_again(host: Host, clones: Clones, damage: str) -> None:
    """Git itself fetches what it misses; where it cannot open the clone, that is made anew."""
    with clones.held(host.remote(), host.reach) as clone:
        top = Path(os.fsdecode(clone.path))
    for file in top.joinpath("objects", "pack").iterdir():
        file.chmod(0o600)
        if damage == "packs are cut":
            file.write_bytes(file.read_bytes()[:40])
        elif damage == "packs are gone":
            file.unlink()
    if damage == "HEAD is empty":
        (top / "HEAD").write_bytes(b"")
    if damage == "config is none":
        (top / "config").write_bytes(b"[core\n")
    host.work.commit({"b.txt": b"b\n"}, "b")
    host.push()
    with clones.held(host.remote(), host.reach) as clone:
        reached = GitRepository(top).git("rev-list", "--objects", "--all").splitlines()
        assert len(reached) == 6
        assert clone.fresh is (damage in ("HEAD is empty", "config is none"))


def test_damage_on_the_server_is_told(host: Host, clones: Clones) -> None:
    """A message, and nothing that would be taken for a clone."""
    host.work.commit({"noise": Random(1).randbytes(50_000)}, "noise")
    host.push()
    host.bare().git("repack", "-adq")
    for pack in host.bare().path.joinpath("objects", "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    for loose in host.bare().path.joinpath("objects").glob("??/*"):
        loose.unlink()
    with pytest.raises(CloneError), clones.held(host.remote(), host.reach):
        pass
    assert not list(Path(os.fsdecode(clones._folder)).glob("*/*.git"))


def test_locks_and_scraps_of_a_killed_git_are_cleared_away(host: Host, clones: Clones) -> None:
    """Nobody else can be at it: the clone is ours."""
    with clones.held(host.remote(), host.reach) as clone:
        top = Path(os.fsdecode(clone.path))
    scraps = [top / "HEAD.lock", top / "packed-refs.lock", top / "objects" / "pack" / "tmp_pack_abc"]
    for scrap in scraps:
        scrap.write_bytes(b"")
    host.work.commit({"b.txt": b"b\n"}, "b")
    host.push()
    with clones.held(host.remote(), host.reach) as clone:
        assert not clone.fresh
    assert not any(scrap.exists() for scrap in scraps)


def test_a_host_that_hangs_is_left(host: Host, clones: Clones) -> None:
    """After the time that a repository may take, with nothing of git left behind."""

    def hang(request: BaseHTTPRequestHandler) -> None:
        time.sleep(3)

    host.server.mishaps["/web.git/git-upload-pack"] = hang
    begun = time.monotonic()
    with (
        pytest.raises(CloneError, match="--clone-seconds") as caught,
        clones.held(host.remote(), replace(host.reach, seconds=0.3)),
    ):
        pass
    assert caught.value.passing
    assert time.monotonic() - begun < 2.5


def test_a_connection_that_breaks_in_the_middle(host: Host, clones: Clones) -> None:
    """It is tried again in the next sweep; half a clone is none."""

    def drop(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/x-git-upload-pack-result")
        request.send_header("Content-Length", "100000")
        request.end_headers()
        request.wfile.write(b"0008NAK\nPACK")
        request.wfile.flush()
        request.connection.shutdown(socket.SHUT_RDWR)

    host.server.mishaps["/web.git/git-upload-pack"] = drop
    with pytest.raises(CloneError) as caught, clones.held(host.remote(), host.reach):
        pass
    assert caught.value.passing
    host.server.mishaps.clear()
    with clones.held(host.remote(), host.reach) as clone:
        assert clone.fresh


def test_submodules_and_lfs_are_not_followed(host: Host, clones: Clones) -> None:
    """They may lead anywhere: into our own network, too."""
    elsewhere = f"{host.server.url}/private"
    host.work.commit(
        {
            ".gitmodules": f'[submodule "p"]\n\tpath = p\n\turl = {elsewhere}\n'.encode(),
            ".lfsconfig": f"[lfs]\n\turl = {elsewhere}\n".encode(),
            ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs\n",
            "m.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n",
        },
        "lead astray",
    )
    host.push()
    with clones.held(host.remote(), host.reach):
        pass
    assert not [path for _, path, _ in host.server.asked if "private" in path]


# --- within a limit --------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_repository_that_is_too_big_is_ended(host: Host, tmp_path: Path) -> None:
    """With the option that would let it in. Others can be had afterwards: whether room was made of them for it goes by
    the steps in which it grew."""
    clones = Clones(str(tmp_path / "clones"), 3 << 20)
    grow(host, "big", 6 << 20)
    with clones.held(host.remote(), host.reach):
        pass
    with pytest.raises(CloneError, match="--clones-limit"), clones.held(host.remote("big"), host.reach):
        pass
    assert size_of(os.fsencode(tmp_path / "clones")) < 3 << 20
    with clones.held(host.remote(), host.reach) as clone:
        assert len(objects(clone)) == 3
    assert not (tmp_path / "clones" / name_of("host:big") / "repo.git").exists()
    assert size_of(os.fsencode(tmp_path / "clones")) < 3 << 20


@pytest.mark.long
def test_room_is_made_and_memory_stays(host: Host, tmp_path: Path) -> None:
    """All together stay below the limit; what is remembered of a search is worth more than the clone."""
    clones = Clones(str(tmp_path / "clones"), 5 << 20, datetime(2027, 1, 1, tzinfo=UTC))
    for name in ("one", "two", "three"):
        grow(host, name, 2 << 20)
        with clones.held(host.remote(name), host.reach) as clone:
            Path(clone.memory, "matches").write_bytes(b"x")
    there = {name: tmp_path / "clones" / name_of(f"host:{name}") for name in ("one", "two", "three")}
    assert [name for name, path in there.items() if not (path / "repo.git").exists()] == ["two"]
    assert all((path / "memory" / "matches").exists() for path in there.values())
    assert size_of(os.fsencode(tmp_path / "clones")) < 5 << 20


def test_what_a_clone_takes_is_what_it_takes_on_disk(host: Host, clones: Clones) -> None:
    """In blocks, with its folders: that is more than what is in its files, and of small repositories several times."""
    with clones.held(host.remote(), host.reach) as clone:
        below = [
            path for top, _, names in os.walk(clone.path) for path in (top, *(os.path.join(top, n) for n in names))
        ]
        assert clone.bytes == size_of(clone.path) == sum(os.lstat(path).st_blocks * 512 for path in below)
        assert clone.bytes > 2 * sum(os.path.getsize(path) for path in below if os.path.isfile(path))


def test_what_goes_first(tmp_path: Path) -> None:
    """What this run has not used, longest unused first; then what it has used, latest first: an organization that is
    too big for the folder finds some of it there each night."""
    ledger = Ledger(os.fsencode(tmp_path / "ledger.db"), lambda: ())
    for name, run in (("a", 1), ("b", 2), ("c", 1), ("d", 2)):
        ledger.note(Entry(name, 10, 1), run)
    assert [entry.name for entry in ledger.candidates(2)] == ["a", "c", "d", "b"]
    assert ledger.total() == 44


@pytest.mark.parametrize("damage", ["empty", "no database", "gone", "damaged in the middle", "of another version"])
def test_a_ledger_that_is_damaged_or_gone_is_made_anew(host: Host, clones: Clones, tmp_path: Path, damage: str) -> None:
    """From what lies there."""
    with clones.held(host.remote(), host.reach) as clone:
        taken = clone.bytes + size_of(os.fsencode(clone.memory))
    path = tmp_path / "clones" / "ledger.db"
    content = path.read_bytes()
    path.unlink()
    if damage == "of another version":
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("create table clones (name text)")
    elif damage != "gone":
        path.write_bytes(
            {"empty": b"", "no database": b"none at all" * 100}.get(damage, content[:4096] + b"\xff" * 4096)
        )
    assert Clones(str(tmp_path / "clones"), 1 << 30)._ledger.total() == taken
    with Clones(str(tmp_path / "clones"), 1 << 30).held(host.remote(), host.reach) as clone:
        assert not clone.fresh


def test_a_folder_that_others_may_write_to_is_not_used(host: Host, tmp_path: Path) -> None:
    """They could put there what a scan would take for a host's."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with (
        pytest.raises(CloneError, match="--clones"),
        Clones(str(tmp_path / "shared"), 1 << 30).held(host.remote(), host.reach),
    ):
        pass


# --- several processes -----------------------------------------------------------------------------------------------


def test_a_clone_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """The kernel knows by whom, and gives it back when that one dies."""
    one, other = Lock(os.fsencode(tmp_path / "lock")), Lock(os.fsencode(tmp_path / "lock"))
    assert one.take()
    assert not other.take()
    one.give_back()
    assert other.take()


@pytest.mark.long
def test_what_is_held_is_not_deleted_to_make_room(host: Host, tmp_path: Path) -> None:
    """It is being searched."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    clones = Clones(str(tmp_path / "clones"), 3 << 20, now)
    grow(host, "one", 2 << 20)
    grow(host, "two", 2 << 20)
    later = Clones(str(tmp_path / "clones"), 3 << 20, now + timedelta(days=1))
    with clones.held(host.remote("one"), host.reach) as clone:
        with pytest.raises(CloneError, match="others are in use") as caught, later.held(host.remote("two"), host.reach):
            pass
        assert caught.value.passing
        assert objects(clone)
    with later.held(host.remote("two"), host.reach) as clone:
        assert objects(clone)


_PROGRAM = """
import os, sys
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Clones, Reach
from oakum.scanner.swept import Remote
folder, limit, url, *names = sys.argv[1:]
reach = Reach(dict(os.environ), Outbound(private=True), lambda url: None)
print("begun", flush=True)
for name in names:
    with Clones(folder, int(limit)).held(Remote("host:" + name, name, f"{url}/{name}.git", "t"), reach) as clone:
        assert os.path.isdir(clone.path)
        print(name, flush=True)
"""


@pytest.mark.long
def test_processes_that_use_one_folder(host: Host, tmp_path: Path) -> None:
    """Four, that want the same clones at the same time, and a folder that holds two of five: each has all."""
    names = ["one", "two", "three", "four", "five"]
    for name in names:
        grow(host, name, 1 << 20)
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "clones"), str(6 << 20), host.server.url]
    orders = [names, names[::-1], names, names[2:] + names[:2]]
    running = [subprocess.Popen([*command, *order], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for order in orders]
    for process, order in zip(running, orders, strict=True):
        output, said = process.communicate(timeout=60)
        assert (output.decode().split(), said) == (["begun", *order], b"")
    assert size_of(os.fsencode(tmp_path / "clones")) < 6 << 20
    assert Clones(str(tmp_path / "clones"), 6 << 20)._ledger.total() == sum(
        size_of(os.fsencode(each))
        for part in ("repo.git", "memory")
        for each in (tmp_path / "clones").glob(f"*/{part}")
    )


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_killed_in_the_middle_of_a_fetch(host: Host, tmp_path: Path) -> None:
    """What comes after has a whole clone: git keeps the lock until it has ended, too."""
    grow(host, "big", 8 << 20)
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "clones"), str(1 << 30), host.server.url, "big"]
    clones = Clones(str(tmp_path / "clones"), 1 << 30)
    for moment in (0.01, 0.05, 0.1, 0.15, 0.2):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        with clones.held(host.remote("big"), host.reach) as clone:
            assert GitRepository(Path(os.fsdecode(clone.path))).git("fsck", "--full") == ""
        clones.forget(["host:big"])


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_git_ends_where_whoever_has_started_it_is_killed(host: Host, tmp_path: Path) -> None:
    """With all that it has started: nobody else would see that its time is over, and it keeps the lock."""
    asked = threading.Event()
    words = endless("result", pkt(b"NAK\n"), lambda: pkt(b"\2wait\n"), pause=0.01)

    def hang(request: BaseHTTPRequestHandler) -> object:
        asked.set()
        return words(request)

    host.server.mishaps["/web.git/git-upload-pack"] = hang
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "clones"), str(1 << 30), host.server.url, "web"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert asked.wait(30)
        lock = Lock(os.fsencode(tmp_path / "clones" / f"{name_of('host:web')}.lock"))
        assert not lock.take()
        process.kill()
    until = time.monotonic() + 10
    while not lock.take():
        assert time.monotonic() < until
        time.sleep(0.02)
    lock.give_back()


@pytest.mark.long
@pytest.mark.parametrize(("count", "at"), [(5000, "first"), (600, "later")])
def test_thousands_of_refs(host: Host, clones: Clones, count: int, at: str) -> None:
    """As a busy repository has pull requests; they are in one file, where each fetch would read as many."""
    if at == "later":
        with clones.held(host.remote(), host.reach):
            pass
    head = host.work.git("rev-parse", "HEAD")
    lines = "".join(f"create refs/pull/{number}/head {head}\n" for number in range(count))
    host.bare().git("update-ref", "--stdin", stdin=lines.encode())
    with clones.held(host.remote(), host.reach) as clone:
        assert len(refs(clone)) == count + 2
        assert not any(path.is_file() for path in Path(os.fsdecode(clone.path), "refs").rglob("*"))
    host.bare().git("update-ref", "-d", "refs/pull/17/head")
    with clones.held(host.remote(), host.reach) as clone:
        assert len(refs(clone)) == count + 1
