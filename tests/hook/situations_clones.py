"""Push situations: what kind of repository is pushed from."""

from __future__ import annotations

from pathlib import Path

from git_repository import GitRepository
from world import NOT_SENT, NOTHING, Push, Table, World

situation = Table()


@situation(sha256=True)
def shallow_clone(w: World) -> Push:
    """What came before the one commit that it has is at the remote."""
    clone = w.clone("clone", "--depth=1")
    clone.commit({"change.txt": w.line})
    return w.push("origin", "main", by=clone)


@situation()
def new_branch_of_a_shallow_clone(w: World) -> Push:
    """It tracks one branch, by its name: that says what the remote has."""
    clone = w.clone("clone", "--depth=1")
    clone.commit({"change.txt": w.line})
    return w.push("origin", "HEAD:refs/heads/topic", by=clone)


@situation(NOT_SENT)
def secret_of_the_one_commit_of_a_shallow_clone(w: World) -> Push:
    """It is not new to the remote."""
    w.change()
    w.publish("main")
    clone = w.clone("clone", "--depth=1")
    clone.commit({"other.txt": b"other\n"})
    return w.push("origin", "HEAD:refs/heads/topic", by=clone)


@situation()
def shallow_clone_to_a_remote_that_has_nothing(w: World) -> Push:
    """The one commit is sent with all that it has, as if it were the first."""
    w.change()
    w.publish("main")
    other = w.bare("other.git")
    other.git("config", "receive.shallowUpdate", "true")
    clone = w.clone("clone", "--depth=1")
    clone.git("remote", "add", "other", w.url(other))
    return w.push("other", "main", by=clone, to=(other,), tracking=("refs/remotes/other",), name="other")


@situation()
def clone_of_one_branch(w: World) -> Push:
    """It tracks that by its name."""
    clone = w.clone("clone", "--single-branch")
    clone.commit({"change.txt": w.line})
    return w.push("origin", "HEAD:refs/heads/topic", by=clone)


@situation()
def partial_clone(w: World) -> Push:
    """Without the blobs of older commits."""
    clone = w.clone("clone", "--filter=blob:none")
    clone.commit({"change.txt": w.line})
    return w.push("origin", "main", by=clone)


@situation()
def partial_clone_without_trees(w: World) -> Push:
    """Of older commits."""
    clone = w.clone("clone", "--filter=tree:0")
    clone.commit({"change.txt": w.line})
    return w.push("origin", "HEAD:refs/heads/topic", by=clone)


@situation()
def return_to_what_a_partial_clone_lacks(w: World) -> Push:
    """A file is again what it was in an older commit: its blob is not there, nor is it sent."""
    w.change("readme.md", b"# There\n")
    w.publish("main")
    clone = w.clone("clone", "--filter=blob:none")
    lacking = clone.git("rev-parse", f"{w.second.id}:readme.md")
    clone.git("update-index", "--cacheinfo", f"100644,{lacking},readme.md")
    name = clone.git("hash-object", "-w", "--stdin", stdin=w.line)
    clone.git("update-index", "--add", "--cacheinfo", f"100644,{name},change.txt")
    commit = clone.git("commit-tree", clone.git("write-tree", "--missing-ok"), "-p", "HEAD", "-m", "return")
    clone.git("update-ref", "refs/heads/main", commit)
    return w.push("origin", "main", by=clone, lacks=(lacking,))


@situation(unsearched=True)
def partial_clone_to_a_remote_that_has_nothing(w: World) -> Push:
    """Git fetches what it lacks from where it was cloned, and sends it: the hook asks nobody, and says so."""
    w.change("readme.md", b"# There\n")
    w.publish("main")
    other = w.bare("other.git")
    clone = w.clone("clone", "--filter=blob:none")
    lacking = clone.git("rev-parse", f"{w.second.id}:readme.md")
    clone.git("remote", "add", "other", w.url(other))
    clone.commit({"change.txt": w.line})
    why = "is not in the object store, so that it was not searched (a partial clone? damage? see `git fsck`)"
    known = {"tracking": ("refs/remotes/other",), "name": "other", "lacks": (lacking,)}
    return w.push("other", "main", by=clone, to=(other,), warnings=(f"{lacking}: {why}",), **known)


@situation()
def linked_work_tree(w: World) -> Push:
    """Its git directory has no refs and no objects of its own."""
    linked = GitRepository(w.folder / "linked", w.here.days)
    w.here.git("worktree", "add", "--quiet", "-b", "topic", str(linked.path))
    linked.commit({"change.txt": w.line})
    return w.push("origin", "topic", by=linked)


@situation()
def bare_clone(w: World) -> Push:
    """It has neither a work tree nor tracking refs: only what the remote's ref had is known."""
    clone = w.clone("clone.git", "--bare")
    w.change()
    w.here.git("push", "--quiet", "--no-verify", str(clone.path), "main")
    return w.push("origin", "main", by=clone, tracking=())


@situation()
def folder_within_the_work_tree(w: World) -> Push:
    """Git calls the hook at the top of it."""
    w.change()
    return w.push("origin", "main", folder=w.here.path / "app")


@situation()
def git_directory_elsewhere(w: World) -> Push:
    """`.git` is a file that names it."""
    w.here.git("init", "--quiet", f"--separate-git-dir={w.folder / 'elsewhere'}")
    w.change()
    return w.push("origin", "main")


@situation()
def work_tree_elsewhere(w: World) -> Push:
    """Both are named on the command line, from a third folder."""
    w.change()
    tree = w.folder / "tree"
    tree.mkdir()
    return w.push("origin", "main", before=(f"--git-dir={w.here.path / '.git'}", f"--work-tree={tree}"))


@situation()
def alternates(w: World) -> Push:
    """The new objects lie in another repository's store."""
    w.here.git("clone", "--quiet", "--shared", "--template=", ".", str(w.folder / "clone"))
    clone = GitRepository(w.folder / "clone")
    clone.git("remote", "set-url", "origin", w.url(w.remote))
    w.install(clone.path / ".git" / "hooks")
    return w.push("origin", f"{w.change()}:refs/heads/topic", by=clone)


@situation()
def packed_objects_and_refs(w: World) -> Push:
    """All of them."""
    w.change()
    w.here.git("tag", "--annotate", "-m", "first", "v1")
    w.here.git("gc", "--quiet", "--prune=now")
    return w.push("origin", "main", "v1")


@situation()
def delta_of_what_the_remote_has(w: World) -> Push:
    """The new version of a file is packed, and sent, as a change of the old one."""
    filler = b"".join(b"%d is a number\n" % number for number in range(2000))
    w.change("numbers.txt", filler)
    w.publish("main")
    w.change("numbers.txt", filler + w.line)
    w.here.git("repack", "--quiet", "-a", "-d", "-f")
    return w.push("origin", "main")


@situation()
def detached_head(w: World) -> Push:
    """No branch is checked out."""
    w.here.git("switch", "--quiet", "--detach")
    w.change()
    return w.push("origin", "HEAD:refs/heads/topic")


@situation()
def middle_of_a_rebase(w: World) -> Push:
    """What was rebased until then is pushed."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    w.change("other.txt", b"other\n")
    w.here.git("rebase", "--quiet", "--interactive", "main", GIT_SEQUENCE_EDITOR="sed -i -e 1s/pick/edit/")
    return w.push("origin", "HEAD:refs/heads/topic")


@situation(sha256=True)
def replaced_commit(w: World) -> Push:
    """A replacement hides what is in it: git sends the commit itself."""
    name = w.change()
    w.here.git("replace", name, w.second.id)
    return w.push("origin", f"{name}:refs/heads/topic")


@situation()
def replaced_blob(w: World) -> Push:
    """By one that has nothing of interest."""
    w.change()
    other = w.here.git("hash-object", "-w", "--stdin", stdin=b"of no interest\n")
    w.here.git("replace", w.here.blob("HEAD:change.txt"), other)
    return w.push("origin", "main")


def _graft(w: World, commit: str, *parents: str) -> None:
    (w.here.path / ".git" / "info").mkdir(exist_ok=True)
    (w.here.path / ".git" / "info" / "grafts").write_text(" ".join((commit, *parents)) + "\n")


@situation(NOT_SENT)
def graft_that_takes_a_parent_away(w: World) -> Push:
    """Git does not send that, and the remote refuses what is sent without it."""
    w.change()
    last = w.change(content=b"taken out\n")
    _graft(w, last, w.second.id)
    return w.push("origin", "main", refused=True)


@situation()
def graft_that_adds_a_parent(w: World) -> Push:
    """Git sends what that reaches, too."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    other = w.change()
    w.here.git("switch", "--quiet", "main")
    last = w.change("other.txt", b"other\n")
    _graft(w, last, w.second.id, other)
    return w.push("origin", "main")


@situation()
def commit_graph(w: World) -> Push:
    """Git has noted which commits follow which."""
    w.change("other.txt", b"other\n")
    w.here.git("commit-graph", "write", "--reachable")
    w.change()
    w.here.git("commit-graph", "write", "--reachable", "--split")
    return w.push("origin", "main")


@situation()
def sparse_checkout(w: World) -> Push:
    """The file with the secret is not in the work tree."""
    w.change("app/change.txt")
    w.here.git("sparse-checkout", "set", "docs")
    assert not (w.here.path / "app").exists()
    return w.push("origin", "main")


def _with_a_submodule(w: World) -> tuple[GitRepository, GitRepository]:
    """A submodule, and the bare repository that it was cloned from."""
    served = w.bare("sub.git")
    source = w.repository("source")
    source.commit({"sub.txt": b"sub\n"})
    source.git("push", "--quiet", "--no-verify", str(served.path), "main")
    settings = ("-c", "protocol.file.allow=always")
    w.here.git(*settings, "submodule", "--quiet", "add", w.url(served), "sub", **w.allowed)
    w.here.commit()
    w.publish("main")
    submodule = GitRepository(w.here.path / "sub", w.here.days)
    w.install(Path(submodule.git("rev-parse", "--absolute-git-dir")) / "hooks")
    return submodule, served


@situation()
def submodule(w: World) -> Push:
    """From within it."""
    inner, served = _with_a_submodule(w)
    inner.commit({"change.txt": w.line})
    return w.push("origin", "HEAD:refs/heads/main", by=inner, to=(served,))


@situation()
def submodules_on_demand(w: World) -> Push:
    """The hook of the submodule is called after that of the repository around it, before anything is sent."""
    inner, served = _with_a_submodule(w)
    inner.commit({"change.txt": w.line})
    w.here.commit()
    w.here.git("config", "push.recurseSubmodules", "on-demand")
    return w.push("origin", "main", to=(w.remote, served))


@situation(NOTHING)
def submodules_are_only_pushed(w: World) -> Push:
    """The hook of the repository around them is called as well; nothing of that is sent."""
    inner, served = _with_a_submodule(w)
    inner.commit({"change.txt": b"harmless\n"})
    w.here.commit()
    return w.push("--recurse-submodules=only", "origin", "main", to=(None, served))
