"""Git objects by the plain path: every blob, commit and tag in the object store, reached or not, each once.

`git cat-file --batch-all-objects` lists what the store and its alternates hold, in the order of the packs; units of
that list go to `git cat-file --batch` in several processes. An object that git cannot read is reported, git is started
again behind it, and the scan goes on.

Commits and tags are searched whole, headers included (people, signatures, whatever else stands there): positions in
them are those in what `git cat-file -p ID` prints.
"""

from __future__ import annotations

import hashlib
import re
from binascii import unhexlify
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Literal

from ..model import PIECE_OVERLAP, PIECE_SIZE, GitBlob, GitMessage, NotScanned, Piece
from . import BATCH_SIZE, Batch, Item
from .git import Conversation, Repository

if TYPE_CHECKING:
    from .diffs import Change, Sieve

UNIT_OBJECTS = 4096
UNIT_BYTES = 32 << 20
CHOSEN_OBJECTS = 512
"""Of a unit of objects that were named one by one."""
ASKED_AT_ONCE = 200
"""Ids written before their answers are read: they must fit a pipe's buffer (16 KiB where it is smallest)."""
LONGEST_NAME = 200
"""Characters of an author or a ref that are kept."""

DAMAGED = "damaged in the object store; run `git fsck`"

Kind = Literal["blob", "commit", "tag"]


@dataclass(frozen=True, slots=True)
class ObjectUnit:
    """Some objects of one kind, in the order of the pack. `ids` are their binary ids, joined."""

    repository: Repository
    kind: Kind
    ids: bytes
    weight: int

    def names(self) -> Iterator[str]:
        """The hexadecimal object ids."""
        step = self.repository.id_length // 2
        return (self.ids[at : at + step].hex() for at in range(0, len(self.ids), step))

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return f"{self.kind}s from {next(self.names(), '')}".encode()

    def size(self) -> int:
        """How many objects it has."""
        return len(self.ids) // (self.repository.id_length // 2)

    def blobs(self) -> Iterator[Batch | Item | NotScanned]:
        """Each object as a blob to search: its content, of commits and tags too.

        Git is told all names at once, and what it prints is searched as it comes, many objects at a time. Where it
        says anything but what was asked for, the rest is asked for one by one.
        """
        names = list(self.names())
        stream = _Stream(names, self.kind)
        questions = "".join(f"{name}\n" for name in names).encode()
        with self.repository.open("cat-file", "--batch", "--buffer", given=questions) as git:
            for batch in stream.read(git):
                yield batch
                yield from stream.false
                stream.false.clear()
        yield from self.read(names[stream.done :])

    def read(self, waiting: list[str] | None = None) -> Iterator[Item | NotScanned]:
        """The objects of these names, or all, one by one."""
        waiting = list(self.names()) if waiting is None else waiting
        while waiting:
            with self.repository.open("cat-file", "--batch") as git:
                done = 0
                for place, answer in _answers(git, waiting):
                    done = place + 1
                    yield from [answer] if isinstance(answer, NotScanned) else self._item(*answer)
                waiting = waiting[done:]

    def _item(self, name: str, content: Iterator[Piece]) -> Iterator[Item | NotScanned]:
        false: list[NotScanned] = []
        first = next(content)
        true = partial(true_origin, self.kind, name, first.content, false) if first.last else None
        yield Item(origin_of(self.kind, name, first.content), chain((first,), content), true)
        yield from false


def true_origin(kind: Kind, name: str, content: bytes, false: list[NotScanned]) -> GitBlob | GitMessage:
    """The origin of an object under the name and kind that its content has; what it is stored as, if that is another
    one, is noted.

    Git does not look when it hands an object out: one flipped bit of an index, and it gives one for another.
    """
    named = _name(kind, content, name)
    if named == name:
        return origin_of(kind, name, content)
    true = next((one for one in _KINDS if _name(one, content, name) == name), kind)
    told = f"is stored as a {kind} and is a {true}" if true != kind else f"holds what {named} is the name of"
    false.append(NotScanned(name.encode(), f"{told}; run `git fsck`"))
    return origin_of(true, name if true != kind else named, content)


_KINDS: tuple[Kind, ...] = ("blob", "commit", "tag")


def _name(kind: Kind, content: bytes, like: str) -> str:
    """The name of an object, of the same kind of names as another one."""
    algorithm = "sha1" if len(like) == 40 else "sha256"
    return hashlib.new(
        algorithm, b"%s %d\0%s" % (kind.encode(), len(content), content), usedforsecurity=False
    ).hexdigest()


def origin_of(kind: Kind, name: str, content: bytes) -> GitBlob | GitMessage:
    """Where an object stands, as far as it says so itself."""
    if kind == "blob":
        return GitBlob(name)
    author, date = signature(content, b"tagger" if kind == "tag" else b"author")
    return GitMessage(kind, name, author, date)


_LONGEST_HEADER = 128
_NEWLINE = 10


@dataclass(slots=True)
class _Stream:
    """What `cat-file --batch --buffer` prints, cut into batches of whole objects.

    Each is a line `NAME TYPE SIZE`, the content, and a newline (gitformat in git-cat-file(1)). `done` counts the names
    that were answered; the stream ends at the first answer that is not of this form.
    """

    names: list[str]
    kind: Kind
    done: int = 0
    false: list[NotScanned] = field(default_factory=list)
    """What of the last batch is not what its name says."""

    def read(self, git: Conversation) -> Iterator[Batch]:
        """Batches of objects, up to the first one that is larger than a piece."""
        kept = b""
        while self.done < len(self.names):
            fresh = git.stdout.read(BATCH_SIZE)
            if not fresh:
                return
            buffer = kept + fresh if kept else fresh
            first, at, starts, ends, wanted, odd = self.done, 0, list[int](), list[int](), 0, False
            names = self.names
            while True:
                begin = buffer.find(b"\n", at, at + _LONGEST_HEADER) + 1
                if not begin:
                    break
                header = buffer[at:begin].split()
                if len(header) != 3 or self.done >= len(names) or header[0] != names[self.done].encode():
                    odd = True
                    break
                end = begin + int(header[2])
                if end >= len(buffer):
                    wanted = end + 1 - at
                    break
                if buffer[end] != _NEWLINE:
                    odd = True
                    break
                starts.append(begin)
                ends.append(end)
                self.done += 1
                at = end + 1
            if starts:
                yield self._batch(buffer, starts, ends, first)
            kept = buffer[at:]
            if odd or wanted > PIECE_SIZE:
                return
            if wanted > len(kept):
                kept += git.stdout.read(wanted - len(kept))
                if len(kept) < wanted:
                    return

    def _batch(self, buffer: bytes, starts: list[int], ends: list[int], first: int) -> Batch:
        def origin(place: int) -> GitBlob | GitMessage:
            return true_origin(self.kind, self.names[first + place], buffer[starts[place] : ends[place]], self.false)

        return Batch(GitBlob if self.kind == "blob" else GitMessage, buffer, starts, ends, origin)


Answer = tuple[str, Iterator[Piece]]


def _asked(git: Conversation, names: Sequence[str]) -> Iterator[tuple[int, str, bytes]]:
    """Place, name, and the line that `cat-file` answers with; an empty line at the end where git gives up."""
    for begin in range(0, len(names), ASKED_AT_ONCE):
        asked = names[begin : begin + ASKED_AT_ONCE]
        try:
            git.stdin.write("".join(f"{name}\n" for name in asked).encode())
            git.stdin.flush()
        except OSError:
            yield begin, asked[0], b""
            return
        for place, name in enumerate(asked, begin):
            line = git.stdout.readline()
            yield place, name, line
            if not line:
                return


def _answers(git: Conversation, names: list[str]) -> Iterator[tuple[int, Answer | NotScanned]]:
    """What `cat-file --batch` says to each name, with the name's place; it ends early, with the culprit, when git
    does."""
    for place, name, line in _asked(git, names):
        header = line.split()
        if len(header) == 2 and header[1] == b"missing":
            yield place, NotScanned(name.encode(), "damaged or missing in the object store; run `git fsck`")
            continue
        if len(header) != 3:
            yield place, _damaged(git, name)
            return
        content = _Content(git, int(header[2]))
        yield place, (name, content.pieces())
        if not content.finish():
            yield place, _damaged(git, name)
            return


def _damaged(git: Conversation, name: str) -> NotScanned:
    git.stop()
    reason = (git.said() or ["git stopped"])[-1]
    return NotScanned(name.encode(), f"git cannot read it: {reason}; run `git fsck` in the repository")


@dataclass(slots=True)
class _Content:
    """The content of one answer; whatever was not asked for is read and dropped before the next."""

    git: Conversation
    size: int
    left: int = field(init=False)
    whole: bool = True

    def __post_init__(self) -> None:
        self.left = self.size

    def pieces(self) -> Iterator[Piece]:
        offset, kept = 0, b""
        while True:
            fresh = self._read(min(self.left, PIECE_SIZE))
            content = kept + fresh if kept else fresh
            yield Piece(content, offset, self.left == 0)
            if self.left == 0 or not self.whole:
                return
            kept = content[-PIECE_OVERLAP:]
            offset += len(content) - len(kept)

    def _read(self, size: int) -> bytes:
        data = self.git.stdout.read(size)
        self.whole = len(data) == size
        self.left -= len(data)
        return data

    def finish(self) -> bool:
        while self.left and self.whole:
            self._read(min(self.left, PIECE_SIZE))
        return self.whole and self.git.stdout.read(1) == b"\n"


_SIGNATURES = {
    name: re.compile(rb"^%b (?P<who>[^\n]*?) (?P<at>-?\d{1,15}) (?P<zone>[+-]\d{4})$" % name, re.MULTILINE)
    for name in (b"author", b"tagger")
}


def signature(content: bytes, field_name: bytes) -> tuple[str, str]:
    """Name and address, and the date as ISO 8601, of the author of a commit or the tagger of a tag.

    Empty where the field is malformed or missing; a name of absurd length is cut.
    """
    end = content.find(b"\n\n") + 1
    found = _SIGNATURES[field_name].search(content, 0, end or len(content))
    if not found:
        return "", ""
    who = found["who"][: 4 * LONGEST_NAME].decode("utf-8", "replace")
    return cut(who), iso_date(int(found["at"]), found["zone"].decode())


def cut(name: str) -> str:
    """A name, or its beginning with an ellipsis where it is longer than `LONGEST_NAME`."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def iso_date(seconds: int, zone: str) -> str:
    """Seconds since 1970 and git's `+hhmm` as ISO 8601; empty for a time that no calendar has."""

    try:
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        offset = min(offset, timedelta(hours=23, minutes=59))
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        return at.astimezone(timezone(-offset if zone[0] == "-" else offset)).isoformat()
    except (OverflowError, ValueError):
        return ""


Changes = Callable[[Repository, Sequence[str], "list[NotScanned]", "Sieve"], "Iterator[tuple[str, Change]]"]


def _by_git(
    repository: Repository, commits: Sequence[str], not_scanned: list[NotScanned], sieve: Sieve
) -> Iterator[tuple[str, Change]]:
    from .diffs import diff_trees  # here: where nothing is found, nothing is attributed

    return diff_trees(repository, commits, not_scanned, sieve)


@dataclass(slots=True)
class Store:
    """What the object store holds, filled while it is listed. Ids are binary and joined, or in a set for blobs.

    `changes` says what commits brought in.
    """

    id_length: int
    blobs: Container[bytes] = frozenset()
    commits: bytearray = field(default_factory=bytearray)
    damaged: set[str] = field(default_factory=set)
    not_scanned: list[NotScanned] = field(default_factory=list)
    changes: Changes = _by_git

    def damage(self, name: str, why: str = DAMAGED) -> None:
        """Note an object that nobody can read."""
        self.damaged.add(name)
        self.not_scanned.append(NotScanned(name.encode(), why))


def list_units(repository: Repository, store: Store, *, max_size: int) -> Iterator[ObjectUnit]:
    """List the whole object store into `store`, and give its blobs, commits and tags as units on the way."""
    batches: dict[bytes, tuple[Kind, bytearray]] = {
        b"blob": ("blob", bytearray()),
        b"commit": ("commit", bytearray()),
        b"tag": ("tag", bytearray()),
    }
    weights = dict.fromkeys(batches, 0)
    store.blobs = blobs = set[bytes]()
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    with repository.open("cat-file", "--batch-all-objects", "--unordered", "--buffer", form) as git:
        for line in git.stdout:
            fields = line.split()
            if len(fields) < 3:
                store.damage(fields[0].decode())
                continue
            name, type_, length = fields
            if type_ == b"tree":
                continue
            raw, size, (word, batch) = unhexlify(name), int(length), batches[type_]
            if type_ == b"blob":
                blobs.add(raw)
            elif type_ == b"commit":
                store.commits += raw
            if size > max_size:
                store.not_scanned.append(too_large(word, name, size))
                continue
            batch += raw
            weights[type_] += size
            if weights[type_] >= UNIT_BYTES or len(batch) >= UNIT_OBJECTS * len(raw):
                yield ObjectUnit(repository, word, bytes(batch), weights[type_])
                batch.clear()
                weights[type_] = 0
        status, said = git.end(), git.said()
    for kind, (name_of_kind, batch) in batches.items():
        if batch:
            yield ObjectUnit(repository, name_of_kind, bytes(batch), weights[kind])
    said = [text for text in said if not text.startswith("warning: This repository uses promisor remotes")]
    if status or said:
        for text in said or [f"git cat-file ended with status {status}"]:
            store.not_scanned.append(NotScanned(b"object store", f"git says: {text}"))


def headers(repository: Repository, names: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Id, type and size of the objects of these names; the type is `missing` where there is none or git gives up."""
    waiting = names
    while waiting:
        done = 0
        with repository.open("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)") as git:
            for place, asked, line in _asked(git, waiting):
                done = place + 1
                name, kind, size = [*line.decode().split(), "", ""][:3] if line else (asked, "", "")
                yield (name, kind, int(size)) if size else (name, "missing", 0)
        waiting = waiting[done:]


def look_up(repository: Repository, names: Sequence[bytes]) -> list[tuple[str, str] | None]:
    """Id and type of what git finds under each name, such as `COMMIT:PATH`; both empty where there is nothing, None
    where git gave up. A name has no newline, and no path in it begins with a dot and a slash: git dies of such."""
    form = "--batch-check=%(objectname) %(objecttype)"
    with repository.open("cat-file", "--buffer", form, given=b"".join(name + b"\n" for name in names)) as git:
        answers = [_FOUND.fullmatch(line) for line in git.stdout]
    found = [(answer[1].decode(), answer[2].decode()) if answer else ("", "") for answer in answers[: len(names)]]
    return found + [None] * (len(names) - len(found))


_FOUND = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree|commit|tag)\n")


def chosen_units(
    repository: Repository, kind: Kind, names: Sequence[str], not_scanned: list[NotScanned], *, max_size: int
) -> Iterator[ObjectUnit]:
    """Units of some objects, in the order of their names; those that are too large are left out."""
    sizes = ((name, size) for name, (_, _, size) in zip(names, headers(repository, names), strict=True))
    return sized_units(repository, kind, sizes, not_scanned, max_size=max_size)


def sized_units(
    repository: Repository,
    kind: Kind,
    sizes: Iterable[tuple[str, int]],
    not_scanned: list[NotScanned],
    *,
    max_size: int,
    most: int = UNIT_BYTES,
) -> Iterator[ObjectUnit]:
    """The same for objects whose sizes are known, with about `most` bytes in a unit."""
    batch, weight = bytearray(), 0
    for name, size in sizes:
        if size > max_size:
            not_scanned.append(too_large(kind, name.encode(), size))
            continue
        batch += bytes.fromhex(name)
        weight += size
        if weight >= most or len(batch) >= CHOSEN_OBJECTS * len(name) // 2:
            yield ObjectUnit(repository, kind, bytes(batch), weight)
            batch, weight = bytearray(), 0
    if batch:
        yield ObjectUnit(repository, kind, bytes(batch), weight)


def too_large(kind: Kind, name: bytes, size: int) -> NotScanned:
    """The entry for an object that is left out because of its size."""
    return NotScanned(name, f"git {kind} larger than --max-size ({size:,} bytes)", policy=True)
