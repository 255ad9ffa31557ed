"""Every blob that `git push` sends is searched, and none that the hook can know the remote has.

Each situation is prepared with a real repository and a real server, without a secret and with one; what was searched is
compared with what arrived, and with what `git rev-list --objects` lists.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import situations_clones
import situations_history
import situations_refs
import situations_remotes
import situations_surroundings
from git_repository import GitRepository
from world import (
    ALREADY,
    STOPPED,
    Kinds,
    Push,
    Run,
    Situation,
    World,
    cases,
    counted,
    new_to,
    pushed,
    refs_of,
    stored,
)

pytest_plugins = ["served"]

TABLE = (
    *situations_refs.situation,
    *situations_history.situation,
    *situations_clones.situation,
    *situations_remotes.situation,
    *situations_surroundings.situation,
)


@pytest.mark.parametrize(("situation", "protocol", "algorithm", "planted"), cases(TABLE))
@pytest.mark.long
def test_what_a_push_sends_is_searched(
    world: World, situation: Situation, protocol: str, algorithm: str, planted: bool
) -> None:
    """And it is stopped for a secret that is new to the remote, for no other."""
    push = situation.prepare(world)
    tracking = _tips(push)
    before = [(stored(bare), refs_of(bare)) for bare in world.bares]
    done = pushed(push, world.log)
    after = [(stored(bare), refs_of(bare)) for bare in world.bares]

    stopped = planted and situation.secret == STOPPED
    known = [
        [*tracking, *([] if stopped else _sent(done.runs[:n], run))] if n < push.tracked else []
        for n, run in enumerate(done.runs)
    ]
    new = [_new(run, ids, push) for run, ids in zip(done.runs, known, strict=True)]
    assert [sorted(run.searched) for run in done.runs] == [sorted(kinds) for kinds in new]
    assert done.told == _told(push, done.runs, new, situation, planted=planted)
    assert "Traceback" not in done.said
    assert not list(world.folder.rglob("sung"))
    if stopped:  # else git says what it sends, in its own words
        assert all(line.isprintable() for line in done.said.split("\n"))
    assert not planted or world.word.decode() not in done.said
    assert bool(done.status) is (stopped or push.refused), done.said
    if stopped or push.refused or not push.arrives:
        assert after == before
        return
    assert len(done.runs) == len(push.to)
    for run, bare in zip(done.runs, push.to, strict=True):
        refs = refs_of(bare) if bare else {}
        wanted = {ref: name for name, ref, _ in run.updates} if bare else {}
        assert {ref: refs.get(ref, "0" * len(name)) for ref, name in wanted.items()} == wanted
    arrived = {name for (now, _), (then, _) in zip(after, before, strict=True) for name in now.keys() - then.keys()}
    searched = {name for run in done.runs for name in run.searched}
    assert (arrived <= searched) is not situation.unsearched


def _tips(push: Push) -> list[str]:
    """What the tracking refs say, before the push."""
    if not push.tracking:
        return []
    return (
        GitRepository(push.folder).git("for-each-ref", "--format=%(objectname)", *push.tracking, **push.named).split()
    )


def _sent(earlier: list[Run], run: Run) -> list[str]:
    """What earlier calls of the hook let pass in the same repository: the tracking refs say so then."""
    return [tip for one in earlier if one.folder == run.folder for tip in one.tips]


def _new(run: Run, tracking: list[str], push: Push) -> Kinds:
    """What plain git lists as new to the remote, by what the hook was told and what the tracking refs said."""
    variables = push.named | ({"GIT_DIR": os.fsdecode(run.git_dir)} if run.git_dir else {})
    hidden = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
    known = [*tracking, *(old for _, _, old in run.updates if old.strip("0"))]
    listed = new_to(GitRepository(Path(os.fsdecode(run.folder))), run.tips, known, **variables, **hidden)
    return {name: kind for name, kind in listed.items() if name not in push.lacks}


def _told(push: Push, runs: list[Run], new: list[Kinds], situation: Situation, *, planted: bool) -> list[str]:
    """All that oakum says, but the page on what was found; a push of several repositories is stopped by the last."""
    stopped = planted and situation.secret == STOPPED
    lines: list[str] = []
    for run, kinds in zip(runs, new, strict=True):
        commits = sum(kind == "commit" for kind in kinds.values())
        if stopped and run.folder == runs[-1].folder:
            lines.append(f"oakum: the push to {push.name} is stopped: it would publish 1 secret")
        elif run.tips:
            what = f"{counted(commits, 'new commit')} ({counted(len(kinds), 'object')}, … s)"
            lines += [f"oakum: nothing found in {what}", *push.notes]
        if run.tips and planted and situation.secret == ALREADY:
            lines.append(f"oakum: 1 secret of this push is at {push.name} already, so that it is not stopped for that")
    lines += [f"oakum: WARNING: {warning}" for warning in push.warnings]
    if push.warnings and not stopped:
        lines.append("oakum: the push goes on (on-incomplete = warn)")
    return [] if push.hung_up else lines
