"""Push situations: who calls git, with what in the environment, and what things are called."""

from __future__ import annotations

import os
import shutil

from world import NOT_SENT, Push, Table, World

situation = Table()


@situation()
def client_without_a_terminal(w: World) -> Push:
    """A session of its own; standard input, output and error are closed."""
    w.change()
    return w.push("origin", "main", hung_up=True)


@situation(sha256=True)
def smallest_environment(w: World) -> Push:
    """No HOME, no TERM; of PATH what leads to git."""
    w.change()
    path = os.path.dirname(shutil.which("git") or "")
    return w.push("origin", "main", environment={"PATH": path, "LANG": "C"})


@situation()
def no_environment(w: World) -> Push:
    """Not even a PATH: git finds its own programs."""
    w.change()
    return w.push("origin", "main", environment={})


@situation()
def relative_home(w: World) -> Push:
    """And other folders of the user that are none."""
    w.change()
    odd = {"HOME": "home", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
    return w.push("origin", "main", environment=w.environment | odd)


@situation()
def folders_that_are_files(w: World) -> Push:
    """Of the user."""
    w.change()
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
    note = f"oakum: the cache folder {os.devnull}/oakum cannot be made (Not a directory); "
    note += "set XDG_CACHE_HOME to another, or use --no-cache"
    return w.push("origin", "main", environment=w.environment | dict.fromkeys(names, os.devnull), notes=(note,))


@situation()
def client_that_names_the_repository(w: World) -> Push:
    """By GIT_DIR, GIT_WORK_TREE and an index of its own, from another folder."""
    w.change()
    git_dir = w.here.path / ".git"
    shutil.copy(git_dir / "index", w.folder / "index")
    named = {"GIT_DIR": git_dir, "GIT_WORK_TREE": w.here.path, "GIT_INDEX_FILE": w.folder / "index"}
    given = w.environment | {name: str(path) for name, path in named.items()}
    return w.push("origin", "main", folder=w.folder, environment=given)


@situation()
def client_with_a_relative_git_directory(w: World) -> Push:
    """From the folder that it lies in; the index is locked."""
    w.change()
    (w.here.path / ".git" / "index.lock").touch()
    return w.push("origin", "main", environment=w.environment | {"GIT_DIR": ".git", "GIT_INDEX_FILE": "index.lock"})


@situation()
def damaged_index(w: World) -> Push:
    """A push does without it."""
    w.change()
    (w.here.path / ".git" / "index").write_bytes(b"DIRC garbage")
    return w.push("origin", "main")


@situation()
def object_store_elsewhere(w: World) -> Push:
    """By GIT_OBJECT_DIRECTORY; the repository's own is read, too."""
    own, other = w.here.path / ".git" / "objects", w.folder / "objects"
    shutil.copytree(own, other)
    stores = {"GIT_OBJECT_DIRECTORY": str(other), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(own)}
    blob = w.here.git("hash-object", "-w", "--stdin", stdin=w.line, **stores)
    w.here.git("tag", "key", blob, **stores)
    return w.push("origin", "key", environment=w.environment | stores)


@situation()
def hooks_elsewhere(w: World) -> Push:
    """`core.hooksPath`."""
    w.install(w.folder / "hooks")
    (w.here.path / ".git" / "hooks" / "pre-push").unlink()
    w.here.git("config", "core.hooksPath", "../hooks")
    w.change()
    return w.push("origin", "main")


@situation()
def settings_of_one_call(w: World) -> Push:
    """Options before the command; they are not the hook's."""
    w.change()
    before = ("--no-pager", "-c", "core.abbrev=5", "-c", "push.default=nothing", "--literal-pathspecs")
    return w.push("origin", "main", before=before)


@situation()
def settings_that_change_what_git_prints(w: World) -> Push:
    """Of the repository: the search does not depend on them."""
    for name, value in (
        ("color.ui", "always"),
        ("core.abbrev", "4"),
        ("core.quotePath", "true"),
        ("core.warnAmbiguousRefs", "true"),
        ("log.showSignature", "true"),
        ("i18n.logOutputEncoding", "UTF-16"),
        ("rev-list.abbrevCommit", "true"),
        ("pack.useSparse", "false"),
        ("fetch.fsckObjects", "true"),
    ):
        w.here.git("config", name, value)
    w.here.git("branch", w.first.id)  # a branch that is called as a commit is
    w.change()
    return w.push("origin", "main")


@situation()
def work_tree_that_says_otherwise(w: World) -> Push:
    """Attributes and ignored files have no say in what is sent."""
    w.here.write({".gitattributes": b"* binary export-ignore -diff\n", ".gitignore": b"*.txt\n"})
    w.here.write({"change.txt": w.line})
    w.here.git("add", "--force", "change.txt", ".gitattributes", ".gitignore")
    w.here.git("commit", "--quiet", "-m", "ignored")
    (w.here.path / "change.txt").unlink()
    return w.push("origin", "main")


@situation(NOT_SENT)
def secret_that_is_not_committed(w: World) -> Push:
    """It stands in the work tree and in the index: neither is sent."""
    w.change("other.txt", b"other\n")
    w.here.write({"change.txt": w.line, "readme.md": w.line})
    w.here.git("add", "change.txt")
    return w.push("origin", "main")


@situation(NOT_SENT)
def secret_of_another_branch(w: World) -> Push:
    """That is not pushed."""
    w.here.git("switch", "--quiet", "--create", "topic")
    w.change()
    w.here.git("switch", "--quiet", "main")
    w.change("other.txt", b"other\n")
    return w.push("origin", "main")


HOSTILE = (
    "-x",
    "--all",
    "$(touch${IFS}sung)",
    "`touch${IFS}sung`",
    ";touch${IFS}sung;",
    "a'b\"c",
    "%s%n%00",
    "a&&b|c>sung",
    "héllo-wörld-日本語",
    "\N{FIRE}\N{ZERO WIDTH JOINER}\N{SKULL}",
    "a\N{RIGHT-TO-LEFT OVERRIDE}b\N{POP DIRECTIONAL ISOLATE}",
    "\x9b31m",
    "x" * 200,
    "#!",
    "refs/heads/main",
    "0" * 40,
    "main\u2028main",
)
"""Names that git takes for refs."""


@situation(sha256=True)
def hostile_names_of_branches(w: World) -> Push:
    """Nothing of them runs, and none reaches a terminal raw."""
    w.change()
    names = [os.fsencode(name) for name in HOSTILE] + [b"not\xff-utf-8"]
    refs = [b"refs/heads/" + name for name in names]
    w.here.git("update-ref", "--stdin", stdin=b"".join(b"create %s HEAD\n" % ref for ref in refs))
    return w.push("origin", *(ref + b":" + ref for ref in refs))


@situation()
def hostile_name_of_the_branch_that_is_checked_out(w: World) -> Push:
    """And another one, with the secret, is pushed: the way out names it."""
    name = "x'$(touch${IFS}sung)\N{RIGHT-TO-LEFT OVERRIDE}"
    w.here.git("update-ref", f"refs/heads/{name}", w.change())
    w.here.git("reset", "--quiet", "--hard", w.second.id)
    return w.push("origin", f"refs/heads/{name}:refs/heads/topic")


def _remote(w: World, name: str, shown: str) -> Push:
    w.here.git("config", f"remote.{name}.url", w.url(w.remote))
    w.here.git("config", f"remote.{name}.fetch", f"+refs/heads/*:refs/remotes/{name}/*")
    w.here.git("update-ref", f"refs/remotes/{name}/main", w.second.id)
    w.change()
    return w.push("--", name, "main:refs/heads/topic", tracking=(f"refs/remotes/{name}",), name=shown)


@situation()
def remote_that_is_called_as_an_option_is(w: World) -> Push:
    """The hook gets that as its first argument."""
    return _remote(w, "--help", "--help")


@situation()
def hostile_name_of_a_remote(w: World) -> Push:
    """Nothing of it runs, nor reaches a terminal raw."""
    return _remote(w, "a'\"$(touch${IFS}sung);\u202eb", "a'\"$(touch${IFS}sung);\\u202eb")


@situation()
def remote_whose_address_has_a_password(w: World) -> Push:
    """It is not shown."""
    w.change()
    address = w.url(w.remote).replace("://", "://somebody:password@") if w.protocol == "http" else w.url(w.remote)
    shown = w.url(w.remote)
    return w.push(address, "main", tracking=(), name=shown)


@situation()
def hostile_names_of_files(w: World) -> Push:
    """The secret stands in one of them: its name reaches no terminal raw, and nothing of it runs."""
    names = [
        b"-rf", b"--all", b"$(touch sung)", b"a\nb", b"\x1b[2J\x1b[31m", b"a\rb", b"\xe2\x80\xae.txt", b"not\xff-utf-8",
        b"' ; touch sung ; '", b" ", b"a\tb", b":(exclude)*", b"*", b"\\", b"\"", b"100644 blob x",
    ]  # fmt: skip
    for name in names:
        with open(os.path.join(os.fsencode(w.here.path), name), "wb") as file:
            file.write(w.line if name == names[4] else b"named %r\n" % name)
    w.here.commit()
    return w.push("origin", "main")


@situation(sha256=True)
def folder_with_blanks_and_accents(w: World) -> Push:
    """Both repositories lie in such ones."""
    other = w.bare("dépôt à nous/other repository.git")
    clone = w.folder / "mes dépôts" / "'ici' $HOME;"
    shutil.copytree(w.here.path, clone)
    moved = type(w.here)(clone, w.here.days)
    moved.git("remote", "set-url", "origin", w.url(other))
    w.publish(f"{w.first.id}:refs/heads/main", by=moved)
    moved.git("update-ref", "refs/remotes/origin/main", w.first.id)
    moved.commit({"change.txt": w.line})
    return w.push("origin", "main", by=moved, to=(other,))
