"""Generated versions of files, as packs that try to hide a secret: cut by a seam, made by a deletion, carried over.

A text is put together from samples of all detectors. Its cut points are where something begins or ends: secrets,
their context, lines, and a few places by chance. A version is made from another one by copying between cut points and
inserting fresh text there.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import blobs as made
from hypothesis import strategies as st
from made_packs import Copy, Entry, MadePack, Step, instructions, result
from oakum.detectors import samples
from oakum.scanner.model import Detector

WIDE = [d for d in made.DETECTORS if d.width > 4096]
LONG = [d for d in made.DETECTORS if 400 < d.width <= 4096]
BY_CHECK = [d for d in made.DETECTORS if d.checks or d.min_entropy]
OF_PARTS = [d for d in made.DETECTORS if d.parts]
BY_ID = {d.id: d for d in made.DETECTORS}
KINDS = [made.DETECTORS, made.DETECTORS, made.DETECTORS, WIDE, LONG, BY_CHECK, OF_PARTS]
NEIGHBOURS = b"aZ09_-+/=\"' \n\x00.:;&%{}<"


@dataclass
class Text:
    """A text with the places at which a delta is to be cut."""

    content: bytearray = field(default_factory=bytearray)
    cuts: set[int] = field(default_factory=set)

    def add(self, part: bytes, *, cut: bool = True) -> None:
        if cut:
            self.cuts.add(len(self.content))
        self.content += part


def long_draw(detector: Detector, rng: Random) -> bytes:
    """A secret, out of a few the longest: near to what its pattern takes at most."""
    drawn = [made.draw(detector, rng) for _ in range(3)]
    return max(drawn, key=len)


def sample(detector: Detector, rng: Random) -> Text:
    """One of a detector's examples with a fresh secret, cut where the secret begins and ends, and inside of it."""
    text = Text()
    secret = long_draw(detector, rng) if rng.random() < 0.3 else made.draw(detector, rng)
    filled = samples.fill(rng.choice(detector.examples), secret, rng)
    text.add(filled)
    at = filled.find(secret)
    if at >= 0:
        text.cuts |= {at, at + len(secret), at + rng.randrange(len(secret) + 1), at + len(secret) // 2}
    text.cuts.add(rng.randrange(len(filled) + 1))
    for part in detector.parts:
        if rng.random() < 0.7 and part in BY_ID:
            text.add(rng.choice([b"\n", b"\n" + b"x = 1\n" * rng.randrange(120)]))
            text.add(samples.fill(rng.choice(BY_ID[part].examples), made.draw(BY_ID[part], rng), rng))
    text.add(b"")
    return text


def disguised(content: bytes, rng: Random) -> bytes:
    """A text as one of the views reads it."""
    coded = base64.b64encode(content.replace(b"\n", b" ").strip())
    manifest = b"kind: Secret\nmetadata: {}\ndata:\n  token: %s\n" % coded
    basic = base64.b64encode(b"user:" + content[:60].replace(b"\n", b""))
    return rng.choice(
        [
            content.decode("latin-1").encode("utf-16"),
            content.decode("latin-1").encode("utf-16-be"),
            b"apiVersion: v1\n" + manifest,
            manifest.replace(b"data:", b"stringData:").replace(coded, content),
            b'{"auths": {"registry": {"auth": "%s"}}}\n' % basic,
            b"Authorization: Basic %s\n" % basic,
        ]
    )


def text(rng: Random, most: int = 4) -> Text:
    """Some samples, joined by text that delimits them well, badly, or not."""
    out = Text()
    for _ in range(rng.randrange(most + 1)):
        out.add(b"".join(rng.choice(made.WORDS) for _ in range(rng.randrange(3))))
        one = sample(rng.choice(rng.choice(KINDS)), rng)
        at = len(out.content)
        out.add(bytes(one.content))
        out.cuts |= {at + cut for cut in one.cuts}
        if rng.random() < 0.3:
            out.add(b"// nothing to see\n" * rng.choice([1, 5, 30, 300]))
    if rng.random() < 0.12:
        whole = disguised(bytes(out.content), rng)
        out = Text(bytearray(whole), {rng.randrange(len(whole) + 1) for _ in range(6)})
    out.add(b"".join(rng.choice(made.WORDS) for _ in range(rng.randrange(3))))
    return out


@dataclass
class Version:
    """A stored version: its entry, and the places in it where something begins or ends."""

    entry: Entry
    cuts: list[int]

    @property
    def content(self) -> bytes:
        return self.entry.content

    def place(self, rng: Random) -> int:
        """A cut point, one beside it, or any place."""
        size = len(self.content)
        at = rng.choice(self.cuts) if self.cuts and rng.random() < 0.75 else rng.randrange(size + 1)
        return min(max(at + rng.choice([0, 0, 0, 0, -1, 1]), 0), size)


Edit = Callable[[Version, Random], list[Step]]


def _copy(low: int, high: int) -> list[Step]:
    return [Copy(low, high - low)] if high > low else []


def insertion(base: Version, rng: Random) -> list[Step]:
    """Something comes in between."""
    at = base.place(rng)
    fresh = bytes(text(rng, 1).content) if rng.random() < 0.5 else rng.choice(made.WORDS)
    return [*_copy(0, at), fresh, *_copy(at, len(base.content))]


def deletion(base: Version, rng: Random) -> list[Step]:
    """Something goes: what stood around it comes together."""
    low, high = sorted((base.place(rng), base.place(rng)))
    return [*_copy(0, low), *_copy(high, len(base.content))]


def one_byte(base: Version, rng: Random) -> list[Step]:
    """One byte, beside something, becomes another one."""
    at = base.place(rng)
    return [*_copy(0, at), bytes([rng.choice(NEIGHBOURS)]), *_copy(at + 1, len(base.content))]


def exchange(base: Version, rng: Random) -> list[Step]:
    """Three parts in another order, or one of them twice."""
    cuts = sorted([0, base.place(rng), base.place(rng), len(base.content)])
    parts = list(itertools.pairwise(cuts))
    rng.shuffle(parts)
    return [step for low, high in [*parts, *parts[: rng.randrange(2)]] for step in _copy(low, high)]


def pieces(base: Version, rng: Random) -> list[Step]:
    """Many copies of any parts, here and there something fresh."""
    out: list[Step] = []
    for _ in range(rng.randrange(1, 12)):
        out += _copy(*sorted((base.place(rng), base.place(rng))))
        if rng.random() < 0.3:
            out.append(bytes(text(rng, 1).content)[: rng.randrange(1, 400)] or b"-")
    return out


def ends(base: Version, rng: Random) -> list[Step]:
    """Something before, something behind, or less of it."""
    size = len(base.content)
    low, high = (base.place(rng) if rng.random() < 0.4 else n for n in (0, size))
    before, behind = (rng.choice([b"", b"", b"\n", b"x", bytes(text(rng, 1).content)]) for _ in range(2))
    return [*([before] if before else []), *_copy(low, high), *([behind] if behind else [])]


def the_same(base: Version, rng: Random) -> list[Step]:
    """All of it in many copies that continue each other, and one byte more so that it is another one."""
    cuts = sorted({0, *(base.place(rng) for _ in range(6)), len(base.content)})
    return [*(step for low, high in itertools.pairwise(cuts) for step in _copy(low, high)), b"%d" % rng.randrange(10)]


EDITS: list[Edit] = [insertion, deletion, one_byte, exchange, pieces, ends, the_same]


def moved(cuts: list[int], steps: list[Step]) -> list[int]:
    """Where cut points of a base stand in the result, and its own seams."""
    out: set[int] = {0}
    at = 0
    for step in steps:
        if isinstance(step, Copy):
            out |= {cut - step.at + at for cut in cuts if step.at <= cut <= step.at + step.size}
        at += step.size if isinstance(step, Copy) else len(step)
        out.add(at)
    return sorted(out)


def put_back(base: Version, rng: Random) -> tuple[list[Step], list[Step]]:
    """Two deltas: one that splits a text by an insertion, one that takes it out again and leaves a mark elsewhere."""
    at, size = base.place(rng), len(base.content)
    wedge = rng.choice([b"\n", b" + ", b"x" * 40, bytes(text(rng, 1).content) or b"#"])
    split = [*_copy(0, at), wedge, *_copy(at, size)]
    back = [*_copy(0, at), *_copy(at + len(wedge), size + len(wedge)), b"%d" % rng.randrange(1000)]
    return split, back


def versions(pack: MadePack, rng: Random, *, roots: int, deltas: int) -> list[Version]:
    """Objects in a pack: some whole, the others made from any of these, or from the last one (long chains)."""
    known: list[Version] = []
    for _ in range(roots):
        one = text(rng)
        if not pack.has(bytes(one.content)):
            known.append(Version(pack.whole(bytes(one.content)), sorted(one.cuts)))
    in_line = rng.random() < 0.4

    def put(base: Version, steps: list[Step]) -> Version | None:
        content = result(base.content, steps)
        if pack.has(content) or len(content) > 200_000 or len(instructions(steps)) < 2:  # git wants 4 bytes of a delta
            return None
        entry = pack.delta(base.entry, steps, by_name=rng.random() < 0.3)
        known.append(Version(entry, moved(base.cuts, steps)))
        return known[-1]

    for _ in range(deltas if known else 0):
        base = known[-1] if in_line else rng.choice(known)
        if rng.random() < 0.2:
            split, back = put_back(base, rng)
            put_in = put(base, split)
            if put_in:
                put(put_in, back)
        else:
            put(base, rng.choice(EDITS)(base, rng))
    return known


def order(pack: MadePack, rng: Random) -> None:
    """The entries in another order: a base by its name may stand behind what is made from it."""
    placed: set[int] = set()
    waiting = list(pack.entries)
    rng.shuffle(waiting)
    pack.entries = []
    while waiting:
        for entry in list(waiting):
            if entry.kind == 6 and id(entry.base) not in placed:
                continue
            pack.entries.append(entry)
            placed.add(id(entry))
            waiting.remove(entry)


def packs_of(seed: int, packs: int, deltas: int) -> list[MadePack]:
    """Some packs; an object may stand in several, whole or made from others."""
    rng = Random(seed)
    made_: list[MadePack] = []
    for place in range(packs):
        pack = MadePack()
        if place and rng.random() < 0.7:
            for entry in rng.sample(made_[0].entries, len(made_[0].entries) // 2):
                pack.whole(entry.content)
        versions(pack, rng, roots=rng.randrange(1, 4), deltas=deltas)
        order(pack, rng)
        made_.append(pack)
    return made_


def recipes(*, most: int) -> st.SearchStrategy[tuple[int, int, int]]:
    """What `packs_of` is given: a few numbers say more about a failure than the packs would."""
    return st.tuples(st.integers(0, 2**32), st.sampled_from([1, 1, 1, 2, 3]), st.integers(0, most))
