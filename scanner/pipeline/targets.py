"""What each kind of target is made of: the units to search, and how what they gave is attributed afterwards."""

from __future__ import annotations

import os
from collections.abc import Set
from typing import TYPE_CHECKING

from ..ledger import Resolve
from ..model import Detector, File, GitBlob, GitMessage, NotScanned, Origin
from ..sources import files, history, objects, worktree
from ..sources.git import Repository

if TYPE_CHECKING:
    from . import ScanOptions, TargetScan

SMALL = 2 << 20
"""Less than this many bytes are searched in one process: starting others would take longer."""


def as_given(_detector: Detector, origin: Origin, _blobs: set[str]) -> list[tuple[Origin, int]]:
    """Attribution where there is nothing to find out."""
    return [(origin, 0)]


def folder(scan: TargetScan, path: bytes, options: ScanOptions) -> Resolve:
    """A folder that is no repository: every regular file."""
    left_out: list[NotScanned] = []
    units = list(files.units(path, files.walk(path, left_out), shown=path, max_size=options.max_size))
    scan.leave_out(left_out)
    scan.search("files", units, total=len(units), parallel=sum(u.weight for u in units) > SMALL)
    return as_given


def repository(scan: TargetScan, repo: Repository, options: ScanOptions) -> Resolve:
    """A repository: its work tree, its index, its whole object store, the texts of its git directory."""
    index = _index(scan, repo)
    store = objects.Store(repo.id_length)
    units = objects.list_units(repo, store, max_size=options.max_size)
    scan.search("git objects", units, parallel=_pack_bytes(repo) > SMALL)
    scan.leave_out(store.not_scanned)
    work_tree(scan, repo, index, options, searched=store.blobs - scan.lost_blobs())
    if scan.interrupted:
        return as_given
    with scan.stage("history"):
        known = history.attribute(repo, store, index, scan.ledger.blobs(), scan.ledger.messages())
    scan.leave_out(known.not_scanned)
    return _resolve(known)


def selection(scan: TargetScan, repo: Repository, options: ScanOptions) -> Resolve:
    """A part of history: what its commits brought in, without what stood at the same path before."""
    left_out: list[NotScanned] = []
    if options.staged:
        chosen = history.staged(repo, _index(scan, repo), left_out)
    else:
        with scan.stage("history"):
            chosen = history.select(repo, left_out, range_=options.range_, branch=options.branch, since=options.since)
    wanted = {c.blob for _, c in chosen.changes} | {b for _, c in chosen.changes for b in c.before}
    units = [
        *objects.chosen_units(repo, "blob", sorted(wanted), left_out, max_size=options.max_size),
        *objects.chosen_units(repo, "commit", chosen.commits, left_out, max_size=options.max_size),
    ]
    scan.leave_out(left_out)
    scan.search("git objects", units, total=len(units), parallel=len(wanted) > 200)
    known = chosen.history(repo, scan.ledger.blobs())
    scan.leave_out(known.not_scanned)
    before = chosen.before()
    resolve = _resolve(known)

    def brought(detector: Detector, origin: Origin, blobs: set[str]) -> list[tuple[Origin, int]]:
        if isinstance(origin, GitBlob) and origin.blob not in known.places:
            return []
        return [
            (full, order)
            for full, order in resolve(detector, origin, blobs)
            if not (isinstance(full, GitBlob) and before.get((full.blob, full.path), set()) & blobs)
        ]

    return brought


def current(scan: TargetScan, repo: Repository, options: ScanOptions) -> Resolve:
    """A repository without its history: work tree and staged blobs; of a bare one the tree of HEAD."""
    index = _index(scan, repo)
    left_out: list[NotScanned] = []
    if repo.work_tree:
        work_tree(scan, repo, index, options)
        chosen = history.staged(repo, index, left_out)
        places = {c.blob: GitBlob(c.blob, c.path, reach="staged") for _, c in chosen.changes}
    else:
        head = history.head_of(repo)
        files_there = history.tree(repo, head, left_out) if head else ()
        places = {name: GitBlob(name, path, reach="head") for path, name in files_there}
    units = list(objects.chosen_units(repo, "blob", sorted(places), left_out, max_size=options.max_size))
    scan.leave_out(left_out)
    scan.search("git objects", units, total=len(units), parallel=len(places) > 200)

    def resolve(_detector: Detector, origin: Origin, _blobs: set[str]) -> list[tuple[Origin, int]]:
        return [(places.get(origin.blob, origin) if isinstance(origin, GitBlob) else origin, 0)]

    return resolve


def work_tree(
    scan: TargetScan,
    repo: Repository,
    index: worktree.Index,
    options: ScanOptions,
    *,
    searched: Set[bytes] = frozenset(),
) -> None:
    """The files of the work tree, and the git directory's own texts.

    `searched` are the blobs that were searched already: a file that still is one of them is not searched again.
    """
    left_out: list[NotScanned] = []
    if repo.work_tree:
        paths = worktree.list_files(repo, index, left_out, ignore=options.ignore)
        known = {path for path, blob in index.staged.items() if bytes.fromhex(blob) in searched}
        units = [
            unit
            for again in (False, True)
            for unit in files.units(
                repo.work_tree,
                [path for path in paths if (path in known) != again],
                shown=b"",
                max_size=options.max_size,
                tracked=index.staged,
                skip_unmodified=not again,
                id_length=repo.id_length,
            )
        ]
        scan.search("files", units, total=len(units), parallel=sum(u.weight for u in units) > SMALL)
    scan.leave_out(left_out)
    for path, names in worktree.git_files(repo):
        shown = os.path.relpath(path, repo.work_tree) if repo.work_tree else b""
        scan.search("files", list(files.units(path, names, shown=shown, max_size=options.max_size)))


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
