"""Push situations on a server: what its pre-receive hook is told, and what those who push would have it believe."""

from __future__ import annotations

import os

from git_repository import GitRepository
from world import ALREADY, NOT_SENT, NOTHING, Push, Table, World

situation = Table()


def _received(w: World, *arguments: str, by: GitRepository | None = None, **variables: str) -> Push:
    """A push that only the server looks at."""
    w.install(w.remote.path / "hooks", "pre-receive")
    return w.push("--no-verify", *arguments, by=by, tracking=(), environment=w.environment | variables)


@situation(sha256=True)
def one_more_commit(w: World) -> Push:
    """A fast-forward."""
    w.change()
    return _received(w, "origin", "main")


@situation()
def new_branch(w: World) -> Push:
    """Off a commit that the server has."""
    w.change()
    return _received(w, "origin", "main:refs/heads/topic")


@situation()
def first_push(w: World) -> Push:
    """The server has nothing yet."""
    w.remote.git("update-ref", "-d", "refs/heads/main")
    w.remote.git("gc", "--quiet", "--prune=now")
    w.change()
    return _received(w, "origin", "main")


@situation()
def forced_after_amend(w: World) -> Push:
    """No fast-forward."""
    w.here.write({"readme.md": w.line})
    w.here.git("commit", "--quiet", "--amend", "--all", "-m", "describe")
    return _received(w, "--force", "origin", "main")


@situation(NOTHING)
def deletion(w: World) -> Push:
    """Nothing is sent."""
    w.publish("main:refs/heads/topic")
    return _received(w, "origin", "--delete", "topic")


@situation()
def deletion_and_a_new_branch(w: World) -> Push:
    """Neither is done."""
    w.publish("main:refs/heads/old")
    w.change()
    return _received(w, "origin", ":old", "main:refs/heads/new")


@situation(sha256=True)
def annotated_tag(w: World) -> Push:
    """The secret is in its message."""
    w.here.git("tag", "--annotate", "-m", w.line, "v1")
    return _received(w, "origin", "v1")


@situation()
def tag_of_a_blob(w: World) -> Push:
    """One that no tree has."""
    w.here.git("tag", "key", w.here.git("hash-object", "-w", "--stdin", stdin=w.line))
    return _received(w, "origin", "key")


@situation()
def several_refs_at_once(w: World) -> Push:
    """The secret is in one of them: none is taken."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    w.here.git("switch", "--quiet", "main")
    w.change("other.txt", b"other\n")
    return _received(w, "origin", "main", "topic")


@situation()
def kept_as_a_pack(w: World) -> Push:
    """However few objects are sent."""
    w.remote.git("config", "receive.unpackLimit", "1")
    w.change()
    return _received(w, "origin", "main")


@situation()
def thin_pack(w: World) -> Push:
    """What is sent is a change of what the server has."""
    w.remote.git("config", "receive.unpackLimit", "1")
    filler = b"".join(b"%d is a number\n" % number for number in range(2000))
    w.change("numbers.txt", filler)
    w.publish("main")
    w.change("numbers.txt", filler + w.line)
    return _received(w, "origin", "main")


@situation()
def secret_that_is_taken_out_again(w: World) -> Push:
    """It would stand in history."""
    w.change()
    w.change(content=b"taken out\n")
    return _received(w, "origin", "main")


@situation(ALREADY)
def line_that_was_not_touched(w: World) -> Push:
    """The server has the secret."""
    w.change()
    w.publish("main")
    w.change(content=w.line + b"another line\n")
    return _received(w, "origin", "main")


@situation(NOT_SENT)
def another_name_for_what_the_server_has(w: World) -> Push:
    """In another branch, with the secret."""
    w.change()
    w.publish("main")
    return _received(w, "origin", "main:refs/heads/topic")


@situation()
def marker_on_the_line(w: World) -> Push:
    """Those who push have no say on a server."""
    w.change(content=w.line.rstrip() + b"  # oakum:allow\n")
    return _received(w, "origin", "main")


@situation()
def configuration_in_the_push(w: World) -> Push:
    """It allows everything, and is not obeyed; nor would it be if it were there already."""
    allowed = b'[[allow]]\npath = "**"\nreason = "because"\n'
    w.here.commit({".oakum.toml": allowed})
    w.publish("main")
    w.here.commit({".oakum.toml": allowed + b"# still\n", "change.txt": w.line})
    return _received(w, "origin", "main")


@situation()
def skip_in_the_environment(w: World) -> Push:
    """By the file protocol the hook has that of whoever pushes."""
    w.change()
    return _received(w, "origin", "main", OAKUM_SKIP="of no interest", OAKUM_DEBUG="")


@situation()
def replacement_that_is_pushed_along(w: World) -> Push:
    """It hides the commit with the secret from whoever asks git for it."""
    name = w.change()
    w.here.git("replace", name, w.second.id)
    return _received(w, "origin", f"{name}:refs/heads/topic", "refs/replace/*:refs/replace/*")


@situation()
def graft_of_the_server(w: World) -> Push:
    """It takes the commit with the secret away from the one that is pushed."""
    w.change()
    last = w.change(content=b"taken out\n")
    (w.remote.path / "info").mkdir(exist_ok=True)
    (w.remote.path / "info" / "grafts").write_text(f"{last} {w.second.id}\n")
    return _received(w, "origin", "main")


@situation()
def push_of_a_shallow_clone(w: World) -> Push:
    """The server knows what came before."""
    clone = w.clone("clone", "--depth=1")
    clone.commit({"change.txt": w.line})
    return _received(w, "origin", "main", by=clone)


@situation()
def hostile_names(w: World) -> Push:
    """Of a branch and a file: none reaches a terminal raw."""
    w.change("\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}")
    name = os.fsencode("$(touch${IFS}sung)\N{RIGHT-TO-LEFT OVERRIDE}")
    w.here.git("update-ref", b"refs/heads/" + name, "HEAD")
    return _received(w, "origin", f"refs/heads/{name.decode()}")


@situation()
def folder_with_blanks_and_accents(w: World) -> Push:
    """On the server."""
    w.remote = w.bare("dépôt à nous/other repository.git")
    w.here.git("remote", "set-url", "origin", w.url(w.remote))
    w.publish(f"{w.second.id}:refs/heads/main")
    w.change()
    return _received(w, "origin", "main")
