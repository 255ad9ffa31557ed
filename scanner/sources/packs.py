"""Git's packs, read by ourselves: every object once, and of a delta's result only what is new in it.

A pack already says what changed: most objects are stored as a delta, as copies from a base and inserted bytes. What the
matcher saw in the base it would see again in the copies, so that only the rest is shown to it. `_packs.pyx` has the
inner loops; `tests/sources/test_packs.py` holds them to what the plain path finds.

Whatever is not as it should be is left to the plain path (`objects.py`), where git reads it and says what is wrong with
it: single objects, loose ones, and whole repositories that have alternates, or whose packs are odd.
"""

from __future__ import annotations

import functools
import mmap
import os
import re
import signal
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..cache import READING
from ..model import GitBlob, GitMessage, NotScanned, Origin
from . import Counted, Finder, Heard, Hinted, Item, Walked
from .commits import Commits, PackedCommits
from .diffs import FILES_OF_A_COMMIT, MOST_CHANGES, Change, Sieve, diff_trees
from .git import Repository
from .objects import DAMAGED, Kind, ObjectUnit, Store, chosen_units, headers, sized_units, too_large, true_origin

if TYPE_CHECKING:
    from . import _packs

UNIT_WEIGHT = 1 << 15
"""Of a unit, in 64 compressed bytes: 2 MiB."""
HELD = 16 << 20
"""Bytes of results that wait for the matcher at most."""
MOST_PACKS = 1000
TREES_KEPT = 64 << 20
"""Bytes of trees that are kept while commits are compared, in all processes."""
COMMITS_OF_A_CHUNK = 4000
"""Commits that are compared in one process, one after the other: they share most of their trees."""
MOST_ASKED = 50
"""How often git is asked about commits in between."""
_KINDS: tuple[tuple[int, Kind], ...] = ((3, "blob"), (1, "commit"), (4, "tag"))
_HEX = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class PackUnit(Walked):
    """Some delta trees of a pack, by their roots. `others` are packs whose objects are searched elsewhere."""

    repository: Repository
    path: bytes
    others: tuple[bytes, ...]
    kind: Kind
    roots: tuple[int, ...]
    weight: int
    max_size: int

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return b"%ss of %s" % (self.kind.encode(), os.path.basename(self.path))

    def size(self) -> int:
        """How many objects it has."""
        pack = _opened(self.path, self.repository.id_length // 2)
        pack.grow()
        return sum(len(pack.family(root)) for root in self.roots) // pack.id_length

    def walk(
        self, finder: Finder
    ) -> Iterator[tuple[Callable[[], Origin], Hinted] | Counted | Heard | ObjectUnit | NotScanned]:
        """What of its objects is to be searched, with the matcher's hints; the others are counted.

        A blob with hints must be used up before anything else is asked for. What cannot be read here comes as units of
        the plain path.
        """
        from . import _packs

        length = self.repository.id_length // 2
        pack = _opened(self.path, length)
        others = [_opened(path, length) for path in self.others]
        _grow((pack, *others))
        walk = _packs.Walk(
            pack,
            finder.hints,
            finder.reach,
            finder.before,
            finder.behind,
            finder.known,
            most=self.max_size,
            hold=HELD,
            others=others,
        )
        kind = GitBlob if self.kind == "blob" else GitMessage
        searched = 0
        false: list[NotScanned] = []
        for found in self._all(walk):
            if isinstance(found, tuple):
                yield Counted(kind, *found, walk.searched - searched)
                searched = walk.searched
                continue
            yield functools.partial(true_origin, self.kind, found.name.hex(), found.content, false), found
        yield from false
        if walk.commits:
            yield Heard(self.path, bytes(walk.commits))
        for name, size in walk.large:
            if not any(name in other for other in others):
                yield too_large(self.kind, name.hex().encode(), size)
        left = b"".join(map(pack.family, walk.failed))
        names = [name.hex() for name in _only_here(left, length, others)]
        if names:
            not_scanned: list[NotScanned] = []
            yield from chosen_units(self.repository, self.kind, names, not_scanned, max_size=self.max_size)
            damaged = {pack.family(node)[:length].hex().encode() for node in walk.failed if pack.damaged(node)}
            for entry in not_scanned:  # what says that it is large, and is damaged, need not be large
                yield NotScanned(entry.what, DAMAGED) if entry.what in damaged else entry

    def _all(self, walk: _packs.Walk) -> Iterator[tuple[int, int] | _packs.Found]:
        for root in self.roots:
            yield from walk.tree(root)
        yield from walk.flush()


@dataclass(slots=True)
class Packs:
    """The packs of a repository, and the binary names of its loose objects."""

    repository: Repository
    paths: list[bytes]
    loose: set[bytes]
    max_size: int
    jobs: int = 1
    _loose_commits: dict[str, None] = field(default_factory=dict)
    _graph: _packs.Commits | None = None

    @property
    def opened(self) -> list[_packs.Pack]:
        """The packs themselves."""
        return [_opened(path, self.repository.id_length // 2) for path in self.paths]

    def all(self) -> Container[bytes]:
        """The binary names of all objects."""
        return _Known(self.opened, self.loose)

    def odd(self, paths: Iterable[bytes]) -> bool:
        """Whether some of the packs have objects that cannot be read here."""
        some = [_opened(path, self.repository.id_length // 2) for path in paths]
        return bool(_sound(lambda: _grow(some))) or any(pack.broken() or pack.circular() for pack in some)

    def grow(self) -> str:
        """Read the headers of all entries, if that was not done; why that cannot be, or nothing."""
        return _sound(lambda: _grow(self.opened))

    def list_units(self, store: Store) -> Iterator[PackUnit | ObjectUnit]:
        """Units of all blobs, commits and tags."""
        if not self.repository.shallow:
            store.changes = self.changes
        packs, length = self.opened, self.repository.id_length // 2
        store.blobs = self.all()
        left, circular, broken = sorted(self.loose), set[bytes](), set[bytes]()
        for place, (path, pack) in enumerate(zip(self.paths, packs, strict=True)):
            store.commits += pack.names(1)
            for number, kind in _KINDS:
                yield from self._units(path, tuple(self.paths[:place]), kind, pack.roots(number))
            broken.update(_only_here(pack.broken(), length, packs[:place]))
            circular.update(_only_here(pack.circular(), length, packs[:place]))
        for name in sorted(circular):
            if not any(name in pack for pack in packs):
                store.damage(name.hex(), "is made from itself; run `git fsck`")
        yield from self.chosen([name.hex() for name in left if name not in circular], store)
        yield from self.chosen([name.hex() for name in sorted(broken - circular)], store, broken=True)

    def _units(
        self, path: bytes, others: tuple[bytes, ...], kind: Kind, roots: Iterable[tuple[int, int]]
    ) -> Iterator[PackUnit]:
        chosen: list[int] = []
        weight = 0
        for root, heavy in roots:
            if chosen and weight + heavy > UNIT_WEIGHT:
                yield PackUnit(self.repository, path, others, kind, tuple(chosen), weight << 6, self.max_size)
                chosen, weight = [], 0
            chosen.append(root)
            weight += heavy
        if chosen:
            yield PackUnit(self.repository, path, others, kind, tuple(chosen), weight << 6, self.max_size)

    def chosen(self, names: Sequence[str], store: Store, *, broken: bool = False) -> Iterator[ObjectUnit]:
        """Units of objects that git is to read: loose ones, a few new ones, or what is broken for us.

        Of the latter, nothing is believed that would keep it from being searched: neither a tree nor a large size.
        """
        kinds: dict[str, list[tuple[str, int]]] = {"blob": [], "commit": [], "tag": [], "tree": [], "missing": []}
        for name, kind, size in headers(self.repository, names):
            kinds["missing" if broken and (kind == "tree" or size > self.max_size) else kind].append((name, size))
        commits = [name for name, _ in kinds["commit"]]
        store.commits += b"".join(map(bytes.fromhex, commits))
        self._loose_commits.update(dict.fromkeys(commits))
        for name, _ in kinds["missing"]:
            store.damage(name)
        for _, word in _KINDS:
            yield from sized_units(self.repository, word, kinds[word], store.not_scanned, max_size=self.max_size)

    def commits(self, store: Store, heard: list[Heard] | None = None) -> Commits:
        """The commits in order, once the store is filled; what of them was heard already need not be read again, and is
        used up."""
        if self.repository.shallow:
            return Commits(self.repository, lambda: bytes(store.commits))
        return PackedCommits(self.repository, self.graph(heard))

    def graph(self, heard: list[Heard] | None = None) -> _packs.Commits:
        """The commits of the packs and those beside them, read once."""
        from ._packs import Commits

        if self._graph is None:
            names = b"".join(map(bytes.fromhex, self._loose_commits))
            loose: dict[bytes, bytes] = {}
            for item in ObjectUnit(self.repository, "commit", names, 0).read() if names else ():
                if isinstance(item, Item) and isinstance(item.origin, GitMessage):
                    first = next(iter(item.pieces))
                    loose[bytes.fromhex(item.origin.target)] = first.content if first.last else b""
            self._graph = Commits(self.opened, self.repository.id_length // 2, loose, self._said(heard or []))
        return self._graph

    def _said(self, heard: list[Heard]) -> Iterator[tuple[int, bytes]]:
        places = {path: place for place, path in enumerate(self.paths)}
        while heard:
            one = heard.pop()
            yield places[one.pack], one.said

    def changes(
        self, repository: Repository, commits: Sequence[str], not_scanned: list[NotScanned], sieve: Sieve
    ) -> Iterator[tuple[str, Change]]:
        """What each commit brought in, as `diff_trees` says it, but without the blobs that stood there before.

        Git is asked about commits that cannot be read here, and about all where there are too many of these.
        """
        length = repository.id_length
        left: list[str] = []
        asked = at = 0
        for brought in self._brought(commits, sieve):
            commit = commits[at]
            if asked > MOST_ASKED:
                break
            at += 1
            if brought is None:
                left.append(commit)
                continue
            if left and brought:
                asked += 1
                yield from diff_trees(repository, left, not_scanned, sieve)
                left = []
            for path, blob, link in brought:
                yield commit[:length], Change(path, blob.hex(), (), link)
        left += commits[at:]
        if left:
            yield from diff_trees(repository, left, not_scanned, sieve)

    def _brought(self, commits: Sequence[str], sieve: Sieve) -> Iterator[_Brought | None]:
        """For each commit what it brought in; None, or nothing at all, where that must be left to git."""
        jobs = self.jobs if len(commits) > COMMITS_OF_A_CHUNK and sys.platform == "linux" else 1
        seen = 0
        for brought, more in _Trees(self, commits, sieve, jobs).of_all():
            yield from brought
            seen += more
            if seen > MOST_CHANGES:
                return

    def names(self) -> dict[bytes, bytes]:
        """The sorted and joined names of all objects, by the path of their pack; of loose ones by an empty one."""
        return {path: pack.all_names() for path, pack in zip(self.paths, self.opened, strict=True)} | {
            b"": b"".join(sorted(self.loose))
        }

    def close(self) -> None:
        """Let go of the packs."""
        self._graph = None
        _opened.cache_clear()


class _Known(Container[bytes]):
    """Whether there is an object of a binary name."""

    def __init__(self, packs: Sequence[_packs.Pack], loose: set[bytes]) -> None:
        self._packs, self._loose = packs, loose

    def __contains__(self, name: object) -> bool:
        return any(name in pack for pack in self._packs) or name in self._loose


def available() -> bool:
    """Whether the compiled part is there: it is optional when oakum is built."""
    try:
        from . import _packs
    except ImportError:
        return False
    return _packs.VERSION == 2


def borrows(repository: Repository) -> bool:
    """Whether a repository has objects that stand in another one's store. Source: gitrepository-layout(5)."""
    folder = os.path.join(repository.common_dir, b"objects", b"info")
    return any(os.path.lexists(os.path.join(folder, name)) for name in (b"alternates", b"http-alternates"))


def open_packs(repository: Repository, *, max_size: int, jobs: int = 1, grow: bool = True) -> tuple[Packs | None, str]:
    """The packs of a repository; or None, and why git must read them. Unless they are grown, only their indexes are
    read: enough to know what there is."""
    if not available():
        return None, "oakum was built without its compiled part"
    folder = os.path.join(repository.common_dir, b"objects")
    if borrows(repository):
        return None, "the repository borrows objects from another one"
    try:
        paths, loose = list_packs(os.path.join(folder, b"pack")), list_loose(folder, repository.id_length)
    except OSError as e:
        return None, f"the object store cannot be listed: {e.strerror}"
    if len(paths) > MOST_PACKS:
        return None, "there are too many packs; run `git gc`"
    found = Packs(repository, paths, set(map(bytes.fromhex, loose)), max_size, jobs)
    why = _sound(lambda: found.opened) or (found.grow() if grow else "")
    if why:
        found.close()
        return None, why
    found.loose = {name for name in found.loose if not any(name in pack for pack in found.opened)}
    return found, ""


def _grow(some: Iterable[_packs.Pack]) -> None:
    for pack in some:
        pack.grow()


def _sound(read: Callable[[], object]) -> str:
    """Why packs cannot be read, or nothing."""
    from ._packs import BrokenError

    try:
        read()
    except BrokenError as e:
        return f"a pack {e}"
    except (OSError, ValueError) as e:
        return f"a pack cannot be mapped: {getattr(e, 'strerror', e)}"
    return ""


def _only_here(names: bytes, length: int, others: Sequence[_packs.Pack]) -> Iterator[bytes]:
    """Those of some names, which are joined, that no other pack has."""
    for at in range(0, len(names), length):
        if not any(names[at : at + length] in other for other in others):
            yield names[at : at + length]


def list_packs(folder: bytes) -> list[bytes]:
    """The packs that have an index, the largest first."""
    if not os.path.lexists(folder):
        return []
    found = []
    with os.scandir(folder) as entries:
        sizes = {entry.name: entry.stat(follow_symlinks=False).st_size for entry in entries}
    for name, size in sizes.items():
        if name.endswith(b".idx") and name[:-4] + b".pack" in sizes:
            found.append((-size, os.path.join(folder, name[:-4] + b".pack")))
    return [path for _, path in sorted(found)]


def list_loose(folder: bytes, id_length: int) -> list[str]:
    """The names of loose objects; those of either length where that is not known (0)."""
    out: list[str] = []
    rest = re.compile(f"[0-9a-f]{{{id_length - 2}}}" if id_length else "[0-9a-f]{38}|[0-9a-f]{62}")
    with os.scandir(folder) as entries:
        parts = sorted(name for entry in entries if _HEX.fullmatch(name := os.fsdecode(entry.name)))
    for part in parts:
        with os.scandir(os.path.join(folder, os.fsencode(part))) as entries:
            out += (part + name for entry in entries if rest.fullmatch(name := os.fsdecode(entry.name)))
    return out


_Brought = list[tuple[bytes, bytes, bool]]
"""Path, binary name of the blob, and whether it is a symbolic link."""


class _Trees:
    """Compares the trees of commits, chunk by chunk, in several processes where there are `jobs`."""

    def __init__(self, packs: Packs, commits: Sequence[str], sieve: Sieve, jobs: int) -> None:
        self._asked = commits
        self._jobs, self._packs, self._commits = jobs, packs.opened, packs.graph()
        self._wanted, self._loose = set(sieve.wanted), None if sieve.known is None else packs.loose
        self._length = packs.repository.id_length // 2

    def of_all(self) -> Iterator[tuple[list[_Brought | None], int]]:
        """For each chunk what its commits brought in, and how many entries were looked at."""
        done, chunks = 0, range(0, len(self._asked), COMMITS_OF_A_CHUNK)
        if self._jobs > 1:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor
            from concurrent.futures.process import BrokenProcessPool

            fork = multiprocessing.get_context("fork")
            with ProcessPoolExecutor(self._jobs, fork, initializer=_start_comparing, initargs=(self,)) as pool:
                try:
                    for result in pool.map(_compare, chunks):
                        yield result
                        done += 1
                except BrokenProcessPool:  # killed for its memory, say: the rest is done here
                    pass
                finally:
                    pool.shutdown(wait=True, cancel_futures=True)
        for chunk in chunks[done:]:
            yield self.of(chunk)

    def of(self, start: int) -> tuple[list[_Brought | None], int]:
        """The same of the chunk that starts there."""
        from ._packs import ElsewhereError, Trees

        trees = Trees(
            self._packs,
            self._length,
            self._commits,
            wanted=self._wanted,
            loose=self._loose,
            most=FILES_OF_A_COMMIT,
            cache=TREES_KEPT // self._jobs,
        )
        out: list[_Brought | None] = []
        nothing: _Brought = []  # one for all
        for commit in self._asked[start : start + COMMITS_OF_A_CHUNK]:
            if trees.seen > MOST_CHANGES:
                break
            try:
                name, *others = map(bytes.fromhex, commit.split())
                out.append(trees.changes(name, others or None) or nothing)
            except ElsewhereError:
                out.append(None)
        return out, trees.seen


_comparing: _Trees | None = None


def _start_comparing(trees: _Trees) -> None:
    global _comparing
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C
    _comparing = trees


def _compare(start: int) -> tuple[list[_Brought | None], int]:
    assert _comparing is not None
    return _comparing.of(start)


@functools.lru_cache(maxsize=MOST_PACKS)
def _opened(path: bytes, id_length: int) -> _packs.Pack:
    """A pack, mapped; in a forked process the parent's serves."""
    from . import _packs

    return _packs.Pack(_mapped(path), _mapped(path[: -len(b".pack")] + b".idx"), id_length)


def _mapped(path: bytes) -> mmap.mmap:
    descriptor = os.open(path, READING)
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
