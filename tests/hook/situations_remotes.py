"""Push situations: what is known of the remote, and how it is named."""

from __future__ import annotations

from urllib.parse import urlsplit

from world import ALREADY, NOT_SENT, Push, Table, World

situation = Table()


def _unpublished_elsewhere(w: World) -> None:
    """A commit with the secret that `origin` has."""
    w.change()
    w.publish("main")


@situation(sha256=True)
def second_remote_that_was_never_fetched(w: World) -> Push:
    """It has nothing of what `origin` has: all is sent, and all is searched."""
    _unpublished_elsewhere(w)
    other = w.bare("other.git")
    w.here.git("remote", "add", "other", w.url(other))
    return w.push("other", "main", to=(other,), tracking=("refs/remotes/other",), name="other")


@situation()
def second_remote_that_has_some(w: World) -> Push:
    """Its tracking refs say what; those of `origin` do not count."""
    other = w.bare("other.git")
    w.here.git("remote", "add", "other", w.url(other))
    w.publish(f"{w.first.id}:refs/heads/main", to="other")
    _unpublished_elsewhere(w)
    return w.push("other", "main:refs/heads/topic", to=(other,), tracking=("refs/remotes/other",), name="other")


@situation()
def remote_by_its_address(w: World) -> Push:
    """No remote is configured that has it."""
    other = w.bare("other.git")
    _unpublished_elsewhere(w)
    address = w.url(other)
    return w.push(address, "main", to=(other,), tracking=(), name=address)


@situation()
def remote_by_its_address_that_is_configured(w: World) -> Push:
    """A remote has it: its tracking refs count."""
    w.change()
    address = w.url(w.remote)
    return w.push(address, "main:refs/heads/topic", name=address)


@situation(NOT_SENT)
def secret_at_a_remote_by_its_address(w: World) -> Push:
    """What its tracking refs have is not searched."""
    _unpublished_elsewhere(w)
    w.here.commit({"other.txt": b"other\n"})
    address = w.url(w.remote)
    return w.push(address, "main:refs/heads/topic", name=address)


@situation()
def remote_by_its_path(w: World) -> Push:
    """A folder, from the work tree."""
    other = w.bare("other.git")
    _unpublished_elsewhere(w)
    return w.push("../other.git", "main", to=(other,), tracking=(), name="../other.git")


@situation()
def shortened_address(w: World) -> Push:
    """Git replaces its beginning: the remote is still known by its name."""
    base, _, last = w.url(w.remote).rpartition("/")
    w.here.git("config", f"url.{base}/.insteadOf", "ours:")
    w.here.git("config", "remote.origin.url", f"ours:{last}")
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def other_address_to_push_to(w: World) -> Push:
    """Of the same remote: it is fetched by another protocol."""
    w.here.git("config", "remote.origin.pushurl", w.url(w.remote))
    w.here.git("config", "remote.origin.url", f"https://example.test{urlsplit(w.url(w.remote)).path}")
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def other_repository_to_push_to(w: World) -> Push:
    """What was fetched says nothing of it."""
    other = w.bare("other.git")
    w.here.git("config", "remote.origin.pushurl", w.url(other))
    w.change()
    return w.push("origin", "main:refs/heads/topic", to=(other,), tracked=0)


@situation()
def address_that_was_changed(w: World) -> Push:
    """To an empty repository, as where a private project is made public: the refs of the former one say nothing."""
    other = w.bare("other.git")
    w.here.git("remote", "set-url", "origin", w.url(other))
    w.change()
    return w.push("origin", "main", to=(other,), tracked=0)


@situation()
def refs_that_two_remotes_share(w: World) -> Push:
    """Nobody knows of which of them they are."""
    w.here.git("remote", "add", "other", w.url(w.bare("other.git")))
    w.here.git("config", "remote.other.fetch", "+refs/heads/*:refs/remotes/origin/*")
    w.change()
    return w.push("origin", "main:refs/heads/topic", tracked=0)


@situation()
def two_addresses_to_push_to(w: World) -> Push:
    """The hook is called for each, before anything is sent there. The tracking refs are those of the first."""
    other = w.bare("other.git")
    w.here.git("config", "remote.origin.url", w.url(w.remote))
    for bare in (w.remote, other):
        w.here.git("config", "--add", "remote.origin.pushurl", w.url(bare))
    w.here.git("push", "--quiet", "--no-verify", str(other.path), "main")
    w.change()
    w.change("other.txt", b"other\n")
    return w.push("origin", "main", to=(w.remote, other), tracked=1)


@situation()
def remote_of_the_user(w: World) -> Push:
    """It stands in the user's own configuration, not in the repository's."""
    w.here.git("config", "--remove-section", "remote.origin")
    (w.folder / ".gitconfig").write_text(
        f'[remote "origin"]\n\turl = {w.url(w.remote)}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
    )
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def some_branches_are_tracked(w: World) -> Push:
    """By a pattern that stands for a part of a name."""
    w.publish("main:refs/heads/feature-one")
    w.here.git("update-ref", "-d", "refs/remotes/origin/main")
    w.here.git("config", "remote.origin.fetch", "+refs/heads/feature-*:refs/remotes/origin/feature-*")
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def some_branches_are_not_tracked(w: World) -> Push:
    """By a pattern of those that are left out."""
    w.here.git("config", "--add", "remote.origin.fetch", "^refs/heads/secret-*")
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def remote_within_the_name_of_another(w: World) -> Push:
    """`origin/fork` has a commit with the secret: that is not to say that `origin` has it."""
    fork = w.bare("fork.git")
    w.here.git("remote", "add", "origin/fork", w.url(fork))
    w.change()
    w.publish("main", to="origin/fork")
    return w.push("origin", "main:refs/heads/topic", tracking=("refs/remotes/origin/main",))


@situation()
def renamed_remote(w: World) -> Push:
    """Its tracking refs went with it."""
    w.here.git("remote", "rename", "origin", "upstream")
    w.change()
    return w.push("upstream", "main:refs/heads/topic", name="upstream", tracking=("refs/remotes/upstream",))


@situation()
def stale_tracking_ref(w: World) -> Push:
    """The remote has lost the branch since, and all that was in it: it says that it has none of that name."""
    w.here.git("switch", "--quiet", "--create", "topic")
    w.change()
    w.publish("topic")
    w.remote.git("update-ref", "-d", "refs/heads/topic")
    w.remote.git("gc", "--quiet", "--prune=now")
    w.here.commit({"other.txt": b"other\n"})
    return w.push("origin", "topic", tracking=("refs/remotes/origin/main",))


@situation()
def tracking_ref_that_was_pruned(w: World) -> Push:
    """The remote's own ref, as it tells it, still counts."""
    w.here.git("update-ref", "-d", "refs/remotes/origin/main")
    w.change()
    return w.push("origin", "main", tracking=())


@situation()
def broken_tracking_ref(w: World) -> Push:
    """It names an object that is not there; the others count."""
    broken = w.here.path / ".git" / "refs" / "remotes" / "origin" / "broken"
    broken.write_text("1" * len(w.first.id) + "\n")
    w.change()
    return w.push("origin", "main:refs/heads/topic", tracking=("refs/remotes/origin/main",))


@situation()
def two_thousand_tracking_refs(w: World) -> Push:
    """Packed; two of them name what is in no other."""
    names = [w.here.git("commit-tree", f"{w.first.id}^{{tree}}", "-m", str(number)) for number in range(2)]
    w.here.git("pack-refs", "--all")
    with (w.here.path / ".git" / "packed-refs").open("a") as file:
        file.writelines(f"{names[n % 2]} refs/remotes/origin/branch-{n:04}\n" for n in range(2000))
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def head_of_the_remote(w: World) -> Push:
    """`origin/HEAD` names a branch that is not tracked any more."""
    w.here.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation(sha256=True)
def remote_that_is_ahead(w: World) -> Push:
    """Its branch is at a commit that we do not have: it is overwritten by force."""
    clone = w.clone("clone")
    clone.commit({"ahead.txt": b"ahead\n"})
    w.publish("main", by=clone)
    w.change()
    return w.push("--force", "origin", "main")


@situation(ALREADY)
def forced_over_a_commit_with_the_secret(w: World) -> Push:
    """The remote has it in what is overwritten."""
    w.change("settings.ini")
    w.publish("main")
    w.here.git("reset", "--quiet", "--hard", w.second.id)
    w.change("settings.ini", b"# again\n" + w.line)
    return w.push("--force", "origin", "main")


@situation()
def branch_that_the_remote_has_lost(w: World) -> Push:
    """Its main branch: everything is sent again, and searched."""
    w.remote.git("update-ref", "-d", "refs/heads/main")
    w.change()
    return w.push("origin", "main", tracked=0)


@situation()
def alternates_of_the_remote(w: World) -> Push:
    """It has everything of another repository, and says so to git, which does not tell the hook."""
    fork = w.bare("fork.git")
    w.here.git("push", "--quiet", "--no-verify", str(w.remote.path), "main:refs/heads/topic")
    (fork.path / "objects" / "info" / "alternates").write_text(f"{w.remote.path}/objects\n")
    w.here.git("remote", "add", "fork", w.url(fork))
    w.change()
    return w.push("fork", "main", to=(fork,), tracking=("refs/remotes/fork",), name="fork")


@situation()
def options_for_the_server(w: World) -> Push:
    """They go to its hooks only."""
    w.remote.git("config", "receive.advertisePushOptions", "true")
    w.change()
    return w.push("--push-option=ci.skip", "origin", "main")


@situation()
def hidden_refs_of_the_remote(w: World) -> Push:
    """It does not tell them."""
    w.here.git("push", "--quiet", "--no-verify", str(w.remote.path), f"{w.first.id}:refs/heads/hidden")
    w.remote.git("config", "transfer.hideRefs", "refs/heads/hidden")
    w.change()
    return w.push("origin", "main:refs/heads/topic")


@situation()
def negotiation(w: World) -> Push:
    """Git asks the remote what it has before it sends: fewer objects, but none that is new."""
    w.here.git("config", "push.negotiate", "true")
    w.here.git("update-ref", "-d", "refs/remotes/origin/main")
    w.change()
    return w.push("origin", "main:refs/heads/topic", tracking=())
