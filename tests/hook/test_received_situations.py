"""Every blob that is sent to a server with a pre-receive hook is searched; what is refused leaves nothing behind."""

from __future__ import annotations

import pytest
import situations_received
from git_repository import GitRepository
from world import ALREADY, STOPPED, Situation, World, cases, counted, new_to, pushed, refs_of, stored

pytest_plugins = ["served"]

TABLE = (*situations_received.situation,)


@pytest.mark.parametrize(("situation", "protocol", "algorithm", "planted"), cases(TABLE))
def test_what_is_received_is_searched(
    world: World, situation: Situation, protocol: str, algorithm: str, planted: bool
) -> None:
    """And refused for a secret that is new to the server, whatever those who push say of it."""
    push = situation.prepare(world)
    before, refs = stored(world.remote), refs_of(world.remote)
    done = pushed(push, world.log)
    after = stored(world.remote)

    (run,) = done.runs
    updates = [line.split(b" ")[:2] for line in run.given.splitlines()]
    tips = [new.decode() for _, new in updates if new.strip(b"0")]
    plain = {"GIT_NO_REPLACE_OBJECTS": "1"}
    new = new_to(GitRepository(push.folder), tips, list(refs.values()), **plain)
    assert sorted(run.searched) == sorted(new)
    assert "Traceback" not in done.said
    assert not planted or world.word.decode() not in done.said
    assert not list(world.folder.rglob("sung"))
    assert list((world.remote.path / "objects").glob("tmp_objdir-*")) == []
    if planted and situation.secret == STOPPED:
        assert all(line.isprintable() for line in done.said.split("\n") if line.startswith("remote: "))
        assert done.told == ["oakum: the push is refused: it brings 1 secret"]
        assert done.status == 1
        assert (after, refs_of(world.remote)) == (before, refs)
        return
    commits = counted(sum(kind == "commit" for kind in new.values()), "new commit")
    told = [f"oakum: nothing found in {commits} ({counted(len(new), 'object')}, … s)"] if tips else []
    if planted and situation.secret == ALREADY:
        told.append("oakum: 1 secret of this push is here already, so that it is not stopped for that")
    assert done.told == told
    assert done.status == 0, done.said
    assert {name for name in after if name not in before} <= set(run.searched)
    assert {new.decode() for _, new in updates if new.strip(b"0")} <= set(refs_of(world.remote).values())
