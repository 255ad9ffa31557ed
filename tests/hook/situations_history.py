"""Push situations: what the commits of a push do."""

from __future__ import annotations

import os

from world import ALREADY, NOT_SENT, NOTHING, Push, Table, World

situation = Table()


def _settings(w: World, host: bytes = b"example.test") -> bytes:
    """A file with the secret on one of its lines."""
    return b"host = %s\n%sport = 443\n%s" % (host, w.line, b"# nothing else\n" * 20)


def _published(w: World) -> None:
    """A file with the secret that the remote has."""
    w.change("settings.ini", _settings(w))
    w.publish("main")


@situation(NOT_SENT)
def merge_of_two_branches_that_the_remote_has(w: World) -> Push:
    """The secret is in one of them: a merge brings nothing of its own."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    w.here.git("switch", "--quiet", "main")
    w.publish("main", "topic")
    w.here.git("merge", "--quiet", "--no-edit", "topic")
    return w.push("origin", "main")


@situation()
def message_of_a_merge(w: World) -> Push:
    """Nothing else is new."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change("topic.txt", b"topic\n")
    w.here.git("switch", "--quiet", "main")
    w.publish("main", "topic")
    w.here.git("merge", "--quiet", "-m", w.line, "topic")
    return w.push("origin", "main")


@situation(sha256=True)
def merge_with_a_change_of_its_own(w: World) -> Push:
    """One that neither parent has."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change("topic.txt", b"topic\n")
    w.here.git("switch", "--quiet", "main")
    w.publish("main", "topic")
    w.here.git("merge", "--quiet", "--no-commit", "topic")
    w.here.write({"topic.txt": b"topic\n" + w.line})
    w.here.git("add", "--all")
    w.here.git("commit", "--quiet", "-m", "merge")
    return w.push("origin", "main")


@situation()
def merge_of_a_branch_that_the_remote_has_not(w: World) -> Push:
    """Its commits come with it."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    w.change(content=b"taken out\n")
    w.here.git("switch", "--quiet", "main")
    w.here.git("merge", "--quiet", "--no-edit", "topic")
    return w.push("origin", "main")


@situation()
def merge_of_three_branches(w: World) -> Push:
    """One of them the remote has."""
    for name, content in (("one", b"one\n"), ("two", w.line)):
        w.here.git("switch", "--quiet", "--create", name, w.first.id)
        w.change(f"{name}.txt", content)
    w.publish("one")
    w.here.git("switch", "--quiet", "main")
    w.here.git("merge", "--quiet", "--no-edit", "one", "two")
    return w.push("origin", "main")


@situation(ALREADY)
def merge_that_resolves_a_conflict(w: World) -> Push:
    """In a file with the secret, which both of the branches and the remote have."""
    _published(w)
    w.here.git("switch", "--quiet", "--create", "topic")
    w.change("settings.ini", _settings(w, b"a.example.test"))
    w.publish("topic")
    w.here.git("switch", "--quiet", "main")
    w.change("settings.ini", _settings(w, b"b.example.test"))
    w.publish("main")
    w.here.git("merge", "--quiet", "--no-commit", "--strategy=ours", "topic")
    w.here.write({"settings.ini": _settings(w, b"a.example.test, b.example.test")})
    w.here.git("commit", "--quiet", "--all", "-m", "merge")
    return w.push("origin", "main")


@situation(NOT_SENT)
def rename(w: World) -> Push:
    """Of a file with the secret, without a change: its blob is not sent."""
    _published(w)
    w.here.git("mv", "settings.ini", "renamed.ini")
    w.here.commit()
    return w.push("origin", "main")


@situation(NOT_SENT)
def rename_of_a_folder(w: World) -> Push:
    """With all that is in it."""
    w.change("app/settings.ini", _settings(w))
    w.publish("main")
    w.here.git("mv", "app", "lib")
    w.here.commit()
    return w.push("origin", "main")


@situation(ALREADY, sha256=True)
def rename_with_a_change(w: World) -> Push:
    """The secret is on a line that was not touched."""
    _published(w)
    w.here.git("mv", "settings.ini", "renamed.ini")
    w.change("renamed.ini", _settings(w, b"www.example.test"))
    return w.push("origin", "main")


@situation(ALREADY)
def copy_with_a_change(w: World) -> Push:
    """The secret is in the original, too."""
    _published(w)
    w.change("app/copied.ini", _settings(w, b"www.example.test"))
    return w.push("origin", "main")


@situation(ALREADY)
def line_that_was_not_touched(w: World) -> Push:
    """Of a file with the secret another line is changed."""
    _published(w)
    w.change("settings.ini", _settings(w, b"www.example.test"))
    return w.push("origin", "main")


@situation(ALREADY)
def secret_that_moves_to_another_file(w: World) -> Push:
    """It is taken out of the one that the remote has."""
    _published(w)
    w.here.write({"settings.ini": b"host = example.test\n"})
    w.change("app/main.py", b"import sys\n" + w.line)
    return w.push("origin", "main")


@situation(ALREADY)
def secret_that_is_taken_out_and_put_back(w: World) -> Push:
    """In two commits, of a file that the remote has with it."""
    _published(w)
    w.change("settings.ini", b"host = example.test\n")
    w.change("settings.ini", _settings(w, b"www.example.test"))
    return w.push("origin", "main")


@situation(NOT_SENT)
def secret_that_is_taken_out(w: World) -> Push:
    """The remote has it; what is pushed has not."""
    _published(w)
    w.change("settings.ini", b"host = example.test\n")
    return w.push("origin", "main")


@situation()
def removal_that_is_reverted(w: World) -> Push:
    """The remote's branch does not have the secret any more: it would stand at its head again."""
    _published(w)
    w.change("settings.ini", b"host = example.test\n")
    w.publish("main")
    w.here.git("revert", "--no-edit", "HEAD")
    return w.push("origin", "main")


@situation()
def secret_that_is_added_and_taken_out_again(w: World) -> Push:
    """Between what the remote has and what is pushed: it stands in history."""
    w.change()
    w.change(content=b"taken out\n")
    w.here.remove("change.txt")
    return w.push("origin", "main")


@situation()
def message_of_a_commit(w: World) -> Push:
    """Nothing else is new."""
    w.here.commit({}, f"describe {w.word.decode()}")
    return w.push("origin", "main")


@situation(NOTHING)
def commit_without_a_change(w: World) -> Push:
    """Nothing but its message."""
    w.here.commit()
    return w.push("origin", "main")


@situation(NOT_SENT)
def change_of_a_mode(w: World) -> Push:
    """The file with the secret becomes executable: its blob is not sent."""
    _published(w)
    (w.here.path / "settings.ini").chmod(0o755)
    w.here.commit()
    return w.push("origin", "main")


@situation()
def binary_file(w: World) -> Push:
    """The secret is between bytes of all kinds."""
    w.change("data.bin", bytes(range(256)) * 40 + b"\0" + w.line + bytes(range(256)))
    return w.push("origin", "main")


@situation()
def symbolic_link(w: World) -> Push:
    """The secret is in what it points to."""
    (w.here.path / "link").symlink_to(os.fsdecode(b"files?token=" + w.word))
    w.here.commit()
    return w.push("origin", "main")


@situation()
def file_that_becomes_a_folder(w: World) -> Push:
    """Of the same name."""
    w.here.git("rm", "--quiet", "readme.md")
    w.change("readme.md/change.txt")
    return w.push("origin", "main")


@situation()
def submodule_that_is_added(w: World) -> Push:
    """Only the file that names it is searched: its commits are not sent."""
    other = w.repository("other")
    submodule = other.commit({"secret.txt": b"of no interest here\n"})
    w.here.git("update-index", "--add", "--cacheinfo", f"160000,{submodule.id},other")
    w.here.write({".gitmodules": b'[submodule "other"]\n\tpath = other\n\turl = ../other\n# ' + w.line})
    w.here.git("add", ".gitmodules")
    w.here.git("commit", "--quiet", "-m", "other")
    return w.push("origin", "main")


@situation(NOTHING)
def submodule_that_is_moved_on(w: World) -> Push:
    """To a commit that this repository does not have."""
    for digit in "12":
        w.here.git("update-index", "--add", "--cacheinfo", f"160000,{digit * len(w.first.id)},other")
        w.here.git("commit", "--quiet", "-m", "other")
        if digit == "1":
            w.publish("main")
    return w.push("origin", "main")


@situation()
def unrelated_history(w: World) -> Push:
    """A branch that begins anew."""
    w.here.git("switch", "--quiet", "--orphan", "pages")
    w.change()
    return w.push("origin", "pages")


@situation()
def subtree_of_another_history(w: World) -> Push:
    """Merged without a common ancestor."""
    w.here.git("switch", "--quiet", "--orphan", "other")
    w.change()
    w.here.git("switch", "--quiet", "main")
    w.here.git("merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "other")
    return w.push("origin", "main")


@situation()
def large_file(w: World) -> Push:
    """The secret stands at a place that is read in pieces."""
    filler = b"".join(b"%d is a number\n" % number for number in range(300_000))
    w.change("large.txt", filler[: len(filler) // 2] + b"\n" + w.line + filler[len(filler) // 2 :])
    return w.push("origin", "main")


@situation()
def file_of_another_encoding(w: World) -> Push:
    """UTF-16."""
    w.change("settings.ini", w.line.decode().encode("utf-16"))
    return w.push("origin", "main")


@situation(ALREADY)
def cherry_pick(w: World) -> Push:
    """Of a commit that the remote has in another branch."""
    w.here.git("switch", "--quiet", "--create", "topic", w.first.id)
    w.change()
    w.publish("topic")
    w.here.git("switch", "--quiet", "main")
    w.here.git("cherry-pick", "topic")
    return w.push("origin", "main")


@situation()
def more_than_one_process_searches(w: World) -> Push:
    """Several files of several MiB; the secret is in one of them. Their matcher is first made, which may take long."""
    settings = w.folder / ".config" / "oakum" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[push]\nbudget = 60\n")
    filler = b"0123456789 abcdefghijklmnopqrstuvwxyz\n" * 130_000
    files = {f"{name}.txt": name.encode() + filler for name in "abcdef"}
    w.here.commit(files | {"c.txt": b"c" + filler + w.line})
    return w.push("origin", "main")
