"""Each way of hiding a secret in deltas, with secrets of all detectors: found where a search of the blob finds it.

`test_packs.py` has the law for generated packs, and each way once; here each way meets each pattern, with what it looks
at behind and ahead, its tests, and its parts. What must be found is asked of the engine, blob by blob, without a pack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import blobs
import laws
import pytest
from made_packs import Copy, Entry, MadePack, Step, bare, result
from made_versions import BY_ID, OF_PARTS
from oakum.detectors import samples
from oakum.scanner.engine import vectorised
from oakum.scanner.model import Detector
from oakum.scanner.pipeline.workers import Searcher
from oakum.scanner.sources import packs

pytestmark = pytest.mark.skipif(not packs.available(), reason="needs a C compiler when oakum is installed")

ENGINES = [
    "aho-corasick",
    pytest.param("vector", marks=pytest.mark.skipif(not vectorised.available(), reason="needs the package hyperscan")),
]
SEARCHERS: dict[str, Searcher] = {}
DOTS = b"nothing to see\n" * 20
FAR = b"nothing to see here, either\n" * 20_000
"""Farther than any detector looks."""
SHARES = 8


@pytest.fixture(params=ENGINES)
def searcher(request: pytest.FixtureRequest) -> Searcher:
    """A searcher with each of the matchers, made once."""
    return SEARCHERS.get(request.param) or SEARCHERS.setdefault(request.param, laws.searcher(request.param))


class Attack:
    """A sample of a detector in a text, and where in it the secret is; entries are added to a pack."""

    def __init__(self, pack: MadePack, detector: Detector, rng: Random) -> None:
        self.pack, self.rng = pack, rng
        self.known = {entry.content: entry for entry in pack.entries}
        self.secret = blobs.draw(detector, rng)
        self.sample = samples.fill(rng.choice(detector.examples), self.secret, rng)
        at = max(self.sample.find(self.secret), 0)
        self.mark = b"%d %s\n" % (len(pack.entries), detector.id.encode())
        """So that no two objects are the same."""
        self.before, self.behind = self.mark + DOTS, b"\n" + DOTS
        self.text = self.before + self.sample + self.behind
        self.start = len(self.before) + at
        self.end = self.start + (len(self.secret) if self.secret in self.sample else len(self.sample))

    def cut(self) -> int:
        """A place inside of the secret."""
        return self.rng.randrange(self.start + 1, max(self.end, self.start + 2))

    def whole(self, content: bytes) -> Entry:
        """An object that is stored as it is, once."""
        return self.known.get(content) or self.known.setdefault(content, self.pack.whole(content))

    def delta(self, base: Entry, *steps: Step) -> Entry:
        """A delta without its empty steps, unless there is such an object already."""
        kept = [s for s in steps if (s.size if isinstance(s, Copy) else s)]
        content = result(base.content, kept)
        if content not in self.known:
            self.known[content] = self.pack.delta(base, kept, by_name=self.rng.random() < 0.3)
        return self.known[content]


def rest(base: Entry, at: int) -> Copy:
    """All from there."""
    return Copy(at, len(base.content) - at)


def made_by_a_deletion(a: Attack) -> None:
    at = a.cut()
    base = a.whole(a.text[:at] + b" cut\n" + DOTS + a.text[at:])
    a.delta(base, Copy(0, at), rest(base, at + 5 + len(DOTS)))


def assembled_from_two_copies(a: Attack) -> None:
    """Which stand the other way round in the base; and of three, one of them an insertion."""
    at = a.cut()
    base = a.whole(a.text[at:] + b"\n" + a.text[:at])
    turn = len(a.text) - at + 1
    a.delta(base, Copy(turn, at), Copy(0, turn - 1))
    a.delta(base, Copy(turn, at - 1), a.text[at - 1 : at + 1], Copy(1, turn - 2), b"!")


def in_the_base_only(a: Attack) -> None:
    base, at = a.whole(a.text), a.cut()
    a.delta(base, Copy(0, at), rest(base, at + 1))
    a.delta(base, Copy(0, a.start), rest(base, a.end))


def in_the_delta_only(a: Attack) -> None:
    base = a.whole(a.before + b"." + a.behind)
    a.delta(base, Copy(0, len(a.before)), a.sample, rest(base, len(a.before) + 1))
    a.delta(base, a.sample)


def at_the_first_and_the_last_byte(a: Attack) -> None:
    """Of the sample, and of the secret alone: of what is copied and of what is inserted."""
    base = a.whole(a.text)
    a.delta(base, Copy(len(a.before), len(a.sample)), b"\n" + a.mark)
    a.delta(base, a.mark, Copy(len(a.before), len(a.sample)))
    alone = a.delta(base, Copy(a.start, a.end - a.start))
    a.delta(alone, Copy(0, len(alone.content)), b"\n")
    a.delta(alone, b"=", Copy(0, len(alone.content)))


def split_and_joined_again(a: Attack) -> None:
    base, at = a.whole(a.text), a.cut()
    for wedge in (b"\n", b'" + "', b"x" * 50):
        split = a.delta(base, Copy(0, at), wedge, rest(base, at))
        joined = a.delta(split, Copy(0, at), rest(split, at + len(wedge)), wedge)
        a.delta(joined, wedge, Copy(0, len(joined.content)))


def neighbours_come_and_go(a: Attack) -> None:
    """What look-behind and look-ahead see lies across a seam, on either side of the secret."""
    base = a.whole(a.text)
    for neighbour in (b"a", b"Z", b"9", b"_", b"-", b"/", b"=", b"%", b"."):
        ahead = a.delta(base, Copy(0, a.end), neighbour, rest(base, a.end))
        a.delta(ahead, Copy(0, a.end), rest(ahead, a.end + 1), b"again " + neighbour)
        behind = a.delta(base, Copy(0, a.start), neighbour, rest(base, a.start))
        a.delta(behind, b"again " + neighbour, Copy(0, a.start), rest(behind, a.start + 1))
    a.delta(base, Copy(0, a.start), Copy(a.end, 1), Copy(a.start, a.end - a.start), Copy(0, 9), b"\n")


def context_comes_and_goes(a: Attack) -> None:
    """The lines around the secret go, come back, and stand farther away."""
    base = a.whole(a.text)
    bare_ = a.delta(base, a.mark, Copy(a.start, a.end - a.start), b"\n", Copy(0, 40))
    head, tail = a.text[len(a.before) : a.start], a.text[a.end : len(a.before) + len(a.sample)]
    at, size = len(a.mark), a.end - a.start
    again = a.delta(bare_, b"again\n" + head, Copy(at, size), tail or b"\n", rest(bare_, at + size))
    a.delta(again, Copy(0, 6), head, DOTS, rest(again, 6 + len(head)))


def down_a_chain(a: Attack) -> None:
    """Fifty deep: it comes at the tenth, is cut at the twentieth, whole again at the thirtieth; its place changes with
    each, and a seam goes through it."""
    entry = a.whole(a.before + a.behind)
    for number in range(51):
        size = len(entry.content)
        place = entry.content.find(a.sample)
        if number == 10:
            place = entry.content.index(a.before) + len(a.before)
            entry = a.delta(entry, Copy(0, place), a.sample, rest(entry, place))
        elif number == 20:
            entry = a.delta(entry, Copy(0, place + 1), b"\n#\n", rest(entry, place + 1))
        elif number == 30:
            place = entry.content.find(b"\n#\n")
            entry = a.delta(entry, Copy(0, place), rest(entry, place + 3))
        else:
            at = max(place, 0) + number % max(len(a.sample), 1)
            entry = a.delta(entry, b"%d\n" % number * (number % 3), Copy(0, at), Copy(at, size - at), b"%d\n" % number)


def across_64_kilobytes(a: Attack) -> None:
    """The size that a delta writes as nothing: a copy ends there, in the middle of the secret."""
    at = a.cut()
    filler = b"." * (0x10000 - at - 1) + b"\n"
    base = a.whole(filler + a.text)
    assert len(filler) + at == 0x10000
    a.delta(base, Copy(0, 0x10000), rest(base, 0x10000), b"\nmore")
    a.delta(base, Copy(len(filler), at), Copy(0, 0x10000), rest(base, 0x10000))


ATTACKS: list[Callable[[Attack], None]] = [
    made_by_a_deletion,
    assembled_from_two_copies,
    in_the_base_only,
    in_the_delta_only,
    at_the_first_and_the_last_byte,
    split_and_joined_again,
    neighbours_come_and_go,
    context_comes_and_goes,
    down_a_chain,
]


Found = set[tuple[str, str, bytes, int]]
"""(blob, detector, secret, where)."""


def wanted(searcher: Searcher, pack: MadePack, *, deltas: bool = False) -> Found:
    """What the engine finds in each object as a whole, or in those that are deltas, and no allowlist takes away."""
    return {
        (entry.name.hex(), match.detector, match.secret.reveal(), match.span.start)
        for entry in pack.entries
        if entry.base or not deltas
        for match in blobs.whole(entry.content)
        if not searcher.allowlist.review(match, searcher.by_id[match.detector])
    }


def holds(searcher: Searcher, pack: MadePack, path: Path) -> None:
    """Both paths tell the same, and find what the engine finds without a pack."""
    pack.write(bare(path))
    repository = laws.opened(path)
    ours = laws.by_packs(searcher, repository)
    assert laws.differences(ours, laws.plainly(searcher, repository)) == []
    found = {(o.blob, detector, secret, span.start) for o, detector, _, span, secret, *_ in ours.found}  # type: ignore
    assert found == wanted(searcher, pack)


def attacked(attack: Callable[[Attack], None], detectors: Sequence[Detector], seed: int) -> MadePack:
    """A pack with an attack on each of these detectors. A seed is used once: a searcher counts what it drops in what it
    sees for the first time."""
    pack = MadePack()
    for detector in detectors:
        attack(Attack(pack, detector, Random(f"{attack.__name__} {detector.id} {seed}")))
    return pack


def reached(searcher: Searcher, pack: MadePack, detectors: Sequence[Detector]) -> float:
    """The share of these detectors that find something in a delta's result: a test that finds nothing says nothing."""
    return len({found[1] for found in wanted(searcher, pack, deltas=True)} & {d.id for d in detectors}) / len(detectors)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.long
def test_an_attack_on_some_detectors(searcher: Searcher, attack: Callable[[Attack], None], tmp_path: Path) -> None:
    """Every forty-sixth, and the first."""
    detectors = blobs.DETECTORS[:: len(blobs.DETECTORS) // 9]
    pack = attacked(attack, detectors, SHARES)
    holds(searcher, pack, tmp_path / "repo")
    assert reached(searcher, pack, detectors) >= (0 if attack is in_the_base_only else 0.6)


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_on_every_detector(
    searcher: Searcher, attack: Callable[[Attack], None], share: int, tmp_path: Path
) -> None:
    """All of them in one pack, each with bases and versions of its own."""
    detectors = blobs.DETECTORS[share::SHARES]
    pack = attacked(attack, detectors, share)
    holds(searcher, pack, tmp_path / "repo")
    assert reached(searcher, pack, detectors) >= (0 if attack is in_the_base_only else 0.85)


def test_a_seam_at_64_kilobytes(searcher: Searcher, tmp_path: Path) -> None:
    detectors = blobs.DETECTORS[3 :: len(blobs.DETECTORS) // 6]
    pack = attacked(across_64_kilobytes, detectors, 0)
    holds(searcher, pack, tmp_path / "repo")
    assert reached(searcher, pack, detectors) > 0.7


# --- parts ------------------------------------------------------------------------------------------------------------


def parts_meet_and_part(a: Attack, part: bytes) -> None:
    """Far from each other at first; a deletion brings them together, an insertion takes them apart again; one of them
    goes, comes in another place, is another one."""
    size, other = len(a.text), a.mark + b"between\n"
    base = a.whole(a.text + FAR + part + b"\n")
    met = a.delta(base, Copy(0, size), rest(base, size + len(FAR)))
    a.delta(met, Copy(0, size), other * 2000, rest(met, size))
    a.delta(met, Copy(0, size), other, rest(met, size))
    gone = a.delta(met, Copy(0, size), b"gone\n")
    a.delta(gone, part, b"\n", Copy(0, size))
    a.delta(base, rest(base, size + len(FAR)), Copy(0, size))
    a.delta(base, Copy(size + len(FAR), len(part) // 2), Copy(0, size))


@pytest.mark.parametrize("detector", OF_PARTS, ids=lambda detector: detector.id)
def test_parts_that_a_delta_brings_together(searcher: Searcher, detector: Detector, tmp_path: Path) -> None:
    """Of every detector that has parts, with every one of them."""
    pack = MadePack()
    for name in detector.parts:
        rng = Random(f"{detector.id} {name}")
        a = Attack(pack, detector, rng)
        parts_meet_and_part(a, samples.fill(rng.choice(BY_ID[name].examples), blobs.draw(BY_ID[name], rng), rng))
    holds(searcher, pack, tmp_path / "repo")
    assert detector.id in {found[1] for found in wanted(searcher, pack, deltas=True)}
