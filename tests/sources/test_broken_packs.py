"""Packs that lie, that are damaged, or that grow without end: named, stepped over, and the rest is searched."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

import laws
import pytest
from made_packs import OFS_DELTA, REF_DELTA, Copy, Entry, MadePack, bare, delta, instructions, number
from test_packs import DOTS, drawn

SEARCHER = laws.searcher("aho-corasick")
SIZE = 1 << 20


def strange(pack: MadePack, kind: int, body: bytes, *, base: Entry | None = None, size: int = -1) -> Entry:
    """An entry that is not as it should be, under a name of its own."""
    return pack.add(Entry(kind, body, pack.name_of(body + b"%d" % len(pack.entries)), base=base, size=size))


def numbers(base: Entry, size: int) -> bytes:
    """The beginning of a delta of a base."""
    return number(len(base.content)) + number(size)


BROKEN: dict[str, Callable[[MadePack, Entry], object]] = {
    "an instruction that there is not": lambda p, b: strange(p, OFS_DELTA, numbers(b, 5) + b"\x00aaaaa", base=b),
    "a copy from behind the end": lambda p, b: strange(
        p, OFS_DELTA, numbers(b, 9) + instructions([Copy(len(b.content) - 4, 9)]), base=b
    ),
    "a copy from far outside": lambda p, b: strange(
        p, OFS_DELTA, numbers(b, 9) + instructions([Copy(0xFFFFFFF0, 9)]), base=b
    ),
    "a copy without its last byte": lambda p, b: strange(p, OFS_DELTA, numbers(b, 9) + b"\xff\x01\x01\x01", base=b),
    "an insertion without its end": lambda p, b: strange(p, OFS_DELTA, numbers(b, 100) + b"\x64aaa", base=b),
    "a result that is longer": lambda p, b: strange(p, OFS_DELTA, delta(len(b.content), 5, [b"123456"]), base=b),
    "a result that is shorter": lambda p, b: strange(p, OFS_DELTA, delta(len(b.content), 7, [b"123456"]), base=b),
    "another base": lambda p, b: strange(p, OFS_DELTA, delta(len(b.content) + 1, 6, [b"123456"]), base=b),
    "sizes that do not end": lambda p, b: strange(p, OFS_DELTA, b"\xff" * 30, base=b),
    "nothing at all": lambda p, b: strange(p, OFS_DELTA, b"", base=b),
    "a size that is too large": lambda p, b: strange(p, 3, b"a blob", size=7),
    "a size that is too small": lambda p, b: strange(p, 3, b"a blob", size=5),
    "a size that is absurd": lambda p, b: strange(p, 3, b"a blob", size=1 << 58),
    "a delta whose size is absurd": lambda p, b: strange(p, OFS_DELTA, b"a delta", base=b, size=1 << 58),
    "a kind that there is not": lambda p, b: strange(p, 0, b"a blob"),
    "a kind that was kept free": lambda p, b: strange(p, 5, b"a blob"),
    "a base that is not there": lambda p, b: p.add(
        Entry(REF_DELTA, delta(4, 4, [Copy(0, 4)]), p.name_of(b"lost"), base_name=p.name_of(b"nowhere"))
    ),
    "a base that is the object itself": lambda p, b: p.add(
        Entry(REF_DELTA, delta(4, 4, [Copy(0, 4)]), p.name_of(b"self"), base_name=p.name_of(b"self"))
    ),
    "bases that go round": lambda p, b: [
        p.add(Entry(REF_DELTA, delta(4, 4, [Copy(0, 4)]), p.name_of(one), base_name=p.name_of(other)))
        for one, other in ((b"a", b"b"), (b"b", b"c"), (b"c", b"a"))
    ],
}


def searched(pack: MadePack, path: Path, *, max_size: int = SIZE) -> tuple[laws.Told, laws.Told]:
    """What both paths tell of a pack that git would not take."""
    pack.write(path, sound=False)
    repository = laws.opened(path)
    ours = laws.by_packs(SEARCHER, repository, max_size=max_size)
    return ours, laws.plainly(SEARCHER, repository, max_size=max_size)


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_and_the_rest_is_searched(what: str, tmp_path: Path) -> None:
    """Before and behind it, in deltas of the same base, and what is made from it is named as well."""
    pack, first, second = MadePack(), drawn(1), drawn(2)
    base = pack.whole(DOTS + first + b"\n")
    sound = len(pack.entries)
    BROKEN[what](pack, base)
    broken = pack.entries[sound:]
    broken.append(
        pack.add(Entry(REF_DELTA, delta(6, 6, [Copy(0, 6)]), pack.name_of(b"of it"), base_name=broken[0].name))
    )
    pack.delta(base, [Copy(0, 45), second, b"\n"])
    path = bare(tmp_path / "repo")
    pack.write(path, sound=False)
    ours = laws.by_packs(SEARCHER, laws.opened(path), max_size=SIZE)
    assert {found[4] for found in ours.found} == {first, second}
    assert {what for what, *_ in ours.not_scanned} == {e.name.hex().encode() for e in broken}
    if "round" not in what and "itself" not in what:  # git looks for the base of these until it is stopped
        assert set(ours.found) >= set(laws.plainly(SEARCHER, laws.opened(path), max_size=SIZE).found)


def test_what_is_broken_in_two_packs_is_named_once(tmp_path: Path) -> None:
    """As git has it nowhere."""
    path = bare(tmp_path / "repo")
    for place in range(2):
        pack = MadePack()
        pack.whole(b"sound %d" % place)
        pack.add(Entry(0, b"no content", pack.name_of(b"lost")))
        pack.add(Entry(3, b"no content", pack.name_of(b"lost, too"), size=99))
        pack.write(path, sound=False)
    ours = laws.by_packs(SEARCHER, laws.opened(path))
    lost = [MadePack().name_of(text).hex().encode() for text in (b"lost", b"lost, too")]
    assert sorted(what for what, *_ in ours.not_scanned) == sorted(lost)


# --- bombs ----------------------------------------------------------------------------------------------------------


def grown(pack: MadePack, *, to: int) -> list[tuple[bytes, int]]:
    """Deltas that each double their base; the names of those that are larger than `SIZE`, and their sizes."""
    entry, size, large = pack.whole(b"a" * 4096), 4096, []
    while size < to:
        steps = [Copy(0, size), Copy(0, size)]
        made = Entry(OFS_DELTA, delta(size, 2 * size, steps), pack.name_of(b"%d" % size), base=entry)
        entry, size = pack.add(made), 2 * size
        large += [(entry.name.hex().encode(), size)] if size > SIZE else []
    return large


def test_deltas_that_double_stop_at_the_limit(tmp_path: Path) -> None:
    """A gibibyte in two kilobytes: what is larger than the limit is left out by name, and never made."""
    pack = MadePack()
    large = grown(pack, to=1 << 30)
    pack.whole(DOTS + drawn(4) + b"\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, plain = searched(pack, bare(tmp_path / "repo"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10
    assert laws.differences(ours, plain) == []
    why = "git blob larger than --max-size ({:,} bytes)"
    assert ours.not_scanned == sorted((name, why.format(size), True, 1) for name, size in large)
    assert {found[4] for found in ours.found} == {drawn(4)}


def test_what_is_too_large_in_several_packs_is_named_once(tmp_path: Path) -> None:
    """Whole in one, a delta in the other, where something small is made from it, too."""
    path = bare(tmp_path / "repo")
    first, second = MadePack(), MadePack()
    large = first.whole(b"ab" * SIZE)
    half = second.whole(b"ab" * (SIZE // 4))
    again = second.delta(half, [Copy(0, SIZE // 2)] * 4)
    assert again.content == large.content
    second.delta(again, [Copy(0, 40), b"=" + drawn(5) + b"\n"])
    for pack in (first, second):
        pack.write(path)
    repository = laws.opened(path)
    ours = laws.by_packs(SEARCHER, repository, max_size=SIZE)
    assert laws.differences(ours, laws.plainly(SEARCHER, repository, max_size=SIZE)) == []
    assert [what for what, *_ in ours.not_scanned] == [large.name.hex().encode()]
    assert {found[4] for found in ours.found} == {drawn(5)}


def test_instructions_without_end(tmp_path: Path) -> None:
    """A delta that is itself a bomb: more instructions than the largest result is worth."""
    pack = MadePack()
    base = pack.whole(DOTS)
    body = numbers(base, SIZE) + instructions([Copy(0, 1)]) * SIZE
    strange(pack, OFS_DELTA, body, base=base)
    pack.whole(DOTS + drawn(6) + b"\n")
    ours, plain = searched(pack, bare(tmp_path / "repo"))
    assert laws.differences(ours, plain) == []
    assert {found[4] for found in ours.found} == {drawn(6)}


# --- every byte -----------------------------------------------------------------------------------------------------


def small(path: Path) -> tuple[Path, laws.Told]:
    """A repository with one small pack of everything, and what is told of it."""
    pack = MadePack()
    base = pack.whole(b"nothing\n" + drawn(7) + b"\nto see\n")
    chain = pack.delta(base, [Copy(0, 8), b"or ", Copy(8, len(base.content) - 8)])
    pack.delta(chain, [Copy(0, len(chain.content)), drawn(8), b"\n"], by_name=True)
    pack.delta(base, [drawn(9), b"\n", Copy(0, 8)])
    pack.whole(b"alone " + drawn(10) + b"\n")
    pack.whole(
        b"object %s\ntype blob\ntag v\ntagger A <a@b> 1 +0000\n\n%s\n" % (base.name.hex().encode(), drawn(11)), "tag"
    )
    written = pack.write(bare(path))
    told = laws.by_packs(SEARCHER, laws.opened(path))
    assert {found[4] for found in told.found} == {drawn(n) for n in range(7, 12)}
    return written, told


def tried(path: Path, name: str, content: bytes, whole: laws.Told) -> None:
    """One damaged file: nothing is told that is not so, or that git does not tell; what is not found is named."""
    repository = laws.opened(path)
    target = path / "objects" / "pack" / name
    target.chmod(0o644)
    target.write_bytes(content)
    found, _why = laws.packs.open_packs(repository, max_size=SIZE)
    if not found:  # git alone
        return
    ours = laws.by_packs(SEARCHER, repository, max_size=SIZE)
    missed = set(whole.found) - set(ours.found)
    invented = set(ours.found) - set(whole.found)
    if not missed and not invented:
        return
    plain = laws.plainly(SEARCHER, repository, max_size=SIZE)
    assert invented <= set(plain.found)
    assert not missed & set(plain.found)
    assert not missed or ours.not_scanned or not plain.not_scanned


def damaged(content: bytes, at: int, rng: Random) -> list[bytes]:
    """A byte with a bit flipped, one set to another value, and the file cut there."""
    return [
        content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :],
        content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :],
        content[:at],
    ]


def try_bytes(path: Path, many: int | None) -> None:
    written, whole = small(path)
    rng = Random(many or 0)
    for file in (written, written.with_suffix(".idx")):
        content = file.read_bytes()
        places = range(len(content)) if many is None else sorted(rng.sample(range(len(content)), many))
        for at in places:
            ways = damaged(content, at, rng)
            for spoiled in ways if many is None else [rng.choice(ways)]:
                tried(path, file.name, spoiled, whole)
        file.write_bytes(content)
    assert laws.by_packs(SEARCHER, laws.opened(path)) == whole


def test_some_damaged_bytes(tmp_path: Path) -> None:
    """Of a pack and of its index."""
    try_bytes(tmp_path / "repo", 40)


@pytest.mark.long
def test_every_damaged_byte(tmp_path: Path) -> None:
    """Each of a pack and of its index: flipped, changed, and the file cut there."""
    try_bytes(tmp_path / "repo", None)
