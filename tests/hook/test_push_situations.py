"""Every blob that `git push` sends is searched, and none that the hook can know the remote has.

Each situation is prepared with a real repository and a real server, without a secret and with one; what was searched is
compared with what arrived, and with what `git rev-list --objects` lists.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import situations_history
import situations_refs
from git_repository import GitRepository
from pushing import (
    ALREADY,
    NOTHING,
    STOPPED,
    Beginning,
    Kinds,
    Push,
    Run,
    Situation,
    World,
    counted,
    new_to,
    pushed,
    stored,
)
from remotes import PROTOCOLS, Servers, serving
from scanning import Fresh

ALGORITHMS = ("sha1", "sha256")
TABLE = (*situations_refs.situation, *situations_history.situation)


def _cases() -> Iterator[object]:
    """Each situation by one protocol, in turn, and some in SHA-256 repositories; the rest is for the long tests."""
    for number, situation in enumerate(TABLE):
        chosen = PROTOCOLS[number % len(PROTOCOLS)]
        for protocol, algorithm in (*((protocol, "sha1") for protocol in PROTOCOLS), (chosen, "sha256")):
            fast = protocol == chosen and (situation.sha256 or algorithm == "sha1")
            for planted in (False, True) if situation.secret != NOTHING else (False,):
                words = [situation.name, protocol, *[algorithm] * (algorithm != "sha1"), *["planted"] * planted]
                marks = () if fast else pytest.mark.long
                yield pytest.param(situation, protocol, algorithm, planted, id="-".join(words), marks=marks)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, caches: Path) -> Iterator[Servers]:
    """Of all that lies below the folder of the tests."""
    with serving(tmp_path_factory.getbasetemp(), caches) as made:
        yield made


@pytest.fixture(scope="session")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Beginning]:
    """By the algorithm of their object ids."""
    made = (Beginning.create(tmp_path_factory.mktemp(algorithm), algorithm) for algorithm in ALGORITHMS)
    return {beginning.algorithm: beginning for beginning in made}


@pytest.fixture
def world(
    tmp_path: Path,
    servers: Servers,
    caches: Path,
    beginnings: dict[str, Beginning],
    fresh: Fresh,
    request: pytest.FixtureRequest,
) -> World:
    """One of the protocol and the algorithm of a case."""
    given = request.node.callspec.params
    secret = fresh() if given["planted"] else b""
    beginning = beginnings[given["algorithm"]]
    return World(tmp_path, servers, caches, protocol=given["protocol"], beginning=beginning, secret=secret)


@pytest.mark.parametrize(("situation", "protocol", "algorithm", "planted"), list(_cases()))
def test_what_a_push_sends_is_searched(
    world: World, situation: Situation, protocol: str, algorithm: str, planted: bool
) -> None:
    """And it is stopped for a secret that is new to the remote, for no other."""
    push = situation.prepare(world)
    tracking = _tips(GitRepository(push.folder), push)
    before = [(stored(bare), _refs(bare)) for bare in world.bares]
    done = pushed(push, world.log)
    after = [(stored(bare), _refs(bare)) for bare in world.bares]

    new = [_new(run, tracking, push) for run in done.runs]
    assert [sorted(run.searched) for run in done.runs] == [sorted(kinds) for kinds in new]
    stopped = planted and situation.secret == STOPPED
    assert done.told == _told(push, done.runs, new, situation, planted=planted)
    assert "Traceback" not in done.said
    assert not planted or world.word.decode() not in done.said
    assert done.status == int(stopped), done.said
    if stopped or not push.arrives:
        assert after == before
        return
    for run, bare in zip(done.runs, push.to, strict=True):
        refs = _refs(bare)
        assert {ref: refs.get(ref, "0" * len(name)) for name, ref, _ in run.updates} == {
            ref: name for name, ref, _ in run.updates
        }
    arrived = {name for (now, _), (then, _) in zip(after, before, strict=True) for name in now.keys() - then.keys()}
    searched = {name for run in done.runs for name in run.searched}
    assert (arrived <= searched) is not situation.unsearched


def _tips(repository: GitRepository, push: Push) -> list[str]:
    """What the tracking refs say, before the push."""
    return repository.git("for-each-ref", "--format=%(objectname)", *push.tracking).split() if push.tracking else []


def _refs(bare: GitRepository) -> dict[str, str]:
    listed = bare.git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    return {ref: name for name, ref in (line.split(" ", 1) for line in listed)}


def _new(run: Run, tracking: list[str], push: Push) -> Kinds:
    """What plain git lists as new to the remote, by what the hook was told and what the tracking refs said."""
    variables = {"GIT_DIR": os.fsdecode(run.git_dir)} if run.git_dir else {}
    hidden = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
    known = [*tracking, *(old for _, _, old in run.updates if old.strip("0"))]
    return new_to(GitRepository(Path(os.fsdecode(run.folder))), run.tips, known, **variables, **hidden)


def _told(push: Push, runs: list[Run], new: list[Kinds], situation: Situation, *, planted: bool) -> list[str]:
    """All that oakum says, but the page on what was found."""
    if planted and situation.secret == STOPPED:
        return [f"oakum: the push to {push.name} is stopped: it would publish 1 secret"]
    lines: list[str] = []
    for run, kinds in zip(runs, new, strict=True):
        commits = sum(kind == "commit" for kind in kinds.values())
        if run.tips:
            what = f"{counted(commits, 'new commit')} ({counted(len(kinds), 'object')}, … s)"
            lines.append(f"oakum: nothing found in {what}")
        if run.tips and planted and situation.secret == ALREADY:
            lines.append(f"oakum: 1 secret of this push at {push.name} already, so that it is not stopped for that")
    return lines
