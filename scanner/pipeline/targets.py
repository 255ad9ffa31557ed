"""What each kind of target is made of: the units to search, and how what they gave is attributed afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from ..errors import GitError, UsageError
from ..ledger import Resolve
from ..model import EARLIER, Detector, File, GitBlob, GitMessage, NotScanned, Origin, clean
from ..sources import files, git, history, objects, packs, worktree
from ..sources.commits import Commits
from ..sources.diffs import tree
from ..sources.git import Repository
from ..sources.refs import head_of
from ..sources.selection import Brought, select, staged
from .memory import MOST_FRESH, Memory
from .workers import Pool, name_of

if TYPE_CHECKING:
    from .options import ScanOptions
    from .scan import TargetScan

UNPACKED = 8
"""How many bytes of content a byte of a pack stands for, at the least."""


def as_given(_detector: Detector, origin: Origin, _blobs: set[str]) -> list[tuple[Origin, int]]:
    """Attribution where there is nothing to find out."""
    return [(origin, 0)]


def folder(scan: TargetScan, path: bytes, options: ScanOptions) -> Resolve:
    """A folder that is no repository: every file, but what is ignored in the repository that it is a part of."""
    left_out: list[NotScanned] = []
    try:
        around = git.open_around(path, options.environment)
    except (GitError, UsageError):  # better too much than too little
        around = None
    if around:
        repo, below = around
        why = f"part of the repository at {clean(repo.work_tree)}: only the files below it were searched; "
        left_out.append(NotScanned(path, why + "scan that for its history", policy=True))
        index = _index(scan, repo)
        paths = worktree.list_files(repo, index, left_out, ignore=options.ignore, below=below, shown=path)
    else:
        paths = list(files.walk(path, left_out, shown=path))
    units = list(files.units(path, paths, shown=path, max_size=options.max_size))
    scan.leave_out(left_out)
    scan.search("files", units, total=len(units), amount=sum(u.weight for u in units))
    return as_given


def repository(scan: TargetScan, repo: Repository, options: ScanOptions) -> Resolve:
    """A repository: its work tree, its index, its whole object store, the texts of its git directory."""
    index = _index(scan, repo)
    memory = Memory.of(scan.tally.searcher, repo, options.max_size, options.memory)
    store = objects.Store(repo.id_length)
    found, fresh = None, None
    if not (memory and memory.same_objects and _recall(scan, memory) is not None):
        if memory and memory.former is not None:
            found, fresh = _search_fresh(scan, repo, store, memory, options)
        if fresh is None:
            found, memory = _search_objects(scan, repo, store, memory, options)
    elif memory:
        fresh = {}
    work_tree(scan, repo, index, options)
    if scan.interrupted:
        return as_given
    with scan.stage("history"):
        blobs, messages = scan.ledger.blobs(), scan.ledger.messages()
        known = memory.former_history(blobs, messages) if memory else None
        if known is None and memory and fresh is not None:
            known = _go_on(repo, store, index, memory, fresh, options)
        if known is None:
            if fresh is not None:  # not all objects were listed
                found = _list_objects(repo, store, options)
            in_order = found.commits(store, scan.heard) if found else Commits(repo, lambda: bytes(store.commits))
            known = history.attribute(repo, store, in_order, index, blobs, messages)
    if memory:
        memory.history = known
        scan.tally.memories.append(memory)
    if found:
        if memory and fresh is None:  # all that is there was searched
            memory.names = found.names()
        found.close()
    scan.leave_out(known.not_scanned)
    return _resolve(known)


def _search_objects(
    scan: TargetScan, repo: Repository, store: objects.Store, memory: Memory | None, options: ScanOptions
) -> tuple[packs.Packs | None, Memory | None]:
    """Search the whole object store. The memory is given back where there is something to keep."""
    found, why = packs.open_packs(repo, max_size=options.max_size, jobs=options.jobs)
    if found is None:
        scan.tally.packs = f"git ({why})"
        units = objects.list_units(repo, store, max_size=options.max_size)
        scan.search("git objects", units, amount=UNPACKED * _pack_bytes(repo))
        scan.leave_out(store.not_scanned)
        return None, None
    scan.tally.packs = "oakum"
    into = memory.harvest if memory else None
    scan.search("git objects", found.list_units(store), amount=UNPACKED * _pack_bytes(repo), into=into)
    scan.leave_out(store.not_scanned)
    if memory:
        memory.harvest.not_scanned += store.not_scanned
    return found, memory


def _search_fresh(
    scan: TargetScan, repo: Repository, store: objects.Store, memory: Memory, options: ScanOptions
) -> tuple[packs.Packs | None, Container[bytes] | None]:
    """Search what has come to the object store since the last scan, and what was found then once more. The names of
    what came are given back; None where all must be searched."""
    found, _ = packs.open_packs(repo, max_size=options.max_size, jobs=options.jobs, grow=False)
    if found is None:
        return None, None
    names, there = found.names(), found.all()
    fresh = memory.fresh_names(names, there)
    if fresh is None or found.odd(memory.new_packs(found.paths)):
        return None, None
    touched = _touched(scan, found, memory, options)
    if touched is None:
        return None, None
    again = _recall(scan, memory, lambda name: name in there and name not in touched)
    if again is None:
        return None, None
    store.blobs = there
    if not memory.same_store:
        memory.names = names
    again += (name.hex() for name in touched if name not in fresh)
    for ids, counted in ((list(map(bytes.hex, fresh)), True), (again, False)):
        if ids:
            scan.search("git objects", found.chosen(ids, store), into=memory.harvest, counted=counted)
    scan.leave_out(store.not_scanned)
    memory.harvest.not_scanned += store.not_scanned
    return found, fresh


def _touched(scan: TargetScan, found: packs.Packs, memory: Memory, options: ScanOptions) -> set[bytes] | None:
    """The objects in which detectors that are not as they were could find something, or could have; None where that is
    not known, or where they are many."""
    changed = memory.changed_detectors(scan.tally.searcher)
    if not changed:
        return None if changed is None else set()
    store = objects.Store(found.repository.id_length)
    if found.grow():
        return None
    toucher = scan.tally.searcher.toucher(changed)
    amount = UNPACKED * _pack_bytes(found.repository)
    toucher.prepare(amount)
    pool = Pool(toucher, amount=amount, jobs=options.jobs if sys.platform == "linux" else 1)
    names: set[bytes] = set()
    with scan.stage("changed detectors"):
        try:
            for harvest in pool.run(found.list_units(store)):
                names.update(bytes.fromhex(name_of(origin).decode()) for origin, _ in harvest.found)
                if any(not entry.policy for entry in harvest.not_scanned):
                    return None
        except KeyboardInterrupt:
            scan.tally.interrupted = True
            return None
    if any(not entry.policy for entry in store.not_scanned):
        return None
    every = sum(pack.count for pack in found.opened) + len(found.loose)
    return names if len(names) <= max(MOST_FRESH, every // 8) else None


def _go_on(
    repo: Repository,
    store: objects.Store,
    index: worktree.Index,
    memory: Memory,
    fresh: Container[bytes],
    options: ScanOptions,
) -> history.History | None:
    """Attribution from what was known of it, if that will do."""
    former = memory.earlier_history(fresh)
    if former is None or repo.shallow:
        return None
    if not store.blobs:
        found, _ = packs.open_packs(repo, max_size=options.max_size, grow=False)
        if found is None:
            return None
        store.blobs = found.all()
    return history.go_on(repo, store, Commits(repo, late=former.corrected), index, *memory.asked, former)


def _recall(scan: TargetScan, memory: Memory, exists: Callable[[bytes], bool] = lambda _name: True) -> list[str] | None:
    """Take what the last scan found, and name what must be searched once more for it; None where there is nothing."""
    with scan.stage("last scan's matches"):
        recalled = memory.recall(scan.tally.searcher, scan.tally.fingerprints, exists)
        if recalled is None:
            return None
        scan.take(recalled[0], into=memory.harvest)
        scan.tally.packs = EARLIER
        return recalled[1]


def _list_objects(repo: Repository, store: objects.Store, options: ScanOptions) -> packs.Packs | None:
    """Fill the store, and search nothing."""
    found, _ = packs.open_packs(repo, max_size=options.max_size, jobs=options.jobs)
    units = found.list_units(store) if found else objects.list_units(repo, store, max_size=options.max_size)
    for _ in units:
        pass
    return found


def selection(scan: TargetScan, repo: Repository, options: ScanOptions) -> Resolve:
    """A part of history: what its commits brought in, without what stood at the same path before."""
    left_out: list[NotScanned] = []
    if options.staged:
        chosen = staged(repo, _index(scan, repo), left_out)
    else:
        with scan.stage("history"):
            chosen = select(repo, left_out, range_=options.range_, branch=options.branch, since=options.since)
    units = [
        *objects.chosen_units(repo, "blob", sorted(chosen.blobs), left_out, max_size=options.max_size),
        *objects.chosen_units(repo, "commit", chosen.commits, left_out, max_size=options.max_size),
    ]
    scan.leave_out(left_out)
    scan.search("git objects", units, total=len(units), amount=sum(u.weight for u in units))
    known = chosen.history(repo, scan.ledger.blobs())
    scan.leave_out(known.not_scanned)
    return brought(known)


def brought(known: Brought) -> Resolve:
    """Attribution in a part of history: the paths to which a secret was brought in it."""
    resolve = _resolve(known)

    def places(detector: Detector, origin: Origin, blobs: set[str]) -> list[tuple[Origin, int]]:
        if isinstance(origin, GitBlob):
            return list(known.places_of(origin.blob, blobs))
        return resolve(detector, origin, blobs)

    return places


def current(scan: TargetScan, repo: Repository, options: ScanOptions) -> Resolve:
    """A repository without its history: work tree, git directory and staged blobs; of a bare one the tree of HEAD."""
    index = _index(scan, repo)
    left_out: list[NotScanned] = []
    work_tree(scan, repo, index, options)
    if repo.work_tree:
        chosen = staged(repo, index, left_out)
        places = {c.blob: GitBlob(c.blob, c.path, reach="staged") for _, c in chosen.changes}
    else:
        head = head_of(repo)
        files_there = tree(repo, head, left_out) if head else ()
        places = {name: GitBlob(name, path, reach="head") for path, name in files_there}
    units = list(objects.chosen_units(repo, "blob", sorted(places), left_out, max_size=options.max_size))
    scan.leave_out(left_out)
    scan.search("git objects", units, total=len(units), amount=sum(u.weight for u in units))

    def resolve(_detector: Detector, origin: Origin, _blobs: set[str]) -> list[tuple[Origin, int]]:
        return [(places.get(origin.blob, origin) if isinstance(origin, GitBlob) else origin, 0)]

    return resolve


def work_tree(scan: TargetScan, repo: Repository, index: worktree.Index, options: ScanOptions) -> None:
    """The files of the work tree, and those of the git directory.

    Files that git has as well are searched too: what git hands out may differ from what its names say.
    """
    left_out: list[NotScanned] = []
    units: list[files.FileUnit] = []
    if repo.work_tree:
        paths = worktree.list_files(repo, index, left_out, ignore=options.ignore)
        units += files.units(repo.work_tree, paths, shown=b"", max_size=options.max_size)
    units += worktree.git_units(repo, left_out, max_size=options.max_size)
    scan.leave_out(left_out)
    scan.search("files", units, total=len(units), amount=sum(u.weight for u in units))


def _index(scan: TargetScan, repo: Repository) -> worktree.Index:
    left_out: list[NotScanned] = []
    index = worktree.read_index(repo, left_out)
    scan.leave_out(left_out)
    return index


def _resolve(known: history.History) -> Resolve:
    def resolve(_detector: Detector, origin: Origin, _blobs: set[str]) -> list[tuple[Origin, int]]:
        if isinstance(origin, GitBlob):
            return list(known.origins(origin.blob))
        if isinstance(origin, GitMessage):
            return [(known.message(origin), 0)]
        assert isinstance(origin, File)
        return [(origin, 0)]

    return resolve


def _pack_bytes(repo: Repository) -> int:
    """About how much the object store holds: the size of its packs, and a guess at its loose objects."""
    total = 0
    for folder_name in (b"pack", b""):
        path = os.path.join(repo.common_dir, b"objects", folder_name)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    total += entry.stat().st_size if entry.name.endswith(b".pack") else 4096
        except OSError:
            continue
    return total
