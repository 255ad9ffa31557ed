"""A small repository whose one pack holds everything that a scan reads, and what is true of it: to be damaged.

The pack is made entry by entry (`made_packs.py`): blobs whole and as deltas by offset and by name, trees (one a delta),
commits with a secret in a message, a tag with another one. A loose blob beside it has a secret of its own, which no
damage to the pack takes away.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from made_packs import Copy, Entry, MadePack, Step, bare
from oakum.scanner.model import GitBlob, GitMessage, ScanResult
from scanning import Fresh, Place, places, scan

WHO = "Ada Lovelace <ada@example.test>"
MAX_SIZE = 1 << 20


def tree(*entries: tuple[bytes, bytes, Entry]) -> bytes:
    """A tree object of (mode, name, object)."""
    return b"".join(b"%s %s\0%s" % (mode, name, entry.name) for mode, name, entry in entries)


def stamp(number: int) -> bytes:
    """Somebody and a date, as git writes it."""
    return b"%s %d +0000" % (WHO.encode(), 1_700_000_000 + number)


def person(number: int) -> tuple[str, str]:
    """The same as a report writes it."""
    return WHO, f"2023-11-14T22:13:{20 + number}+00:00"


@dataclass(repr=False)
class Small:
    """The repository at `path`, and its truth.

    `contents` are all objects that hold secrets; `files` says of each commit which blob stands at which path, `people`
    of each commit and tag who made it and when; `expected` is what a scan of the sound repository tells.
    """

    path: Path
    pack: Path = field(init=False)
    loose: bytes = field(init=False)
    contents: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, dict[bytes, str]] = field(default_factory=dict)
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    expected: dict[bytes, list[Place]] = field(init=False)

    def __post_init__(self) -> None:
        bare(self.path)
        made, fresh = MadePack(), Fresh("small")
        last, tag = self._fill(made, fresh)
        self.contents |= {e.name.hex(): e.content for e in made.entries if any(s in e.content for s in fresh.drawn)}
        self.pack = made.write(self.path)
        self.index.chmod(0o644)
        for name, entry in (("heads/main", last), ("tags/v1", tag)):
            (self.path / "refs" / name).parent.mkdir()
            (self.path / "refs" / name).write_text(entry.name.hex() + "\n")
        self.loose = fresh()
        self._put_loose(b"loose " + self.loose + b"\n")
        sound = scan(self.path, max_size=MAX_SIZE)
        self.expected = places(sound)
        assert sound.complete
        assert set(self.expected) == set(fresh.drawn)
        assert list(self.false(sound)) == []

    @property
    def index(self) -> Path:
        """The pack's index."""
        return self.pack.with_suffix(".idx")

    def _fill(self, made: MadePack, fresh: Fresh) -> tuple[Entry, Entry]:
        """The pack's objects; gives the last commit and the tag."""
        lines = b"".join(b"line %d\n" % n for n in range(12))
        one = made.whole(lines + fresh() + b"\n")
        size = len(one.content)
        two = made.delta(one, [Copy(0, 20), b"in between\n", Copy(20, size - 20), fresh(), b"\n"])
        three = made.delta(two, [Copy(0, 20), Copy(31, len(two.content) - 31), b"end\n"], by_name=True)
        other = made.delta(one, [Copy(0, len(lines)), fresh(), b"\n"])
        alone = made.whole(b"alone " + fresh() + b"\n")
        below = made.whole(tree((b"100644", b"alone.txt", alone)), "tree")
        first = made.whole(tree((b"100644", b"a.txt", one)), "tree")
        second = made.whole(tree((b"100644", b"a.txt", two), (b"40000", b"dir", below)), "tree")
        steps: list[Step] = [Copy(0, 13), three.name, Copy(33, len(second.content) - 33), b"100644 z\0", other.name]
        third = made.delta(second, steps, kind="tree")
        files = [{b"a.txt": one}, {b"a.txt": two, b"dir/alone.txt": alone}]
        files.append({**files[1], b"a.txt": three, b"z": other})
        commits: list[Entry] = []
        for number, top in enumerate((first, second, third)):
            parent = b"parent %s\n" % commits[-1].name.hex().encode() if commits else b""
            message = b"with " + fresh() if number == 1 else b"work"
            head = b"tree %s\n%sauthor %s\ncommitter %s\n" % (
                top.name.hex().encode(),
                parent,
                stamp(number),
                stamp(number),
            )
            commits.append(made.whole(b"%s\n%s\n" % (head, message), "commit"))
            name = commits[-1].name.hex()
            self.files[name] = {path: entry.name.hex() for path, entry in files[number].items()}
            self.people[name] = person(number)
        head = b"object %s\ntype commit\ntag v1\ntagger %s\n" % (commits[1].name.hex().encode(), stamp(3))
        tag = made.whole(b"%s\nwith %s\n" % (head, fresh()), "tag")
        self.people[tag.name.hex()] = person(3)
        return commits[-1], tag

    def _put_loose(self, content: bytes) -> None:
        whole = b"blob %d\0%s" % (len(content), content)
        name = hashlib.sha1(whole).hexdigest()
        self.contents[name] = content
        file = self.path / "objects" / name[:2] / name[2:]
        file.parent.mkdir()
        file.write_bytes(zlib.compress(whole))

    def false(self, result: ScanResult) -> Iterator[str]:
        """What a scan tells that is not true: of an object, of a commit, of a person."""
        for secret, found in places(result).items():
            for detector, origin, line, _ in found:
                if isinstance(origin, GitBlob):
                    name, who = origin.blob, self.people.get(origin.commit)
                    at = self.files.get(origin.commit, {}).get(origin.path, "")
                    if origin.commit and secret not in self.contents.get(at, b""):
                        yield f"{origin}: the commit does not have it there"
                elif isinstance(origin, GitMessage):
                    name, who = origin.target, self.people.get(origin.target)
                else:
                    yield f"{origin}: it stands in git alone"
                    continue
                before, value, _ = self.contents.get(name, b"").partition(secret)
                if not value or line != before.count(b"\n") + 1:
                    yield f"{detector} at {origin}, line {line}: the object does not hold it there"
                if (origin.author, origin.date) not in {("", ""), who}:
                    yield f"{origin}: another person or date"
