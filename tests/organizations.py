"""Small organizations of real repositories for workers, and how outcomes are compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from git_repository import GitRepository
from oakum.detectors import samples
from oakum.scanner.sweep import Settings, Task
from oakum.scanner.sweep.program import installed, program_of
from oakum.scanner.swept import Outcome, Remote

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def settings(folder: Path, **more: object) -> Settings:
    """What workers are told, with folders of their own."""
    made = Settings(NOW, "", clones=str(folder / "clones"), cache=str(folder / "cache"), engine="aho-corasick")
    made = replace(made, **more)  # type: ignore[arg-type]
    return replace(made, program=program_of(made, installed(made.detectors)))


def organization(folder: Path, repositories: int) -> list[Task]:
    """So many repositories, every third with a secret; a task for each."""
    from random import Random

    tasks = []
    for number in range(repositories):
        made = GitRepository.create(folder / f"r{number}.git", "--bare")
        content = b"x = %d\n" % number
        if number % 3 == 0:
            content += b'token = "%s"\n' % samples.build("github:ghp", Random(number))
        blob = made.git("hash-object", "-w", "--stdin", stdin=content)
        tree = made.git("mktree", stdin=f"100644 blob {blob}\tsettings.py\n".encode())
        made.git("update-ref", "refs/heads/main", made.git("commit-tree", tree, "-m", "one"))
        tasks.append(Task(task_remote(made.path), f"refs {number}"))
    return tasks


def task_remote(path: Path) -> Remote:
    """A repository on this machine."""
    return Remote(path.as_uri(), path.stem, path.as_uri(), str(path.parent))


def compared(outcomes: list[Outcome]) -> list[Outcome]:
    """Without what differs from one worker to another, in the order of names."""
    plain = (replace(outcome, worker="", seconds=0.0) for outcome in outcomes)
    return sorted(plain, key=lambda outcome: outcome.remote.name)
