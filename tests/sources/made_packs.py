"""Packs made to order: which object is stored how, in which copies and insertions, sound or broken.

Git chooses deltas by itself; a test wants to choose. What is sound gets its index from `git index-pack`; what git
would refuse gets one that is written here, in the same form.

Sources: gitformat-pack(5).
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
OFS_DELTA, REF_DELTA = 6, 7


@dataclass(frozen=True)
class Copy:
    """`size` bytes of the base from `at` on."""

    at: int
    size: int


Step = Copy | bytes
"""An instruction of a delta: a copy, or what is inserted."""


def result(base: bytes, steps: Iterable[Step]) -> bytes:
    """What a delta makes of its base."""
    return b"".join(base[s.at : s.at + s.size] if isinstance(s, Copy) else s for s in steps)


def number(value: int) -> bytes:
    """A size as a delta begins with it: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 127:
        out.append(128 | value & 127)
        value >>= 7
    return bytes([*out, value])


def instructions(steps: Iterable[Step]) -> bytes:
    """The instructions themselves; long ones as several."""
    out = bytearray()
    for step in steps:
        if isinstance(step, bytes):
            for at in range(0, len(step), 127):
                out += bytes([len(step[at : at + 127])]) + step[at : at + 127]
            continue
        at, left = step.at, step.size
        while left:
            size = min(left, 0xFFFFFF)
            told = 0 if size == 0x10000 else size
            numbers = [at >> shift & 255 for shift in (0, 8, 16, 24)] + [told >> shift & 255 for shift in (0, 8, 16)]
            out.append(128 | sum(1 << place for place, byte in enumerate(numbers) if byte))
            out += bytes(byte for byte in numbers if byte)
            at, left = at + size, left - size
    return bytes(out)


def delta(base_size: int, size: int, steps: Iterable[Step]) -> bytes:
    """A delta as it stands in a pack, before it is compressed."""
    return number(base_size) + number(size) + instructions(steps)


@dataclass(repr=False)
class Entry:
    """One entry of a pack.

    `body` is what is compressed, `size` what the entry says about its length; `base` is the entry that it is a delta
    of (with `by_name` it may stand anywhere in the pack) and `base_name` one that need not be there at all.
    """

    kind: int
    body: bytes
    name: bytes
    content: bytes = b""
    base: Entry | None = None
    base_name: bytes = b""
    size: int = -1
    level: int = 6

    def header(self, back: int) -> bytes:
        """What stands before the compressed bytes; `back` is how far before it its base begins."""
        size = len(self.body) if self.size < 0 else self.size
        out = bytearray([self.kind << 4 | size & 15])
        size >>= 4
        while size:
            out[-1] |= 128
            out.append(size & 127)
            size >>= 7
        if self.kind == OFS_DELTA:
            digits = [back & 127]
            while back := back >> 7:
                back -= 1
                digits.append(128 | back & 127)
            out += bytes(reversed(digits))
        if self.kind == REF_DELTA:
            out += self.base.name if self.base else self.base_name
        return bytes(out)


@dataclass(repr=False)
class MadePack:
    """A pack that is put together entry by entry; `algorithm` is the repository's, "sha1" or "sha256"."""

    algorithm: str = "sha1"
    entries: list[Entry] = field(default_factory=list)

    def name_of(self, content: bytes, kind: str = "blob") -> bytes:
        """The binary name of an object."""
        return hashlib.new(self.algorithm, b"%s %d\0%s" % (kind.encode(), len(content), content)).digest()

    def has(self, content: bytes, kind: str = "blob") -> bool:
        """Whether there is such an object already: git refuses a pack that has one twice."""
        name = self.name_of(content, kind)
        return any(entry.name == name for entry in self.entries)

    def whole(self, content: bytes, kind: str = "blob") -> Entry:
        """An object that is stored as it is."""
        return self.add(Entry(NUMBERS[kind], content, self.name_of(content, kind), content))

    def delta(self, base: Entry, steps: Sequence[Step], *, kind: str = "blob", by_name: bool = False) -> Entry:
        """An object that is stored as what was done to another one."""
        content = result(base.content, steps)
        body = delta(len(base.content), len(content), steps)
        number_ = REF_DELTA if by_name else OFS_DELTA
        return self.add(Entry(number_, body, self.name_of(content, kind), content, base))

    def add(self, entry: Entry) -> Entry:
        """Any entry, sound or not."""
        self.entries.append(entry)
        return entry

    def made(self) -> tuple[bytes, list[int]]:
        """The pack, and where its entries begin."""
        out = bytearray(b"PACK" + struct.pack(">II", 2, len(self.entries)))
        begins: dict[int, int] = {}
        for entry in self.entries:
            begins[id(entry)] = at = len(out)
            out += entry.header(at - begins.get(id(entry.base), 0)) + zlib.compress(entry.body, entry.level)
        out += hashlib.new(self.algorithm, out).digest()
        return bytes(out), [begins[id(entry)] for entry in self.entries]

    def index(self, pack: bytes, begins: Sequence[int]) -> bytes:
        """The index of the pack, version 2."""
        ends = [*sorted(begins), len(pack) - hashlib.new(self.algorithm).digest_size][1:]
        ends = ends[: len(begins)]
        end_of = dict(zip(sorted(begins), ends, strict=True))
        rows = sorted(
            (entry.name, zlib.crc32(pack[at : end_of[at]]), at) for entry, at in zip(self.entries, begins, strict=True)
        )
        out = bytearray(b"\xfftOc" + struct.pack(">I", 2))
        for first in range(256):
            out += struct.pack(">I", sum(name[0] <= first for name, _, _ in rows))
        out += b"".join(name for name, _, _ in rows)
        out += b"".join(struct.pack(">I", crc) for _, crc, _ in rows)
        out += b"".join(struct.pack(">I", at) for _, _, at in rows)
        out += pack[-hashlib.new(self.algorithm).digest_size :]
        return bytes(out + hashlib.new(self.algorithm, out).digest())

    def write(self, folder: Path, *, sound: bool = True) -> Path:
        """Put the pack and its index into a bare repository; git makes the index, and so tests a sound one."""
        pack, begins = self.made()
        path = folder / "objects" / "pack" / f"pack-{pack[-hashlib.new(self.algorithm).digest_size :].hex()}.pack"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack)
        if sound:
            command = ["git", "index-pack", "--threads=1", f"--object-format={self.algorithm}", str(path)]
            done = subprocess.run(command, capture_output=True, check=False, cwd=folder)
            assert done.returncode == 0, done.stderr
        else:
            path.with_suffix(".idx").write_bytes(self.index(pack, begins))
        return path


def bare(path: Path, algorithm: str = "sha1") -> Path:
    """A bare repository with nothing in it, made without git: a test may want hundreds."""
    (path / "objects" / "pack").mkdir(parents=True)
    (path / "refs").mkdir()
    (path / "HEAD").write_text("ref: refs/heads/main\n")
    extension = "[extensions]\n\tobjectFormat = sha256\n" if algorithm == "sha256" else ""
    version = 1 if extension else 0
    (path / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n{extension}")
    return path
