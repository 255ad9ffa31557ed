"""Clones in their folder: as their host has them now, within a limit, whatever happens to host, disk and process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest
from cloned_host import Host
from git_repository import GitRepository
from oakum.scanner.sources.clones import Clone, CloneError, Clones
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
    with clones.held(host.remote(), host.reach, "one"):
        asked = len(host.server.asked)
    with clones.held(host.remote(), host.reach, "one") as clone:
        assert len(host.server.asked) == asked
        assert not clone.fresh
    with clones.held(host.remote(), host.reach, "two"):
        assert len(host.server.asked) > asked


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


@pytest.mark.parametrize("branch", ["../../../config", "a..b", "x.lock", "-x", "a\nb", "@{1}", "/abs", "a" * 300])
def test_a_default_branch_that_cannot_be_one(host: Host, clones: Clones, branch: str) -> None:
    """HEAD stays what it was, and nothing else is written."""
    with clones.held(host.remote(), host.reach):
        pass
    host.work.commit({"b.txt": b"b\n"}, "b")
    host.push()
    with clones.held(host.remote(default_branch=branch), host.reach) as clone:
        wanted = "refs/heads/-x" if branch == "-x" else "refs/heads/main"
        assert Path(os.fsdecode(clone.path), "HEAD").read_text() == f"ref: {wanted}\n"


def test_what_lies_here_is_searched_where_it_is(host: Host, clones: Clones) -> None:
    """A folder of clones is not cloned again; what is remembered of a search has its place."""
    here = Remote("here", "web", (host.root / "web.git").as_uri(), "folder")
    with clones.held(here, host.reach) as clone:
        assert clone.path == os.fsencode(host.root / "web.git")
        assert os.path.isdir(clone.memory)


# --- what goes wrong -------------------------------------------------------------------------------------------------


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
    host.bare().git("repack", "-adq")
    for pack in host.bare().path.joinpath("objects", "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:-30])
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
        clones.held(host.remote(), replace(host.reach, seconds=0.5)),
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


def test_a_repository_that_is_too_big_is_ended_and_others_stay(host: Host, tmp_path: Path) -> None:
    """With the option that would let it in."""
    clones = Clones(str(tmp_path / "clones"), 3 << 20)
    grow(host, "big", 6 << 20)
    with clones.held(host.remote(), host.reach):
        pass
    with pytest.raises(CloneError, match="--clones-limit"), clones.held(host.remote("big"), host.reach):
        pass
    with clones.held(host.remote(), host.reach) as clone:
        assert not clone.fresh
    assert size_of(os.fsencode(tmp_path / "clones")) < 3 << 20


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


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, None])
def test_a_ledger_that_is_damaged_or_gone_is_made_anew(
    host: Host, clones: Clones, tmp_path: Path, content: bytes | None
) -> None:
    """From what lies there."""
    with clones.held(host.remote(), host.reach) as clone:
        taken = clone.bytes + size_of(os.fsencode(clone.memory))
    path = tmp_path / "clones" / "ledger.db"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert Clones(str(tmp_path / "clones"), 1 << 30)._ledger.total() == taken


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


def test_what_is_held_is_not_deleted_to_make_room(host: Host, tmp_path: Path) -> None:
    """It is being searched."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    clones = Clones(str(tmp_path / "clones"), 3 << 20, now)
    grow(host, "one", 2 << 20)
    grow(host, "two", 2 << 20)
    later = Clones(str(tmp_path / "clones"), 3 << 20, now + timedelta(days=1))
    with clones.held(host.remote("one"), host.reach) as clone:
        with pytest.raises(CloneError, match="--clones-limit"), later.held(host.remote("two"), host.reach):
            pass
        assert objects(clone)


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_killed_in_the_middle_of_a_fetch(host: Host, tmp_path: Path) -> None:
    """What comes after has a whole clone: git that lives on keeps the lock, and ends."""
    grow(host, "big", 8 << 20)
    program = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Clones, Reach
from oakum.scanner.swept import Remote
reach = Reach(dict(os.environ), Outbound(private=True), lambda url: None)
print("begun", flush=True)
with Clones({str(tmp_path / "clones")!r}, 1 << 30).held(
    Remote("host:big", "acme/big", {host.server.url + "/big.git"!r}, "t"), reach):
    print("held", flush=True)
"""
    clones = Clones(str(tmp_path / "clones"), 1 << 30)
    for moment in (0.01, 0.05, 0.1, 0.15, 0.2):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        with clones.held(host.remote("big"), host.reach) as clone:
            assert GitRepository(Path(os.fsdecode(clone.path))).git("fsck", "--full") == ""
        clones.forget(["host:big"])


@pytest.mark.long
def test_five_thousand_refs(host: Host, clones: Clones) -> None:
    """As a busy repository has pull requests; cloned and fetched in seconds."""
    head = host.work.git("rev-parse", "HEAD")
    lines = "".join(f"create refs/pull/{number}/head {head}\n" for number in range(5000))
    host.bare().git("update-ref", "--stdin", stdin=lines.encode())
    with clones.held(host.remote(), host.reach) as clone:
        assert len(refs(clone)) == 5002
    host.bare().git("update-ref", "-d", "refs/pull/17/head")
    with clones.held(host.remote(), host.reach) as clone:
        assert len(refs(clone)) == 5001
