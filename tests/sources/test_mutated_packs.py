"""A pack and its index, damaged at every byte: a scan ends, tells nothing that is not so, and says what it lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from made_packs import REF_DELTA, Copy, Entry, MadePack, delta
from mutated import MAX_SIZE, Small
from oakum.scanner.sources import packs
from scanning import lost, places, scan

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not packs.available(), reason="needs a C compiler when oakum is installed"),
]

LONGEST = 120
"""Seconds for one scan, of which a sound one takes a twentieth of one."""
SHARES = 12
"""Of the long tests, so that they run beside each other."""


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """The repository, sound."""
    return Small(tmp_path / "repo")


def judged(small: Small) -> str:
    """Scan it as it is now, and say in a word what came of it; anything but the truth fails."""
    started = time.monotonic()
    result = scan(small.path, max_size=MAX_SIZE)
    assert time.monotonic() - started < LONGEST
    found, told = places(result), lost(result)
    assert not any("error in oakum" in why for _, why in told), told
    assert list(small.false(result)) == [], told
    assert small.loose in found, "what stands beside the pack is found"
    assert set(found) <= set(small.expected)
    if found == small.expected:
        return "all, named" if told else "all"
    assert not result.complete, (len(set(small.expected) - set(found)), "and nobody says so")
    assert all(what and why for what, why in told)
    return "missed" if set(found) < set(small.expected) else "found, elsewhere"


def flipped(content: bytes, at: int, bit: int) -> bytes:
    """One bit is another one."""
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def spoiled(small: Small, file: Path, contents: Iterator[bytes]) -> Counter[str]:
    """What came of each of these contents of a file; the file is put right again."""
    sound, outcomes = file.read_bytes(), Counter[str]()
    file.chmod(0o644)
    for content in contents:
        file.write_bytes(content)
        outcomes[judged(small)] += 1
    file.write_bytes(sound)
    assert judged(small) == "all"
    return outcomes


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_some_bits_and_some_ends(small: Small, suffix: str) -> None:
    """A sample of what follows."""
    file, rng = small.pack.with_suffix(suffix), Random(suffix)
    content = file.read_bytes()
    bits = [flipped(content, at, rng.randrange(8)) for at in rng.sample(range(len(content)), 24)]
    ends = [content[:at] for at in rng.sample(range(len(content)), 8)]
    assert spoiled(small, file, iter(bits + ends)).total() == 32


@pytest.mark.parametrize("bit", range(8))
def test_what_the_first_byte_of_an_entry_says(small: Small, bit: int) -> None:
    """The kind of an object and its length, of the root of a family, a delta, a commit: a blob that becomes a tree is
    not passed over in silence."""
    content = small.pack.read_bytes()
    offsets = small.index.read_bytes()[-40 - 4 * content[11] : -40]
    begins = [int.from_bytes(offsets[at : at + 4], "big") for at in range(0, len(offsets), 4)]
    assert len(begins) == 13
    outcomes = spoiled(small, small.pack, (flipped(content, at, bit) for at in begins))
    assert outcomes["all"] == 0


def test_a_name_in_the_index_that_is_another_one(small: Small) -> None:
    """What is found stands under the name that its content has, and the false one is named."""
    content = small.index.read_bytes()
    names = 8 + 1024
    for at in range(names, names + 20 * 13, 20):
        false = content[at : at + 10] + bytes([content[at + 10] ^ 1]) + content[at + 11 : at + 20]
        small.index.write_bytes(content[: at + 10] + false[10:11] + content[at + 11 :])
        assert judged(small) != "all", false.hex()


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_every_byte(small: Small, suffix: str, share: int) -> None:
    """A bit of each is flipped, and the file is cut before it."""
    file, rng = small.pack.with_suffix(suffix), Random(share)
    content = file.read_bytes()
    at = range(share, len(content), SHARES)
    ways = [flipped(content, n, rng.randrange(8)) for n in at] + [content[:n] for n in at]
    assert spoiled(small, file, iter(ways)).total() == 2 * len(at)


def test_a_circle_that_stands_before_a_loose_object(small: Small) -> None:
    """A pack has an object of that name that is made from itself: git never comes to the loose one. It is named."""
    name = next(blob for blob, content in small.contents.items() if small.loose in content)
    pack, raw = MadePack(), bytes.fromhex(name)
    pack.add(Entry(REF_DELTA, delta(4, 4, [Copy(0, 4)]), raw, base_name=raw))
    pack.write(small.path, sound=False)
    result = scan(small.path, max_size=MAX_SIZE)
    assert small.loose in places(result) or (name.encode(), "is made from itself; run `git fsck`") in lost(result)
    assert set(small.expected) - set(places(result)) <= {small.loose}
    assert list(small.false(result)) == []
