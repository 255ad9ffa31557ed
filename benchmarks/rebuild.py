"""A complete copy of a repository that lacks blobs: history written anew without the paths whose blobs are missing.

`git fast-export --no-data` tells history without reading any blob, a filter turns each change to a missing blob into
the removal of that path, and `git fast-import` writes the commits. The blobs that are there are lent by the source
(objects/info/alternates), then copied by `git repack`, which keeps their deltas. Branches and tags keep their names;
signatures of commits go, and the ids of commits change with that and with the first path that is dropped.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from .git import ENVIRONMENT, GitError, command, git, lines

EXPORT = (
    "fast-export", "--no-data", "--branches", "--tags", "--reencode=no", "--signed-tags=verbatim",
    "--tag-of-filtered-object=drop", "--use-done-feature",
)  # fmt: skip
IMPORT = ("fast-import", "--quiet", "--done", "--force", "--date-format=raw-permissive")


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a rebuilt copy lacks: the missing blobs, changes that named them, their paths; refs of missing objects."""

    blobs: int = 0
    changes: int = 0
    paths: int = 0
    refs: int = 0


def missing(source: Path) -> frozenset[bytes]:
    """The ids of objects that branches and tags reach and that are not there."""
    reached = lines(source, "rev-list", "--objects", "--branches", "--tags", "--missing=print")
    return frozenset(line[1:] for line in reached if line.startswith(b"?"))


class Filter:
    """Turns changes to missing blobs into removals, in a fast-export stream; counts them."""

    def __init__(self, gone: frozenset[bytes]) -> None:
        self.changes = 0
        self.paths: set[bytes] = set()
        self._gone = gone

    def lines(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        """The stream's lines, and the bytes of its messages as they are."""
        read = iter(stream)
        for line in read:
            if line.startswith(b"data "):
                yield line
                left = int(line[5:])
                while left > 0:
                    text = next(read)
                    # A message need not end with a newline: what follows it then stands on its last line.
                    yield from (text,) if len(text) <= left else (text[:left], *self._change(text[left:]))
                    left -= len(text)
            else:
                yield from self._change(line)

    def _change(self, line: bytes) -> Iterator[bytes]:
        if line.startswith(b"M "):
            _, _, name, path = line.split(b" ", 3)
            if name in self._gone:
                self.changes += 1
                self.paths.add(path.rstrip(b"\n"))
                yield b"D " + path
                return
        yield line


def rebuild(source: Path, target: Path, gone: frozenset[bytes]) -> Dropped:
    """Make `target`, a bare repository, from `source` without the blobs `gone`."""
    git(target.parent, "init", "--quiet", "--bare", "--template=", str(target))
    lent = target / "objects" / "info" / "alternates"
    lent.parent.mkdir(exist_ok=True)
    objects = git(source, "rev-parse", "--path-format=absolute", "--git-path", "objects").strip()
    lent.write_bytes(objects + b"\n")
    changed = Filter(gone)
    _stream(source, target, changed)
    refs = _refs(source, target)
    git(target, "symbolic-ref", "HEAD", git(source, "symbolic-ref", "HEAD").decode().strip())
    git(target, "repack", "-a", "-d", "-q")
    lent.unlink()
    return Dropped(len(gone), changed.changes, len(changed.paths), refs)


def _stream(source: Path, target: Path, changed: Filter) -> None:
    # Errors go into files: a pipe that nobody reads meanwhile would stop the one who writes it.
    with TemporaryFile() as exporting, TemporaryFile() as importing:
        with (
            subprocess.Popen(
                command(source, *EXPORT), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=exporting
            ) as out,
            subprocess.Popen(
                command(target, *IMPORT), env=ENVIRONMENT, stdin=subprocess.PIPE, stderr=importing
            ) as into,
        ):
            assert out.stdout is not None
            assert into.stdin is not None
            with suppress(BrokenPipeError):
                into.stdin.writelines(changed.lines(out.stdout))
                into.stdin.close()
        if out.returncode or into.returncode:
            for errors in (exporting, importing):
                errors.seek(0)
            said = (exporting.read() + importing.read()).decode("utf-8", "replace").strip()
            raise GitError(f"{source}: {said}")


def _refs(source: Path, target: Path) -> int:
    """Write the refs that fast-export knows no way to tell, those of blobs and trees; count those that cannot be."""
    kept = set(lines(target, "for-each-ref", "--format=%(refname)"))
    lost = 0
    for line in lines(source, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"):
        name, _, target_id = line.partition(b" ")
        if name not in kept:
            try:
                git(target, "rev-list", "--objects", "--quiet", target_id.decode())
                git(target, "update-ref", name.decode(), target_id.decode())
            except GitError:
                lost += 1
    return lost
