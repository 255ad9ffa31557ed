"""A made-up organization: bare repositories as many and as unequal as in life, the same each time for the same seed.

    python -m benchmarks.organization FOLDER [--repositories 1000] [--seed 1]

Most have a few commits, a few have thousands (log-normal), of source-like text in several languages. Some are empty, or
forks that share the first commits of another one; some have other default branches, tags, pull requests, binary files,
code owners, and submodules and LFS pointers that lead to private addresses. One in twenty has a secret (`plants.py`).
Beside the folder stands its manifest, FOLDER.json: where each secret is, by its fingerprint. `change` pushes to some.
A thousand take two minutes and 1 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Literal

from . import made_up, plants
from .bench import say
from .git import git
from .histories import History, settings
from .plants import Drawn, Plant, Where

SEED = 1
REPOSITORIES = 1000
PLANTED = 0.05
"""The part of the repositories that has a secret."""
TYPICAL, SPREAD, MOST = 60, 1.9, 5_000
"""Commits: the median, the spread of the logarithm, the most. (Of all public repositories on GitHub, those of one
person's first steps among them, the median is 6: Kalliamvakou et al., The promises and perils of mining GitHub, 2014.)
"""
EMPTY, FORK = 31, 12
"""One in so many is."""
BRANCHES = {"main": 8, "master": 3, "trunk": 1, "release/2.x": 1}
"""Default branches, and how many have them."""
DEPTH = 50
What = Literal["secret", "commit", "removal", "force-push", "branch"]
WHAT: tuple[What, ...] = ("secret", "commit", "removal", "force-push", "branch")
"""What `change` pushes: a commit with a new secret, one without; one that takes a secret from the head; a history that
has another last commit; a new branch."""
LATER = 1_000_000
"""The number of the first commit that `change` makes."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Repositories below a folder, and the secrets in them."""

    folder: Path
    repositories: int
    seed: int
    plants: tuple[Plant, ...]

    @property
    def names(self) -> list[str]:
        """The names of all repositories: where they lie in the folder, without `.git`."""
        return [name_of(number) for number in range(self.repositories)]

    def repository(self, name: str) -> Path:
        """Where one lies."""
        return self.folder / f"{name}.git"


def name_of(number: int) -> str:
    """What a repository is called."""
    return f"team{number % 17:02d}/{made_up.WORDS[number * 7 % len(made_up.WORDS)]}-{number:04d}"


def commits_of(seed: int, number: int) -> int:
    """How many commits a repository has on its default branch, but for what is planted and what a fork takes over."""
    length = Random(f"{seed} size {number}").lognormvariate(math.log(TYPICAL), SPREAD)
    return max(1, min(MOST, int(length)))


def is_empty(number: int) -> bool:
    """Whether nothing was ever pushed to a repository."""
    return number % EMPTY == EMPTY - 1


# --- what there is ---------------------------------------------------------------------------------------------------


def make(folder: Path, repositories: int = REPOSITORIES, seed: int = SEED, *, planted: float = PLANTED) -> Organization:
    """All of them, where they are not there yet. They appear in their place when they are whole."""
    manifest = folder.with_name(f"{folder.name}.json")
    about = {"repositories": repositories, "seed": seed, "planted": planted}
    if folder.exists():
        known = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
        if {name: known.get(name) for name in about} != about:
            raise SystemExit(f"{folder} holds another organization: delete it, or name another folder")
        return Organization(folder, repositories, seed, tuple(Plant(**each) for each in known["plants"]))
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    of_number = chosen(repositories, seed, planted)
    made: list[Plant] = []
    for number in range(repositories):
        where, drawn = of_number.get(number, (None, None))
        repository = _Repository(seed, number, where, drawn)
        if source := source_of(number, frozenset(of_number)):
            repository.fork(source)
        stream = () if is_empty(number) else repository.stream()
        made_up.build(new / f"{repository.name}.git", stream, depth=DEPTH, branch=repository.branch)
        if repository.plant:
            made.append(repository.plant)
    manifest.write_text(json.dumps(about | {"plants": [asdict(each) for each in made]}, indent=1) + "\n", "utf-8")
    new.rename(folder)
    return Organization(folder, repositories, seed, tuple(made))


def chosen(repositories: int, seed: int, share: float) -> dict[int, tuple[Where, Drawn]]:
    """The repositories with a secret, by their numbers: exactly that share of all."""
    full = [number for number in range(repositories) if not is_empty(number)]
    left = iter(Random(f"{seed} plants").sample(full, round(share * repositories)))
    out: dict[int, tuple[Where, Drawn]] = {}
    for kind, (number, where) in enumerate(zip(left, cycle(plants.WHERE), strict=False)):
        drawn = plants.draw(kind, f"{seed} secret {kind}")
        other = next(left, None) if where == "twice" else None
        if other is not None:
            out[other] = where, drawn
        out[number] = ("head" if where == "twice" and other is None else where), drawn
    return out


def source_of(number: int, planted: frozenset[int]) -> int:
    """Of which repository one is a fork; 0 where it is none. No secret comes to another one in this way."""
    source = number - 1
    empty = is_empty(number) or is_empty(source)
    return source if number % FORK == 5 and not empty and source not in planted else 0


class _Repository:
    """One of them, in words of `git fast-import`."""

    def __init__(self, seed: int, number: int, where: Where | None, drawn: Drawn | None) -> None:
        self.name = name_of(number)
        self.plant: Plant | None = None
        self._seed, self._where, self._drawn = seed, where, drawn
        self._random = Random(f"{seed} repository {number}")
        self.branch = self._random.choices(list(BRANCHES), list(BRANCHES.values()))[0]
        self._ref = f"refs/heads/{self.branch}"
        self._commits = commits_of(seed, number)
        self._own = self._history = History(f"{seed} history {number}", self.name)
        self._shared = 0

    def fork(self, source: int) -> None:
        """Begin with the first commits of another one."""
        self._history = History(f"{self._seed} history {source}", name_of(source))
        self._shared = max(1, int(commits_of(self._seed, source) * self._random.random()))

    def stream(self) -> Iterator[bytes]:
        """All of its history."""
        at = self._random.randint(1, self._commits)
        for number in range(1, self._shared + self._commits + 1):
            if number == self._shared + 1 and self._shared:
                self._history.random = self._own.random
            yield from self._history.edit(self._ref, number) if number > 1 else self._history.begin(self._ref)
            if number == self._shared + at and self._where in ("head", "history", "twice", "message"):
                yield from self._planted(self._ref, number)
        last = self._shared + self._commits + 1
        if self._where == "history" and self.plant:
            yield made_up.commit(self._ref, last, b"tidy up") + b"D %s\n\n" % self.plant.path.encode()
        yield from self._branches(last + 1)
        yield from self._tags(last + 1)

    def _planted(self, ref: str, number: int) -> Iterator[bytes]:
        assert self._drawn
        assert self._where
        if self._where == "message":
            self.plant = self._drawn.planted(self.name, self._where)
            yield made_up.commit(ref, number, b"deploy\n\n" + self._drawn.text) + b"\n"
            return
        path, content = settings(self._random, self._drawn.text)
        self.plant = self._drawn.planted(self.name, self._where, path)
        yield made_up.commit(ref, number, b"add settings")
        yield b"M 100644 inline %s\n" % path.encode() + made_up.data(content) + b"\n"

    def _branches(self, number: int) -> Iterator[bytes]:
        """Branches besides the default one, and pull requests, whose commits are on none."""
        size = math.log2(self._commits + 1)
        branches = int(size * self._random.random() ** 3) + (self._where == "branch")
        pulls = int(2 * size * self._random.random() ** 3) + (self._where == "pull request")
        others: list[tuple[str, Where]] = [(f"refs/heads/feature/{n}", "branch") for n in range(branches)]
        others += [(f"refs/pull/{n * 3 + 1}/head", "pull request") for n in range(pulls)]
        for place, (ref, kind) in enumerate(others, number):
            yield b"reset %s\nfrom %s\n\n" % (ref.encode(), self._ref.encode())
            yield from self._history.edit(ref, place)
            if kind == self._where and not self.plant:
                yield from self._planted(ref, place)

    def _tags(self, number: int) -> Iterator[bytes]:
        head = self._ref.encode()
        for minor in range(int(math.log2(self._commits + 1) * self._random.random())):
            yield b"reset refs/tags/v1.%d\nfrom %s\n\n" % (minor, head)
        if self._where == "tag" and self._drawn:
            self.plant = self._drawn.planted(self.name, self._where)
            when = made_up.BEGUN + 60 * number
            yield b"tag v2.0\nfrom %s\ntagger A Writer <writer@made-up.test> %d +0000\n" % (head, when)
            yield made_up.data(b"two\n\n" + self._drawn.text)


# --- what is pushed --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """What was pushed to a repository. `plant` is the secret that came, or left the head."""

    repository: str
    what: What
    plant: Plant | None = None


def change(made: Organization, share: float, seed: int) -> tuple[Changed, ...]:
    """Push to this share of the repositories, and to one at least."""
    random = Random(f"{seed} change")
    held = {plant.repository for plant in made.plants}
    heads = [plant for plant in made.plants if (plant.where, plant.reach) == ("head", "head")]
    random.shuffle(heads)
    left = [name for n, name in enumerate(made.names) if not is_empty(n) and name not in held]
    chosen = iter(random.sample(left, min(len(left), max(1, round(share * made.repositories)))))
    pushed = []
    for place, (name, what) in enumerate(zip(chosen, cycle(WHAT), strict=False)):
        one = Changed(name, what)
        if what == "secret":
            drawn = plants.draw(place, f"{seed} later {place}")
            path, content = settings(random, drawn.text)
            one = replace(one, plant=drawn.planted(name, "head", path))
            change_of = b"M 100644 inline %s\n" % path.encode() + made_up.data(content)
        elif what == "removal" and heads:
            plant = heads.pop()
            plant = replace(plant, reach="branch" if _has_branches(made.repository(plant.repository)) else "history")
            one = Changed(plant.repository, what, plant)
            change_of = b"D %s\n" % plant.path.encode()
        else:
            one = replace(one, what="commit" if what == "removal" else what)
            change_of = b"M 100644 inline later/at_%d.py\n" % seed + made_up.data(made_up.line(random))
        _push(made.repository(one.repository), one.what, LATER + seed * made.repositories + place, change_of)
        pushed.append(one)
    return tuple(pushed)


def _has_branches(repository: Path) -> bool:
    """Whether there are others than the default one: they have what it had."""
    return git(repository, "for-each-ref", "--count=2", "refs/heads/").count(b"\n") > 1


def _push(repository: Path, what: What, number: int, change_of: bytes) -> None:
    """One commit more on the default branch, in place of its last one, or on another branch."""
    ref = git(repository, "symbolic-ref", "HEAD").decode().strip()
    known = git(repository, "rev-list", "--first-parent", "--max-count=2", ref).split()
    parents = known[1:] if what == "force-push" else known[:1]
    if what == "branch":
        ref = f"refs/heads/later/{number}"
    stream = made_up.commit(ref, number, b"later") + b"".join(b"from %s\n" % parent for parent in parents)
    git(repository, "fast-import", "--quiet", "--force", stdin=stream + change_of + b"\n")


def main() -> int:
    """Make them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--repositories", type=int, default=REPOSITORIES)
    options.add_argument("--seed", type=int, default=SEED)
    given = options.parse_args()
    made = make(given.folder.resolve(), given.repositories, given.seed)
    say(f"{made.repositories:,} repositories in {made.folder}, {len(made.plants)} with a secret")
    return 0


if __name__ == "__main__":
    sys.exit(main())
