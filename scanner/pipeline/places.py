"""The places that another scanner, or a former report, names in this repository or folder: where they are, and what
oakum finds there.

Each file and each version of a file is searched once, whatever stands in it. Nothing outside of the folder is read, nor
through a symbolic link.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from ..errors import GitError
from ..foreign import Known
from ..model import File, GitBlob, GitMessage, NotScanned, Origin, Sighting, clean
from ..sources import files, git, objects
from ..sources.git import Repository
from .options import ScanOptions
from .scan import SMALL
from .workers import Pool, Searcher, name_of

_MESSAGES: tuple[Literal["commit", "tag"], ...] = ("commit", "tag")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Places:
    """A repository or a folder at `root`. `locate` comes first, then `search`, then `at`."""

    def __init__(self, root: bytes, options: ScanOptions, searcher: Searcher) -> None:
        self.root = os.path.abspath(root)
        self._options, self._searcher = options, searcher
        self.repository: Repository | None = None
        self.why_no_git = "this is no git repository"
        try:
            self.repository = git.open_repository(self.root, options.environment)
        except GitError as e:
            self.why_no_git = f"git could not be used here: {e}"
        self._found: dict[Origin, list[Sighting]] = defaultdict(list)
        self._lost: dict[bytes, str] = {}
        self.counts: Counter[str] = Counter()
        self.bytes = 0
        """How much was searched."""

    def locate(self, known: Iterable[Known]) -> dict[Known, Origin | str]:
        """Of each entry the file or the blob it means, or why there is none."""
        located: dict[Known, Origin | str] = {}
        in_git: dict[Known, bytes] = {}
        for one in known:
            path = inside(one.path, self.root)
            commit = one.commit or ("HEAD" if self.repository and not self.repository.work_tree else "")
            if path is None:
                located[one] = "the path leads out of this repository: it is not read"
            elif one.commit and not _COMMIT.fullmatch(one.commit):
                located[one] = "the commit is not in this repository"
            elif not commit:
                located[one] = self._file(path)
            elif self.repository is None:
                located[one] = f"{self.why_no_git}: the commit cannot be looked up"
            else:
                in_git[one] = commit.encode() + b":" + path
        if self.repository is not None and in_git:
            located |= self._blobs(self.repository, in_git)
        return located

    def _file(self, path: bytes) -> Origin | str:
        """A file of the work tree. The path may begin with the folder's own name, or be one of Windows."""
        name = os.path.basename(self.root) + b"/"
        for one in (path, path.removeprefix(name), path.replace(b"\\", b"/")):
            if os.path.lexists(os.path.join(self.root, one)):
                return File(one)
        return "there is no such file here"

    @staticmethod
    def _blobs(repository: Repository, in_git: dict[Known, bytes]) -> dict[Known, Origin | str]:
        """The blobs under their names in git."""
        commits = {name.partition(b":")[0] + b"^{commit}" for name in in_git.values()}
        names = sorted({*commits, *in_git.values()})
        answers = dict(zip(names, objects.look_up(repository, names), strict=True))
        located: dict[Known, Origin | str] = {}
        for one, name in in_git.items():
            commit, found = answers[name.partition(b":")[0] + b"^{commit}"], answers[name]
            if commit is None or found is None:
                located[one] = "git cannot read it; run `git fsck` in the repository"
            elif not commit[0]:
                located[one] = "the commit is not in this repository"
            else:
                located[one] = GitBlob(found[0]) if found[1] == "blob" else "there is no such file in that commit"
        return located

    def search_file(self, name: bytes) -> None:
        """Search a single file that the user named, by any path."""
        self._search([files.one_file(name, max_size=self._options.max_size)], [])

    def search(self, origins: Iterable[Origin]) -> None:
        """Search files, blobs, and the texts of commits and tags, each once."""
        chosen = set(origins)
        left_out: list[NotScanned] = []
        paths = sorted({one.path for one in chosen if isinstance(one, File)})
        ids = sorted({one.blob for one in chosen if isinstance(one, GitBlob)})
        units: list[files.FileUnit | objects.ObjectUnit] = []
        units += files.units(self.root, paths, shown=b"", max_size=self._options.max_size)
        if self.repository is not None and ids:
            units += objects.chosen_units(self.repository, "blob", ids, left_out, max_size=self._options.max_size)
        if self.repository is not None:
            for kind in _MESSAGES:
                ids = sorted({one.target for one in chosen if isinstance(one, GitMessage) and one.message == kind})
                units += objects.chosen_units(self.repository, kind, ids, left_out, max_size=self._options.max_size)
        self._search(units, left_out)

    def _search(self, units: Sequence[files.FileUnit | objects.ObjectUnit], left_out: list[NotScanned]) -> None:
        amount = sum(unit.weight for unit in units)
        self._searcher.prepare(amount)
        for harvest in Pool(self._searcher, amount=amount, jobs=self._options.jobs if amount > SMALL else 1).run(units):
            left_out += harvest.not_scanned
            self.counts.update(harvest.counts)
            self.bytes += harvest.bytes
            for origin, sightings in harvest.found:
                self._found[_key(origin)] += sightings
        self._lost |= {one.what: one.why for one in left_out}

    def at(self, origin: Origin, path: bytes) -> tuple[Sequence[Sighting], str]:
        """What a scan would report of a file or a blob that stands at a path, and why it may be nothing."""
        by_id, allowlist = self._searcher.by_id, self._searcher.allowlist
        found, why = self.seen(origin)
        kept = [one for one in found if not allowlist.review_path(by_id[one.detector], path)]
        return kept, f"{clean(path)}: {why}" if why else ""

    def seen(self, origin: Origin) -> tuple[Sequence[Sighting], str]:
        """All that was found in a file, a blob or a message, wherever it stands; and why it may be nothing."""
        return self._found.get(_key(origin), ()), self._lost.get(name_of(origin), "")


def _key(origin: Origin) -> Origin:
    """A place by what names it."""
    match origin:
        case GitBlob(blob=name):
            return GitBlob(name)
        case GitMessage(message=kind, target=name):
            return GitMessage(kind, name)
        case _:
            return origin


def inside(path: bytes, root: bytes) -> bytes | None:
    """A path from the root; None where it leads elsewhere, or can be none."""
    if os.path.isabs(path):
        tops = (os.path.join(top, b"") for top in (root, os.path.realpath(root)))
        top = next((top for top in tops if path.startswith(top)), None)
        if top is None:
            return None
        path = path[len(top) :]
    names = [name for name in path.split(b"/") if name not in (b"", b".")]
    if not names or b".." in re.split(rb"[/\\]", path) or b"\0" in path or b"\n" in path:
        return None
    return b"/".join(names)
