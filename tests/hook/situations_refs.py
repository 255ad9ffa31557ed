"""Push situations: which refs are pushed, from what to what."""

from __future__ import annotations

from world import NOT_SENT, NOTHING, Push, Table, World

situation = Table()


@situation(sha256=True)
def first_push_to_an_empty_remote(w: World) -> Push:
    """The remote has nothing yet."""
    empty = w.bare("empty.git")
    w.here.git("remote", "set-url", "origin", w.url(empty))
    w.here.git("update-ref", "-d", "refs/remotes/origin/main")
    w.change()
    return w.push("origin", "main", to=(empty,))


@situation()
def new_branch(w: World) -> Push:
    """The remote has the commit that it begins at."""
    w.here.git("switch", "--quiet", "--create", "topic")
    w.change()
    return w.push("origin", "topic")


@situation()
def new_branch_off_an_old_commit(w: World) -> Push:
    """The remote's branch is further than that."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    return w.push("origin", "topic")


@situation(NOTHING)
def new_branch_without_a_commit_of_its_own(w: World) -> Push:
    """Another name for what the remote has."""
    return w.push("origin", "main:refs/heads/topic")


@situation(sha256=True)
def one_more_commit(w: World) -> Push:
    """A fast-forward."""
    w.change()
    return w.push("origin", "main")


@situation()
def many_more_commits(w: World) -> Push:
    """The secret is in the first of them."""
    w.change()
    for number in range(5):
        w.change(content=b"%d\n" % number)
    return w.push("origin", "main")


@situation()
def more_objects_than_are_read_at_once(w: World) -> Push:
    """The secret is in one of them."""
    files = {f"many/{number}": b"number %d\n" % number for number in range(700)}
    w.here.commit(files | {"many/600": w.line})
    return w.push("origin", "main")


@situation()
def no_arguments(w: World) -> Push:
    """The branch that is checked out, to its upstream."""
    w.here.git("branch", "--quiet", "--set-upstream-to=origin/main")
    w.change()
    return w.push()


@situation()
def what_is_checked_out(w: World) -> Push:
    """`HEAD` stands for its branch."""
    w.change()
    return w.push("origin", "HEAD")


@situation(sha256=True)
def forced_after_amend(w: World) -> Push:
    """The remote's commit is replaced by another one."""
    w.here.write({"readme.md": w.line})
    w.here.git("commit", "--quiet", "--amend", "--all", "-m", "describe")
    return w.push("--force", "origin", "main")


@situation()
def forced_after_rebase(w: World) -> Push:
    """Commits of a branch that the remote has are put onto another one, and one is added."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change("topic.txt", b"topic\n")
    w.publish("topic")
    w.here.git("rebase", "--quiet", "main")
    w.change()
    return w.push("--force", "origin", "topic")


@situation(NOTHING)
def forced_back_to_an_older_commit(w: World) -> Push:
    """Nothing is sent."""
    w.here.git("reset", "--quiet", "--hard", w.first.id)
    return w.push("--force", "origin", "main")


@situation()
def forced_with_lease(w: World) -> Push:
    """The remote's branch is where it was when last seen."""
    w.here.git("reset", "--quiet", "--hard", w.first.id)
    w.change()
    return w.push("--force-with-lease", "origin", "main")


@situation()
def id_to_a_ref(w: World) -> Push:
    """A commit that no branch has."""
    name = w.change()
    w.here.git("reset", "--quiet", "--hard", w.second.id)
    return w.push("origin", f"{name}:refs/heads/topic")


@situation()
def expression_to_a_ref(w: World) -> Push:
    """The commit before the last one, which has the secret."""
    w.change()
    w.change("later.txt", b"later\n")
    return w.push("origin", "HEAD~1:refs/heads/topic")


@situation(NOT_SENT)
def last_commit_is_kept_back(w: World) -> Push:
    """The commit before it is pushed."""
    w.change("earlier.txt", b"earlier\n")
    w.change()
    return w.push("origin", "HEAD~1:refs/heads/main")


@situation()
def expression_with_blanks(w: World) -> Push:
    """A commit by words of its message."""
    w.change(message="words with  blanks in it")
    w.change("later.txt", b"later\n")
    return w.push("origin", "HEAD^{/words with  blanks}:refs/heads/topic")


@situation()
def expression_of_two_lines(w: World) -> Push:
    """The hook is told the first as a line of its own, which says nothing; what is pushed stands on the second. (Git
    itself sends nothing by HTTP then.)"""
    w.change(message="words\non two lines")
    why = "a line on standard input is not what git tells a hook: HEAD^{/words"
    expression = "HEAD^{/words\non two}:refs/heads/topic"
    return w.push("origin", expression, warnings=(why,), refused=w.protocol == "http")


@situation()
def lightweight_tag(w: World) -> Push:
    """Of a commit that no branch at the remote has."""
    w.change()
    w.here.git("tag", "v1")
    return w.push("origin", "v1")


@situation(sha256=True)
def annotated_tag(w: World) -> Push:
    """The secret is in its message; the remote has the commit."""
    w.here.git("tag", "--annotate", "-m", w.line, "v1")
    return w.push("origin", "v1")


@situation()
def tag_of_a_tag(w: World) -> Push:
    """The secret is in the message of the inner one, which has no ref."""
    w.here.git("tag", "--annotate", "-m", w.line, "inner")
    w.here.git("tag", "--annotate", "-m", "outer", "outer", "inner")
    w.here.git("tag", "--delete", "inner")
    return w.push("origin", "outer")


@situation()
def tag_of_a_blob(w: World) -> Push:
    """One that no tree has."""
    w.here.git("tag", "key", w.here.git("hash-object", "-w", "--stdin", stdin=w.line))
    return w.push("origin", "key")


@situation()
def annotated_tag_of_a_blob(w: World) -> Push:
    """One that no tree has."""
    blob = w.here.git("hash-object", "-w", "--stdin", stdin=w.line)
    w.here.git("tag", "--annotate", "-m", "a key", "key", blob)
    return w.push("origin", "key")


@situation()
def tag_of_a_tree(w: World) -> Push:
    """One that no commit has."""
    w.here.write({"change.txt": w.line})
    w.here.git("add", "--all")
    w.here.git("tag", "files", w.here.git("write-tree"))
    return w.push("origin", "files")


@situation()
def all_tags(w: World) -> Push:
    """`--tags`: those that the remote has, and others."""
    w.here.git("tag", "v1")
    w.publish("v1")
    w.here.git("tag", "--annotate", "-m", w.line, "v2")
    return w.push("--tags", "origin")


@situation()
def tags_that_follow(w: World) -> Push:
    """`--follow-tags`: the annotated ones of what is pushed."""
    w.change("other.txt", b"other\n")
    w.here.git("tag", "--annotate", "-m", w.line, "v1")
    return w.push("--follow-tags", "origin", "main")


@situation()
def tag_that_is_moved(w: World) -> Push:
    """By force, to another commit."""
    w.here.git("tag", "--annotate", "-m", "first", "v1")
    w.publish("v1")
    w.change()
    w.here.git("tag", "--force", "--annotate", "-m", "second", "v1")
    return w.push("--force", "origin", "v1")


@situation()
def all_branches(w: World) -> Push:
    """`--all`: one that the remote has, and others."""
    w.here.git("branch", "older", w.first.id)
    w.here.git("switch", "--quiet", "--create", "topic")
    w.change()
    return w.push("--all", "origin")


@situation(sha256=True)
def mirror(w: World) -> Push:
    """`--mirror`: all refs, those of the remote, too; what the remote has and we have not is deleted."""
    w.publish("main:refs/heads/gone")
    w.here.git("update-ref", "-d", "refs/remotes/origin/gone")
    w.here.git("tag", "--annotate", "-m", "first", "v1")
    w.here.git("switch", "--quiet", "--create", "topic")
    w.change()
    return w.push("--mirror", "origin")


@situation()
def mirror_by_configuration(w: World) -> Push:
    """What is fetched lands in the refs that are pushed: they say nothing of what the remote has."""
    mirrored = w.clone("mirror.git", "--mirror")
    w.change()
    w.here.git("push", "--quiet", "--no-verify", str(mirrored.path), "main:refs/heads/main", "main:refs/heads/topic")
    return w.push(by=mirrored, tracking=())


@situation(NOTHING)
def deletion(w: World) -> Push:
    """Nothing is sent."""
    w.publish("main:refs/heads/topic")
    return w.push("origin", "--delete", "topic")


@situation()
def deletion_and_a_new_branch(w: World) -> Push:
    """A branch under another name, with one more commit."""
    w.publish("main:refs/heads/old")
    w.change()
    return w.push("origin", ":old", "main:refs/heads/new")


@situation(sha256=True)
def several_refs_at_once(w: World) -> Push:
    """The secret is in one of two branches; a tag is pushed with them."""
    w.here.git("tag", "--annotate", "-m", "first", "v1")
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    w.here.git("switch", "--quiet", "main")
    w.change("main.txt", b"main\n")
    return w.push("origin", "main", "topic", "v1")


@situation()
def several_refs_or_none(w: World) -> Push:
    """`--atomic`."""
    w.here.git("branch", "topic")
    w.change()
    return w.push("--atomic", "origin", "main", "topic")


@situation()
def branches_by_a_pattern(w: World) -> Push:
    """All of them, into a folder at the remote."""
    w.here.git("branch", "topic")
    w.change()
    return w.push("origin", "refs/heads/*:refs/heads/team/*")


@situation()
def hundreds_of_refs_at_once(w: World) -> Push:
    """The hook is told more than a pipe holds."""
    w.change()
    refs = "".join(f"create refs/heads/branch-{number:04} HEAD\n" for number in range(600))
    w.here.git("update-ref", "--stdin", stdin=refs.encode())
    return w.push("origin", "refs/heads/branch-*")


@situation(NOTHING)
def nothing_to_push(w: World) -> Push:
    """Git calls the hook, and tells it of nothing."""
    return w.push("origin", "main")


@situation()
def dry_run(w: World) -> Push:
    """The hook is called; nothing is sent."""
    w.change()
    return w.push("--dry-run", "origin", "main", arrives=False)


@situation()
def notes(w: World) -> Push:
    """A note on a commit that the remote has."""
    w.here.git("notes", "add", "-m", w.line, w.second.id)
    return w.push("origin", "refs/notes/*")


@situation(sha256=True)
def stash(w: World) -> Push:
    """A ref that is neither branch nor tag: three commits, of which one has what was not tracked."""
    w.here.write({"readme.md": b"# There\n", "untracked.txt": w.line})
    w.here.git("stash", "push", "--quiet", "--include-untracked")
    return w.push("origin", "refs/stash:refs/stashes/ada")
