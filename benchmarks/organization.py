"""A made-up organization: bare repositories as many and as unequal as in life, the same each time for the same seed.

    python -m benchmarks.organization FOLDER [--repositories 1000] [--seed 1]

Most have a few commits, a few have thousands (log-normal). Some are empty, forks of others, have other default branches,
tags, pull requests, submodules and LFS pointers that lead to private addresses, binary files. Every twentieth has a
secret planted, made at run time: at a head, only in history, on another branch, in a pull request, in the message of a
commit, or the same one in two repositories. `manifest.json` beside them says which, and where. `change` pushes to some.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Literal

from oakum.detectors import samples

from . import made_up
from .bench import say
from .git import git

SEED = 1
REPOSITORIES = 1000
PLANTED = 0.05
"""The part of the repositories that has a secret."""
TYPICAL, SPREAD, MOST = 12, 1.6, 5_000
"""Commits: the median, the spread of the logarithm, the most."""
KINDS = ("github:ghp", "npm", "slack:xoxb,2", "pypi:pypi.org", "gitlab_routable")
Where = Literal["head", "history", "branch", "pull request", "message", "twice"]
WHERE: tuple[Where, ...] = ("head", "history", "branch", "pull request", "message", "twice")
FOLDERS = ("src", "lib", "app/models", "tests", "docs", "deploy", "cmd/server", "web/static")
ENDINGS = (".py", ".js", ".go", ".rb", ".md", ".yaml", ".java", ".txt")
ELSEWHERE = b"http://10.0.0.1/private.git"
"""What submodules and LFS name: nobody may follow it."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret that must be found: `path` is where it stands in the repository, empty in a message."""

    repository: str
    where: Where
    path: str


def name_of(number: int) -> str:
    """What a repository is called."""
    return f"team{number % 17:02d}/{made_up.WORDS[number % len(made_up.WORDS)]}-{number:04d}.git"


def make(folder: Path, repositories: int = REPOSITORIES, seed: int = SEED) -> list[Planted]:
    """All of them, where they are not there yet; what is planted in them."""
    manifest = folder / "manifest.json"
    if manifest.exists():
        return [Planted(**each) for each in json.loads(manifest.read_text())["planted"]]
    say(f"making {repositories:,} repositories")
    random = Random(seed)
    full = [number for number in range(repositories) if number % 31 != 30]
    chosen = sorted(random.sample(full, round(PLANTED * repositories)))
    wheres = {number: WHERE[place % len(WHERE)] for place, number in enumerate(chosen)}
    planted: list[Planted] = []
    for number in range(repositories):
        if number not in full:
            made_up.build(folder / name_of(number), (), depth=50)
            continue
        where = wheres.get(number)
        # Both of a pair have the secret that is drawn for the first one.
        pair = next((n for n, w in wheres.items() if w == "twice"), number) if where == "twice" else number
        repository = Repository(seed, number, where, secret(seed, pair))
        made_up.build(folder / name_of(number), repository.stream(), depth=50)
        if repository.default != "main":
            git(folder / name_of(number), "symbolic-ref", "HEAD", f"refs/heads/{repository.default}")
        planted += repository.planted
    manifest.write_text(json.dumps({"seed": seed, "planted": [asdict(each) for each in planted]}, indent=1))
    return planted


def secret(seed: int, number: int) -> bytes:
    """The secret of a repository."""
    return samples.build(KINDS[number % len(KINDS)], Random(f"{seed} secret {number}"))


class Repository:
    """One of them, in words of `git fast-import`."""

    def __init__(self, seed: int, number: int, where: Where | None, value: bytes) -> None:
        self._random = Random(f"{seed} {number}")
        self._number, self._where = number, where
        self._value = b'token = "%s"\n' % value
        self._name = name_of(number)
        self.default = self._random.choices(("main", "master", "trunk"), (8, 3, 1))[0]
        self.planted: list[Planted] = []
        # A fork has the first commits of another one.
        self._of = Random(f"{seed} {number - number % 25}") if number % 25 == 1 else self._random
        self._commits = max(2, min(MOST, int(math.exp(self._random.gauss(math.log(TYPICAL), SPREAD)))))
        self._files: dict[bytes, list[bytes]] = {}

    def stream(self) -> Iterator[bytes]:
        """All of its history."""
        ref = f"refs/heads/{self.default}"
        yield made_up.commit(ref, 1, b"begin") + b"M 100644 inline README.md\n"
        yield made_up.data(b"# %s\n" % self._name.encode())
        if self._random.random() < 0.05:
            yield b"M 100644 inline .gitmodules\n"
            yield made_up.data(b'[submodule "private"]\n\tpath = private\n\turl = %s\n' % ELSEWHERE)
            yield b"M 160000 %s private\n" % (b"%040x" % (self._number + 1))
        if self._random.random() < 0.05:
            yield b"M 100644 inline .lfsconfig\n" + made_up.data(b"[lfs]\n\turl = %s\n" % ELSEWHERE)
            pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064x\nsize 12345\n" % self._number
            yield b"M 100644 inline model.bin\n" + made_up.data(pointer)
        yield b"\n"
        at = self._random.randrange(2, self._commits + 1)
        for number in range(2, self._commits + 1):
            yield from self._edit(ref, number)
            if number == at and self._where in ("head", "history", "twice", "message"):
                yield from self._plant(ref, number)
        if self._where == "history":
            yield made_up.commit(ref, self._commits + 1, b"tidy up") + b"D settings.py\n\n"
        yield from self._beside(ref)

    def _edit(self, ref: str, number: int) -> Iterator[bytes]:
        """A commit that changes a file or two."""
        random = self._of if number < 20 else self._random
        yield made_up.commit(ref, number, made_up.line(random).strip())
        for _ in range(random.choice((1, 1, 2))):
            path = f"{random.choice(FOLDERS)}/{random.choice(made_up.WORDS)}{random.choice(ENDINGS)}".encode()
            lines = self._files.setdefault(path, [made_up.line(random) for _ in range(random.randrange(5, 60))])
            lines[random.randrange(len(lines))] = made_up.line(random)
            lines.append(made_up.line(random))
            yield b"M 100644 inline %s\n" % path + made_up.data(b"".join(lines))
        if random.random() < 0.02:
            yield b"M 100644 inline web/logo.png\n" + made_up.data(b"\x89PNG\r\n\x1a\n" + random.randbytes(4096))
        yield b"\n"

    def _plant(self, ref: str, number: int) -> Iterator[bytes]:
        if self._where == "message":
            yield made_up.commit(ref, number, b"deploy with " + self._value) + b"\n"
        else:
            yield made_up.commit(ref, number, b"add settings") + b"M 100644 inline settings.py\n"
            yield made_up.data(self._value) + b"\n"
        self._note("" if self._where == "message" else "settings.py")

    def _beside(self, ref: str) -> Iterator[bytes]:
        """Branches, pull requests and tags."""
        last = self._commits + 2
        if self._where == "branch" or self._random.random() < 0.3:
            yield from self._other(ref, "refs/heads/feature/one", last, "branch")
        if self._where == "pull request" or self._random.random() < 0.15:
            yield from self._other(ref, "refs/pull/7/head", last + 1, "pull request")
        if self._random.random() < 0.3:
            yield b"reset refs/tags/v1.0\nfrom %s\n\n" % ref.encode()

    def _other(self, ref: str, other: str, number: int, where: Where) -> Iterator[bytes]:
        yield b"reset %s\nfrom %s\n\n" % (other.encode(), ref.encode())
        yield made_up.commit(other, number, b"try") + b"M 100644 inline config/try.py\n"
        planted = self._where == where
        yield made_up.data(self._value if planted else made_up.line(self._random)) + b"\n"
        if planted:
            self._note("config/try.py")

    def _note(self, path: str) -> None:
        assert self._where
        self.planted.append(Planted(self._name.removesuffix(".git"), self._where, path))


def change(folder: Path, repositories: int, share: float, seed: int) -> list[str]:
    """Push to some of them: most get a commit, one in five a secret more, one in five a branch, one a history that is
    another one. The names of those that changed."""
    random = Random(f"{seed} change")
    full = [number for number in range(repositories) if number % 31 != 30]
    chosen = sorted(random.sample(full, max(1, round(share * repositories))))
    for place, number in enumerate(chosen):
        target = folder / name_of(number)
        head = git(target, "symbolic-ref", "HEAD").decode().strip()
        ref = "refs/heads/later" if place % 5 == 3 else head
        forced = place % 5 == 4
        content = made_up.line(random)
        if place % 5 == 2:
            content = b'token = "%s"\n' % samples.build("github:ghp", Random(f"{seed} changed {number}"))
        stream = b"" if forced else b"reset %s\nfrom %s^0\n\n" % (ref.encode(), head.encode())
        stream += made_up.commit(ref, 1_000_000 + seed * 1000 + place, b"later")
        stream += b"M 100644 inline later%d.py\n" % seed + made_up.data(content) + b"\n"
        git(target, "fast-import", "--quiet", "--force", stdin=stream)
    return [name_of(number).removesuffix(".git") for number in chosen]


def main() -> int:
    """Make them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--repositories", type=int, default=REPOSITORIES)
    options.add_argument("--seed", type=int, default=SEED)
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    planted = make(given.folder, given.repositories, given.seed)
    say(f"{len(planted)} secrets in {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
