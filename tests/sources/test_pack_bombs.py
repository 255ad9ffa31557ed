"""Packs that grow without end: each ends soon, in little memory, is named, and what stands beside it is found."""

from __future__ import annotations

import multiprocessing
import resource
import time
import zlib
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from made_packs import OFS_DELTA, Copy, Entry, MadePack, bare, delta, instructions, number
from mutated import stamp, tree
from oakum.scanner.sources import packs
from scanning import Fresh, left_out, lost, scan

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not packs.available(), reason="needs a C compiler when oakum is installed"),
]

LIMIT = 1 << 20
"""The size limit of these scans."""
HELD = 320 << 10
"""KiB that a scan may hold more than before: the results that the walk keeps, what waits for the matcher, and hints."""
GIT = 3 << 20
"""KiB that git may hold, which is asked about trees that are too large to be read here."""
SECONDS = 240
MANY = 1000

Told = tuple[set[bytes], list[tuple[bytes, str]], list[tuple[bytes, str]]]
"""Secrets found, what was lost, what policy left out."""


def _told(path: Path, pipe: Connection) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = scan(path, max_size=LIMIT)
    after, git = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    secrets = {ranked.finding.secret.reveal() for ranked in done.findings}
    blobs = dict(done.coverage.counts)["git blobs"]
    pipe.send(((secrets, lost(done), left_out(done)), blobs, after - before, git))


def scanned(path: Path, blobs: int | None = None) -> Told:
    """What a scan tells that took neither long nor much, and searched so many blobs; in a process of its own, whose
    memory is the scan's."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_told, args=(path, theirs))
    started = time.monotonic()
    process.start()
    theirs.close()
    assert ours.poll(SECONDS), "it takes too long"
    told, searched, grown, git = ours.recv()
    process.join(SECONDS)
    assert time.monotonic() - started < SECONDS
    assert blobs is None or searched == blobs
    assert grown < HELD, grown
    assert git < GIT, git
    return told  # type: ignore[no-any-return]


def bomb(pack: MadePack, base: Entry, body: bytes, *, size: int = -1, kind: int = OFS_DELTA) -> Entry:
    """A delta that nobody has made: its name is made up."""
    return pack.add(Entry(kind, body, pack.name_of(body[:200] + b"%d" % len(pack.entries)), base=base, size=size))


def large(entry: Entry, size: int, kind: str = "blob") -> tuple[bytes, str]:
    """The entry of what policy leaves out."""
    return entry.name.hex().encode(), f"git {kind} larger than --max-size ({size:,} bytes)"


def _copies(size: int) -> list[Copy | bytes]:
    """As much of the beginning, again and again."""
    return [Copy(0, min(size - at, LIMIT // 4)) for at in range(0, size, LIMIT // 4)]


@pytest.fixture
def beside(fresh: Fresh) -> tuple[MadePack, set[bytes]]:
    """A pack with a secret, in the first object."""
    pack = MadePack()
    pack.whole(b"beside " + fresh() + b"\n")
    return pack, {fresh.drawn[0]}


Beside = tuple[MadePack, set[bytes]]


def test_a_chain_that_grows_to_gigabytes(beside: Beside, tmp_path: Path) -> None:
    """Each is sixteen times its base: four gigabytes less a byte, and a little one made from it. All are named."""
    pack, secrets = beside
    entry = pack.whole(b"a" * 4096)
    size, expected = 4096, []
    while size < 1 << 32:
        more = min(16 * size, (1 << 32) - 1)
        steps = [Copy(0, size)] * (more // size) + [Copy(0, more % size)]
        entry, size = bomb(pack, entry, delta(size, more, steps)), more
        expected += [large(entry, size)] if size > LIMIT else []
        if size == (1 << 32) - 1:
            break
    little = bomb(pack, entry, delta(size, 4, [Copy(size - 4, 4)]))
    pack.write(bare(tmp_path / "repo"), sound=False)
    found, lost_, policy = scanned(tmp_path / "repo")
    assert found == secrets
    assert sorted(policy) == sorted(expected)
    assert {what for what, _ in lost_} <= {little.name.hex().encode()}, "git may make it, where it has the memory"


@pytest.mark.parametrize("claimed", [LIMIT + 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 63) - 1])
def test_a_delta_that_claims_a_giant_result(beside: Beside, tmp_path: Path, claimed: int) -> None:
    """Nothing of it is made: it is named, and its sound sibling is searched."""
    pack, secrets = beside
    base = pack.entries[0]
    liar = bomb(pack, base, number(len(base.content)) + number(claimed) + instructions([Copy(0, 40)]))
    other = pack.delta(base, [b"again ", Copy(0, len(base.content))])
    pack.write(bare(tmp_path / "repo"), sound=False)
    found, lost_, policy = scanned(tmp_path / "repo")
    assert found == secrets
    assert lost_ == []
    assert policy == [large(liar, claimed)]
    assert other.content


@pytest.mark.parametrize("claimed", [LIMIT + 1, 1 << 40, (1 << 57) - 1])
def test_an_object_that_claims_to_be_giant(beside: Beside, tmp_path: Path, claimed: int) -> None:
    """It says so itself, in the pack: it is left out as what it says."""
    pack, secrets = beside
    liar = pack.add(Entry(3, b"small\n", pack.name_of(b"liar"), size=claimed))
    pack.write(bare(tmp_path / "repo"), sound=False)
    assert scanned(tmp_path / "repo") == (secrets, [], [large(liar, claimed)])


@pytest.mark.parametrize("kind", [3, OFS_DELTA])
def test_what_inflates_to_more_than_it_says(beside: Beside, tmp_path: Path, kind: int) -> None:
    """A gigabyte of zeros in a megabyte, said to be a hundred bytes: it is inflated no further than that, and lost."""
    pack, secrets = beside
    deflate = zlib.compressobj(9)
    zeros = b"".join([*(deflate.compress(bytes(1 << 24)) for _ in range(64)), deflate.flush()])
    liar = _Deflated(kind, b"", pack.name_of(b"liar"), base=pack.entries[0], size=100, zeros=zeros)
    pack.add(liar)
    _write(pack, bare(tmp_path / "repo"))
    found, lost_, policy = scanned(tmp_path / "repo")
    assert (found, policy) == (secrets, [])
    assert [what for what, _ in lost_] == [liar.name.hex().encode()]


class _Deflated(Entry):
    """An entry whose compressed bytes are there already."""

    def __init__(self, *given: object, zeros: bytes, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.zeros = zeros


def _write(pack: MadePack, path: Path) -> None:
    """Write a pack with such an entry: what the other entries are made of follows from it."""
    real = zlib.compress
    by_body = {id(entry.body): entry.zeros for entry in pack.entries if isinstance(entry, _Deflated)}

    def compress(body: bytes, level: int = 6) -> bytes:
        return by_body.get(id(body)) or real(body, level)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "compress", compress)
        pack.write(path, sound=False)


def test_a_base_with_many_children_at_the_limit(beside: Beside, fresh: Fresh, tmp_path: Path) -> None:
    """A thousand versions, each as large as the limit allows, of some bytes in the pack: a gigabyte goes through in
    little memory, and the secret at the end of each is found in all."""
    pack, secrets = beside
    ending = b"\n" + fresh() + b"\n"
    base = pack.whole(b"a" * (LIMIT // 2) + ending)
    for n in range(MANY):
        own = b"%09d\n" % n
        again = _copies(LIMIT - len(own) - len(ending))
        child = pack.delta(base, [*again, own, Copy(LIMIT // 2, len(ending))])
        assert len(child.content) == LIMIT
        child.content = b""
    pack.write(bare(tmp_path / "repo"))
    assert scanned(tmp_path / "repo", MANY + 2) == (secrets | {fresh.drawn[1]}, [], [])


def test_a_long_chain_at_the_limit(beside: Beside, fresh: Fresh, tmp_path: Path) -> None:
    """Each is made from the one before, none is held longer than it is needed."""
    pack, secrets = beside
    entry = pack.whole(b"b" * (LIMIT - 100) + b"\n" + fresh() + b"\n")
    for n in range(MANY):
        base, entry = entry, pack.delta(entry, [b"%09d" % n, Copy(9, len(entry.content) - 9)])
        base.content = b""
    pack.write(bare(tmp_path / "repo"))
    assert scanned(tmp_path / "repo", MANY + 2) == (secrets | {fresh.drawn[1]}, [], [])


def test_a_comb_at_the_limit(beside: Beside, fresh: Fresh, tmp_path: Path) -> None:
    """A chain in which each has some more children: as many bases wait as it is deep, more than the walk may hold."""
    pack, secrets = beside
    entry = pack.whole(b"c" * (LIMIT - 100) + b"\n" + fresh() + b"\n")
    for n in range(MANY // 2):
        size = len(entry.content)
        following = pack.delta(entry, [b"%09d" % n, Copy(9, size - 9)])
        pack.delta(entry, [b"-%08d" % n, Copy(9, 100), Copy(size - 60, 60)])
        entry.content = b""
        entry = following
    pack.write(bare(tmp_path / "repo"))
    assert scanned(tmp_path / "repo", MANY + 2) == (secrets | {fresh.drawn[1]}, [], [])


def test_trees_and_messages_that_grow(beside: Beside, tmp_path: Path) -> None:
    """Deltas of a tree that double up to a gigabyte, which a commit names; and of a commit, and of a tag."""
    pack, secrets = beside
    blob = pack.entries[0]
    entry = pack.whole(tree(*((b"100644", b"%04d" % n, blob) for n in range(64))), "tree")
    size = len(entry.content)
    while size < 1 << 30:
        entry, size = bomb(pack, entry, delta(size, 2 * size, [Copy(0, size)] * 2)), 2 * size
    text = b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (entry.name.hex().encode(), stamp(0), stamp(0))
    commit = pack.whole(text, "commit")
    messages = []
    for kind, base in (("commit", commit), ("tag", pack.whole(b"object %040d\ntype commit\ntag x\n\n" % 0, "tag"))):
        entry, size = base, len(base.content)
        while size < 1 << 30:
            entry, size = bomb(pack, entry, delta(size, 2 * size, [Copy(0, size)] * 2)), 2 * size
            messages += [large(entry, size, kind)] if size > LIMIT else []
    path = bare(tmp_path / "repo")
    pack.write(path, sound=False)
    (path / "refs" / "heads").mkdir()
    (path / "refs" / "heads" / "main").write_text(commit.name.hex() + "\n")
    found, lost_, policy = scanned(path)
    assert found == secrets
    assert sorted(policy) == sorted(messages)
    assert commit.name.hex().encode() in {what for what, _ in lost_}, "its tree was not read"
