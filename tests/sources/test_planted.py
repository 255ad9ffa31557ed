"""A secret planted in each place that git or a file tree has is found, once, with the right origin."""

from __future__ import annotations

import base64
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from git_repository import AUTHOR, GitRepository
from oakum.scanner.errors import UsageError
from oakum.scanner.model import GitBlob, Origin, Stdin
from scanning import DETECTOR, Fresh, in_file, in_git, in_message, left_out, lost, places, scan

TAGGER = "Charles Babbage <charles@example.test>"


def line(secret: bytes) -> bytes:
    """A line of configuration with a secret."""
    return b"token = " + secret + b"\n"


def _dated(origin: Origin, date: str) -> Origin:
    """An origin with another date."""
    assert isinstance(origin, GitBlob)
    return replace(origin, date=date)


class TestHistory:
    """Places in commits."""

    def test_branch_head(self, repo: GitRepository, fresh: Fresh) -> None:
        """A file at the head of the default branch; the work tree's unmodified copy is no second occurrence."""
        secret = fresh()
        commit = repo.commit({"app/settings.py": b"import os\n" + line(secret)})
        result = scan(repo.path)
        assert places(result) == {
            secret: [in_git(repo.blob("HEAD:app/settings.py"), "app/settings.py", commit, "head", line=2)]
        }
        assert result.complete
        span = result.findings[0].finding.occurrences[0].span
        assert (span.line, span.column, span.end_line, span.end_column) == (2, 9, 2, 49)

    def test_deleted_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """A file that a later commit took away."""
        secret = fresh()
        commit = repo.commit({"key.txt": line(secret)})
        blob = repo.blob("HEAD:key.txt")
        repo.remove("key.txt")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "key.txt", commit, "history")]}

    def test_side_branch(self, repo: GitRepository, fresh: Fresh) -> None:
        """A branch that was never merged."""
        secret = fresh()
        repo.git("switch", "--quiet", "--create", "side")
        commit = repo.commit({"side.txt": line(secret)})
        blob = repo.blob("HEAD:side.txt")
        repo.git("switch", "--quiet", "main")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "side.txt", commit, "branch", "side")]}

    def test_the_change_of_a_merge_commit_itself(self, repo: GitRepository, fresh: Fresh) -> None:
        """What stands in neither parent of a merge."""
        secret = fresh()
        repo.git("switch", "--quiet", "--create", "side")
        repo.commit({"side.txt": b"side\n"})
        repo.git("switch", "--quiet", "main")
        repo.commit({"main.txt": b"main\n"})
        repo.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
        merge = repo.commit({"start.txt": line(secret)}, "merge side")
        assert len(repo.git("rev-list", "--parents", "-1", "HEAD").split()) == 3
        blob = repo.blob("HEAD:start.txt")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "start.txt", merge, "head")]}

    def test_an_octopus_merge_brings_nothing_of_its_own(self, repo: GitRepository, fresh: Fresh) -> None:
        """Each secret belongs to the commit of its branch."""
        expected = {}
        for name in ("one", "two"):
            repo.git("switch", "--quiet", "--create", name, "main")
            secret = fresh()
            commit = repo.commit({name: line(secret)})
            expected[secret] = [in_git(repo.blob(f"HEAD:{name}"), name, commit, "head")]
        repo.git("switch", "--quiet", "main")
        repo.git("merge", "--quiet", "-m", "octopus", "one", "two")
        assert places(scan(repo.path)) == expected

    def test_renamed_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """Both names, each with the commit that brought it: the new one at the head."""
        secret = fresh()
        first = repo.commit({"old.txt": line(secret)})
        blob = repo.blob("HEAD:old.txt")
        repo.git("mv", "old.txt", "new.txt")
        second = repo.commit(message="rename")
        assert places(scan(repo.path)) == {
            secret: [in_git(blob, "new.txt", second, "head"), in_git(blob, "old.txt", first, "history")]
        }

    def test_many_versions_of_a_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """One finding with one occurrence: the first commit, the head's blob and position, the number of blobs."""
        secret = fresh()
        first = repo.commit({"app.cfg": line(secret)})
        for number in range(2, 6):
            repo.commit({"app.cfg": b"# more\n" * number + line(secret)})
        blob = repo.blob("HEAD:app.cfg")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "app.cfg", first, "head", line=6, blobs=5)]}

    def test_taken_out_and_put_back(self, repo: GitRepository, fresh: Fresh) -> None:
        """The first time counts as the commit that brought it."""
        secret = fresh()
        first = repo.commit({"app.cfg": line(secret)})
        repo.commit({"app.cfg": b"token = none\n"})
        repo.commit({"app.cfg": line(secret)})
        blob = repo.blob("HEAD:app.cfg")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "app.cfg", first, "head")]}

    def test_two_paths(self, repo: GitRepository, fresh: Fresh) -> None:
        """The same content at two paths is one blob and two occurrences of one finding."""
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret), "b/c.txt": line(secret)})
        blob = repo.blob("HEAD:a.txt")
        assert places(scan(repo.path)) == {
            secret: [in_git(blob, "a.txt", commit, "head"), in_git(blob, "b/c.txt", commit, "head")]
        }

    def test_two_secrets_on_a_line(self, repo: GitRepository, fresh: Fresh) -> None:
        """Each is a finding, and the excerpt of neither shows the other."""
        one, two = fresh(), fresh("github:gho")
        commit = repo.commit({"a.txt": b"a=" + one + b" b=" + two + b"\n"})
        result = scan(repo.path)
        blob = repo.blob("HEAD:a.txt")
        place = in_git(blob, "a.txt", commit, "head")
        assert places(result) == {one: [place], two: [("github-oauth-token", *place[1:])]}
        shown = b"".join(o.excerpt.text for r in result.findings for o in r.finding.occurrences)
        assert one not in shown
        assert two not in shown

    def test_commit_that_is_only_a_tag(self, repo: GitRepository, fresh: Fresh) -> None:
        """A branch is gone, its tag keeps the commit: history."""
        secret = fresh()
        repo.git("switch", "--quiet", "--create", "release")
        commit = repo.commit({"release.txt": line(secret)})
        blob = repo.blob("HEAD:release.txt")
        repo.git("tag", "v1")
        repo.git("switch", "--quiet", "main")
        repo.git("branch", "-D", "release")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "release.txt", commit, "history")]}

    def test_symbolic_link(self, repo: GitRepository, fresh: Fresh) -> None:
        """The target of a link is the content of a blob."""
        secret = fresh()
        os.symlink(b"https://" + secret + b"@github.com/", repo.path / "link")
        commit = repo.commit()
        blob = repo.blob("HEAD:link")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "link", commit, "head")]}


class TestUnreachable:
    """Places that no branch and no tag reaches."""

    def test_stash(self, repo: GitRepository, fresh: Fresh) -> None:
        """An unstaged change, a staged one and an untracked file in the stash."""
        changed, staged, untracked = fresh(), fresh(), fresh()
        repo.commit({"a.txt": b"a\n", "b.txt": b"b\n"})
        repo.write({"a.txt": line(changed), "b.txt": line(staged)})
        repo.git("add", "b.txt")
        repo.write({"c.txt": line(untracked)})
        repo.git("stash", "--include-untracked")
        work, index, others = (repo.made(name) for name in ("stash", "stash^2", "stash^3"))
        when = work.date
        blobs = [repo.blob(name) for name in ("stash:a.txt", "stash^2:b.txt", "stash^3:c.txt")]
        found = places(scan(repo.path))
        expected = {}
        for secret, blob, path, commit in zip(
            (changed, staged, untracked), blobs, ("a.txt", "b.txt", "c.txt"), (work, index, others), strict=True
        ):
            _, origin, at, count = in_git(blob, path, commit, "unreachable", "refs/stash")
            expected[secret] = [(DETECTOR, _dated(origin, when), at, count)]
        assert found == expected

    def test_older_stash(self, repo: GitRepository, fresh: Fresh) -> None:
        """All stashes but the newest are in the reflog of refs/stash only."""
        older, newer = fresh(), fresh()
        expected = {}
        for secret in (older, newer):
            repo.write({"start.txt": line(secret)})
            repo.git("stash")
            commit = repo.made("stash")
            via = "reflog" if secret == older else "refs/stash"
            expected[secret] = [in_git(repo.blob("stash:start.txt"), "start.txt", commit, "unreachable", via)]
        assert places(scan(repo.path)) == expected

    def test_dangling_commit(self, repo: GitRepository, fresh: Fresh) -> None:
        """A commit that not even the reflog knows."""
        secret = fresh()
        commit = repo.commit({"gone.txt": line(secret)})
        blob = repo.blob("HEAD:gone.txt")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        repo.git("reflog", "expire", "--expire=now", "--all")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "gone.txt", commit, "unreachable", "dangling")]}

    def test_dangling_blob(self, repo: GitRepository, fresh: Fresh) -> None:
        """A blob that no commit ever held, such as one that was staged and unstaged again."""
        secret = fresh()
        repo.write({"start.txt": line(secret)})
        repo.git("add", "start.txt")
        blob = repo.blob(":start.txt")
        repo.git("reset", "--quiet", "--hard")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "", None, "unreachable", "dangling")]}

    def test_reflog(self, repo: GitRepository, fresh: Fresh) -> None:
        """A commit that was amended away."""
        secret = fresh()
        commit = repo.commit({"gone.txt": line(secret)})
        blob = repo.blob("HEAD:gone.txt")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "gone.txt", commit, "unreachable", "reflog")]}

    def test_pull_request(self, repo: GitRepository, fresh: Fresh) -> None:
        """A ref that the code host keeps for a pull request."""
        secret = fresh()
        commit = repo.commit({"fork.txt": line(secret)})
        blob = repo.blob("HEAD:fork.txt")
        repo.git("update-ref", "refs/pull/7/head", "HEAD")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        via = "refs/pull/7/head"
        assert places(scan(repo.path)) == {secret: [in_git(blob, "fork.txt", commit, "unreachable", via)]}

    def test_a_place_in_history_goes_before_one_outside_of_it(self, repo: GitRepository, fresh: Fresh) -> None:
        """A commit that was rebased is dangling and in the history; the blob is the same: one occurrence."""
        secret = fresh()
        repo.commit({"app.txt": line(secret)})
        repo.git("commit", "--quiet", "--amend", "-m", "better words")
        second = repo.made("HEAD")
        blob = repo.blob("HEAD:app.txt")
        _, origin, at, count = in_git(blob, "app.txt", second, "head")
        first_day = repo.git("show", "-s", "--format=%aI", "HEAD")
        assert places(scan(repo.path)) == {secret: [(DETECTOR, _dated(origin, first_day), at, count)]}


class TestMessages:
    """Texts that are no files."""

    def test_commit_message(self, repo: GitRepository, fresh: Fresh) -> None:
        """The line counts from the first line of the commit, which has five lines before its message."""
        secret = fresh()
        commit = repo.commit({"a.txt": b"a\n"}, "subject\n\nused " + secret.decode() + " for it")
        assert places(scan(repo.path)) == {
            secret: [in_message("commit", commit.id, AUTHOR, commit.date, "history", line=8)]
        }

    def test_commit_message_of_a_dangling_commit(self, repo: GitRepository, fresh: Fresh) -> None:
        """A message that was amended because of what stood in it."""
        secret = fresh()
        commit = repo.commit({"a.txt": b"a\n"}, secret.decode())
        repo.git("commit", "--quiet", "--amend", "-m", "clean")
        repo.git("reflog", "expire", "--expire=now", "--all")
        assert places(scan(repo.path)) == {
            secret: [in_message("commit", commit.id, AUTHOR, commit.date, "unreachable", "dangling", line=6)]
        }

    def test_message_of_an_annotated_tag(self, repo: GitRepository, fresh: Fresh) -> None:
        """By the tagger, at the date of the tag."""
        secret = fresh()
        repo.git("tag", "-a", "v1", "-m", "release\n\n" + secret.decode())
        tag = repo.git("rev-parse", "v1^{tag}")
        assert places(scan(repo.path)) == {secret: [in_message("tag", tag, TAGGER, repo.date, "history", line=8)]}

    def test_tag_of_a_blob(self, repo: GitRepository, fresh: Fresh) -> None:
        """A blob that a tag names without any commit, as some projects publish their keys; and the tag's message."""
        content, message = fresh(), fresh()
        blob = repo.git("hash-object", "-w", "--stdin", stdin=line(content))
        repo.git("tag", "-a", "key", blob, "-m", message.decode())
        repo.git("update-ref", "refs/keys/one", blob)
        tag = repo.git("rev-parse", "key^{tag}")
        assert places(scan(repo.path)) == {
            content: [in_git(blob, "", None, "history")],
            message: [in_message("tag", tag, TAGGER, repo.date, "history", line=6)],
        }

    def test_note(self, repo: GitRepository, fresh: Fresh) -> None:
        """With the commit it is about, by the author of the note."""
        secret = fresh()
        target = repo.git("rev-parse", "HEAD")
        repo.git("notes", "add", "-m", "deployed with " + secret.decode())
        note = repo.made("refs/notes/commits")
        via = "refs/notes/commits"
        assert places(scan(repo.path)) == {secret: [in_message("note", target, AUTHOR, note.date, "unreachable", via)]}

    def test_url_of_a_remote(self, repo: GitRepository, fresh: Fresh) -> None:
        """A token in .git/config, which is not a part of any commit."""
        secret = fresh()
        repo.git("remote", "add", "origin", f"https://acme:{secret.decode()}@github.com/acme/app.git")
        config = (repo.path / ".git" / "config").read_bytes()
        number = config[: config.index(secret)].count(b"\n") + 1
        assert places(scan(repo.path)) == {secret: [in_file(".git/config", line=number)]}

    def test_url_of_a_remote_in_what_git_notes_of_a_fetch(self, repo: GitRepository, fresh: Fresh) -> None:
        """git writes the URL of a clone into the reflog of HEAD."""
        secret = fresh()
        log = repo.path / ".git" / "logs" / "HEAD"
        log.write_bytes(
            log.read_bytes().replace(b"\tcommit (initial): start", b"\tclone: from https://x:%b@h" % secret)
        )
        assert places(scan(repo.path)) == {secret: [in_file(".git/logs/HEAD")]}


class TestWorkTree:
    """Places that no commit has yet."""

    def test_staged_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """In the index only; the same file in the work tree is no second occurrence."""
        secret = fresh()
        repo.write({"new.txt": line(secret)})
        repo.git("add", "new.txt")
        assert places(scan(repo.path)) == {secret: [in_git(repo.blob(":new.txt"), "new.txt", None, "staged")]}

    def test_staged_and_removed_from_the_work_tree(self, repo: GitRepository, fresh: Fresh) -> None:
        """The index alone has it."""
        secret = fresh()
        repo.write({"new.txt": line(secret)})
        repo.git("add", "new.txt")
        (repo.path / "new.txt").unlink()
        result = scan(repo.path)
        assert places(result) == {secret: [in_git(repo.blob(":new.txt"), "new.txt", None, "staged")]}
        assert result.complete

    def test_unstaged_change(self, repo: GitRepository, fresh: Fresh) -> None:
        """A tracked file that was edited."""
        secret = fresh()
        repo.write({"start.txt": b"more\n" + line(secret)})
        assert places(scan(repo.path)) == {secret: [in_file("start.txt", line=2)]}

    def test_untracked_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """A file that was never added, below a new folder."""
        secret = fresh()
        repo.write({"new/file.txt": line(secret)})
        assert places(scan(repo.path)) == {secret: [in_file("new/file.txt")]}

    def test_one_place_of_each_kind(self, repo: GitRepository, fresh: Fresh) -> None:
        """Head, staged, unstaged and untracked at once: the parts do not get into each other's way."""
        head, staged, changed, untracked = (fresh() for _ in range(4))
        commit = repo.commit({"head.txt": line(head), "changed.txt": b"was\n"})
        repo.write({"staged.txt": line(staged), "changed.txt": line(changed), "untracked.txt": line(untracked)})
        repo.git("add", "staged.txt")
        assert places(scan(repo.path)) == {
            head: [in_git(repo.blob("HEAD:head.txt"), "head.txt", commit, "head")],
            staged: [in_git(repo.blob(":staged.txt"), "staged.txt", None, "staged")],
            changed: [in_file("changed.txt")],
            untracked: [in_file("untracked.txt")],
        }

    def test_a_committed_secret_in_an_edited_file_is_one_occurrence(self, repo: GitRepository, fresh: Fresh) -> None:
        """The edit left the secret alone."""
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret)})
        repo.write({"a.txt": line(secret) + b"an edit\n"})
        assert places(scan(repo.path)) == {secret: [in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head")]}

    def test_unmerged_index(self, repo: GitRepository, fresh: Fresh) -> None:
        """A merge in conflict: both sides are in history; in the file with the markers only theirs is new here."""
        ours, theirs = fresh(), fresh()
        repo.git("switch", "--quiet", "--create", "side")
        side = repo.commit({"start.txt": line(theirs)})
        repo.git("switch", "--quiet", "main")
        main = repo.commit({"start.txt": line(ours)})
        with pytest.raises(AssertionError):
            repo.git("merge", "side")
        assert b"<<<<<<<" in (repo.path / "start.txt").read_bytes()
        result = scan(repo.path)
        assert places(result) == {
            ours: [in_git(repo.blob("main:start.txt"), "start.txt", main, "head")],
            theirs: [
                in_file("start.txt", line=4),
                in_git(repo.blob("side:start.txt"), "start.txt", side, "branch", "side"),
            ],
        }
        assert result.complete

    def test_ignored_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """.gitignore is honoured, what it leaves out is named, and --no-ignore searches it."""
        secret, deep = fresh(), fresh()
        repo.commit({".gitignore": b"*.env\nbuild/\n"})
        repo.write({"local.env": line(secret), "build/out.txt": line(deep)})
        result = scan(repo.path)
        why = "ignored by .gitignore; --no-ignore searches it"
        assert places(result) == {}
        assert left_out(result) == [(b"build/", why), (b"local.env", why)]
        assert result.complete
        everything = scan(repo.path, ignore=False)
        assert places(everything) == {secret: [in_file("local.env")], deep: [in_file("build/out.txt")]}
        assert left_out(everything) == []

    def test_ignored_but_tracked_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """A file that was added by force is searched like any other."""
        secret = fresh()
        repo.commit({".gitignore": b"*.env\n"})
        repo.write({"forced.env": b"x\n"})
        repo.git("add", "--force", "forced.env")
        repo.git("commit", "--quiet", "-m", "force")
        repo.write({"forced.env": line(secret)})
        assert places(scan(repo.path)) == {secret: [in_file("forced.env")]}

    def test_special_files(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """FIFOs, sockets, links, link loops and links out of the tree are neither opened nor followed."""
        inside, outside = fresh(), fresh()
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret.txt").write_bytes(line(outside))
        repo.write({"plain.txt": line(inside), ".gitignore": b"ignored\n"})
        os.mkfifo(repo.path / "fifo")
        os.symlink("loop-b", repo.path / "loop-a")
        os.symlink("loop-a", repo.path / "loop-b")
        os.symlink(".", repo.path / "self")
        os.symlink(tmp_path / "outside", repo.path / "out")
        os.symlink(tmp_path / "outside" / "secret.txt", repo.path / "one")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.relpath(repo.path / "socket"))
            for ignore in (True, False):
                result = scan(repo.path, ignore=ignore)
                assert places(result) == {inside: [in_file("plain.txt")]}
                assert result.complete

    def test_folder_that_a_link_replaced(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """A tracked folder is now a link out of the tree: its files are not read through it."""
        outside = fresh()
        repo.commit({"conf/app.txt": b"x\n"})
        shutil.rmtree(repo.path / "conf")
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "app.txt").write_bytes(line(outside))
        os.symlink(tmp_path / "outside", repo.path / "conf")
        result = scan(repo.path)
        assert places(result) == {}
        assert (b"conf/app.txt", "stands behind a symbolic link") in left_out(result)

    def test_index_that_says_unmodified_is_not_believed(self, repo: GitRepository, fresh: Fresh) -> None:
        """`assume-unchanged` and `skip-worktree` come with a repository; content decides."""
        one, two = fresh(), fresh()
        repo.commit({"a.txt": b"a\n", "b.txt": b"b\n"})
        repo.git("update-index", "--assume-unchanged", "a.txt")
        repo.git("update-index", "--skip-worktree", "b.txt")
        repo.write({"a.txt": line(one), "b.txt": line(two)})
        assert places(scan(repo.path)) == {one: [in_file("a.txt")], two: [in_file("b.txt")]}

    def test_sparse_checkout(self, repo: GitRepository, fresh: Fresh) -> None:
        """Files that are not checked out are found in git's objects; their absence is no loss."""
        secret = fresh()
        commit = repo.commit({"in/a.txt": b"a\n", "out/b.txt": line(secret)})
        repo.git("sparse-checkout", "set", "in")
        assert not (repo.path / "out").exists()
        result = scan(repo.path)
        assert places(result) == {secret: [in_git(repo.blob("HEAD:out/b.txt"), "out/b.txt", commit, "head")]}
        assert result.complete


class TestKindsOfRepositories:
    """However a repository is laid out, the same is found in it."""

    def test_sha256(self, tmp_path: Path, fresh: Fresh) -> None:
        """Object ids of 64 digits."""
        repo = GitRepository.create(tmp_path / "repo", "--object-format=sha256")
        head, gone, unstaged, note = (fresh() for _ in range(4))
        first = repo.commit({"gone.txt": line(gone), "start.txt": b"x\n"})
        blob = repo.blob("HEAD:gone.txt")
        repo.remove("gone.txt")
        second = repo.commit({"head.txt": line(head)})
        repo.git("notes", "add", "-m", note.decode())
        noted = repo.made("refs/notes/commits")
        repo.write({"start.txt": line(unstaged)})
        result = scan(repo.path)
        assert places(result) == {
            head: [in_git(repo.blob("HEAD:head.txt"), "head.txt", second, "head")],
            gone: [in_git(blob, "gone.txt", first, "history")],
            unstaged: [in_file("start.txt")],
            note: [in_message("note", second.id, AUTHOR, noted.date, "unreachable", "refs/notes/commits")],
        }
        assert len(blob) == 64
        assert result.complete

    def test_bare(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """No work tree; the configuration is still read."""
        secret, token = fresh(), fresh()
        commit = repo.commit({"a.txt": line(secret)})
        repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
        config = tmp_path / "bare.git" / "config"
        config.write_bytes(
            b'[remote "origin"]\n\turl = https://x:' + token + b"@github.com/a/b\n" + config.read_bytes()
        )
        expected = {
            secret: [in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head")],
            token: [in_file("config", line=2)],
        }
        assert places(scan(tmp_path / "bare.git")) == expected
        assert places(scan(tmp_path / "bare.git", history=False)) == {
            secret: [(DETECTOR, GitBlob(repo.blob("HEAD:a.txt"), b"a.txt", reach="head"), 1, 1)],
            token: [in_file("config", line=2)],
        }

    def test_packed(self, repo: GitRepository, fresh: Fresh) -> None:
        """After `git gc`, deltas and packed refs included."""
        secret = fresh()
        text = b"".join(b"line %d of a file that makes a good delta\n" % n for n in range(300))
        repo.commit({"big.txt": text})
        commit = repo.commit({"big.txt": text + line(secret)})
        repo.commit({"big.txt": text + line(secret) + b"end\n"})
        repo.git("gc", "--quiet")
        assert not list((repo.path / ".git" / "refs" / "heads").iterdir())
        blob = repo.blob("HEAD:big.txt")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "big.txt", commit, "head", line=301, blobs=2)]}

    def test_linked_work_tree(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """`git worktree add`: all of the history, this work tree's files, its own index, HEAD as the default."""
        head, linked, staged, untracked, elsewhere = (fresh() for _ in range(5))
        main = repo.commit({"head.txt": line(head)})
        repo.write({"elsewhere.txt": line(elsewhere)})
        repo.git("worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
        tree = GitRepository(tmp_path / "linked", days=5)
        commit = tree.commit({"linked.txt": line(linked)})
        tree.write({"staged.txt": line(staged), "untracked.txt": line(untracked)})
        tree.git("add", "staged.txt")
        assert places(scan(tmp_path / "linked")) == {
            head: [in_git(tree.blob("HEAD:head.txt"), "head.txt", main, "head")],
            linked: [in_git(tree.blob("HEAD:linked.txt"), "linked.txt", commit, "head")],
            staged: [in_git(tree.blob(":staged.txt"), "staged.txt", None, "staged")],
            untracked: [in_file("untracked.txt")],
        }

    def test_shallow_clone(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """What the clone has is searched; the cut is not taken for damage, and the oldest commit here brings it in."""
        old, new = fresh(), fresh()
        repo.commit({"old.txt": line(old)})
        second = repo.commit({"new.txt": line(new)})
        url = f"file://{repo.path}"
        repo.git("clone", "--quiet", "--depth=1", url, str(tmp_path / "shallow"))
        result = scan(tmp_path / "shallow")
        assert places(result) == {
            old: [in_git(repo.blob("HEAD:old.txt"), "old.txt", second, "head")],
            new: [in_git(repo.blob("HEAD:new.txt"), "new.txt", second, "head")],
        }
        assert result.complete

    def test_partial_clone(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """Missing blobs are listed, nothing is fetched, and what is there is searched."""
        gone, head = fresh(), fresh()
        first = repo.commit({"gone.txt": line(gone)})
        blob = repo.blob("HEAD:gone.txt")
        repo.remove("gone.txt")
        last = repo.commit({"head.txt": line(head)})
        repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
        bare = GitRepository(tmp_path / "bare.git")
        bare.git("config", "uploadpack.allowFilter", "true")
        bare.git("config", "uploadpack.allowAnySHA1InWant", "true")
        partial = tmp_path / "partial"
        repo.git("clone", "--quiet", "--filter=blob:none", f"file://{bare.path}", str(partial))
        before = sorted((partial / ".git" / "objects" / "pack").iterdir())
        result = scan(partial)
        assert places(result) == {head: [in_git(repo.blob("HEAD:head.txt"), "head.txt", last, "head")]}
        why = f"git blob is not in the object store (first named by commit {first.id[:12]})"
        assert lost(result) == [(blob.encode() + b" gone.txt", why)]
        assert not result.complete
        assert sorted((partial / ".git" / "objects" / "pack").iterdir()) == before

    def test_alternates(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """`git clone --shared`: the objects lie in another repository."""
        theirs, ours = fresh(), fresh()
        first = repo.commit({"theirs.txt": line(theirs)})
        repo.git("clone", "--quiet", "--shared", str(repo.path), str(tmp_path / "shared"))
        shared = GitRepository(tmp_path / "shared", days=repo.days)
        second = shared.commit({"ours.txt": line(ours)})
        assert places(scan(shared.path)) == {
            theirs: [in_git(shared.blob("HEAD:theirs.txt"), "theirs.txt", first, "head")],
            ours: [in_git(shared.blob("HEAD:ours.txt"), "ours.txt", second, "head")],
        }

    def test_submodule(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """Named as left out of the scan of its parent, and a target of its own: `.git` is a file there."""
        secret = fresh()
        inner = GitRepository.create(tmp_path / "inner")
        commit = inner.commit({"inner.txt": line(secret)})
        repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "sub")
        repo.commit(message="add a submodule")
        outer = scan(repo.path)
        assert places(outer) == {}
        why = "a repository of its own: its files are searched here, its history by scanning it by itself"
        assert left_out(outer) == [(b"sub", "a submodule: scan it by itself"), (b".git/modules/sub", why)]
        assert outer.complete
        expected = in_git(inner.blob("HEAD:inner.txt"), "inner.txt", commit, "head")
        assert places(scan(repo.path / "sub")) == {secret: [expected]}

    def test_empty_repository(self, tmp_path: Path, fresh: Fresh) -> None:
        """No commit yet: nothing found and nothing lost; what lies in the work tree or index is found."""
        repo = GitRepository.create(tmp_path / "repo")
        result = scan(repo.path)
        assert (places(result), lost(result), result.complete) == ({}, [], True)
        untracked, staged = fresh(), fresh()
        repo.write({"untracked.txt": line(untracked), "staged.txt": line(staged)})
        repo.git("add", "staged.txt")
        expected = {
            untracked: [in_file("untracked.txt")],
            staged: [in_git(repo.blob(":staged.txt"), "staged.txt", None, "staged")],
        }
        assert places(scan(repo.path)) == expected
        assert places(scan(repo.path, staged=True)) == {staged: expected[staged]}
        assert places(scan(repo.path, history=False)) == expected

    def test_detached_head(self, repo: GitRepository, fresh: Fresh) -> None:
        """HEAD is what it is detached at; a commit that only HEAD has counts as its head."""
        secret, main = fresh(), fresh()
        repo.git("switch", "--quiet", "--detach")
        commit = repo.commit({"a.txt": line(secret)})
        blob = repo.blob("HEAD:a.txt")
        repo.git("switch", "--quiet", "main")
        other = repo.commit({"b.txt": line(main)})
        other_blob = repo.blob("HEAD:b.txt")
        repo.git("switch", "--quiet", "--detach", commit.id)
        assert places(scan(repo.path)) == {
            secret: [in_git(blob, "a.txt", commit, "head")],
            main: [in_git(other_blob, "b.txt", other, "branch", "main")],
        }

    def test_a_folder_below_the_top_of_a_repository_is_a_folder(self, repo: GitRepository, fresh: Fresh) -> None:
        """Its files are searched; no history."""
        secret, gone = fresh(), fresh()
        repo.commit({"sub/a.txt": line(gone)})
        repo.commit({"sub/a.txt": line(secret)})
        assert places(scan(repo.path / "sub")) == {secret: [in_file(repo.path / "sub" / "a.txt")]}

    def test_a_repository_inside_a_folder(self, repo: GitRepository, fresh: Fresh) -> None:
        """Its files are searched with the folder's, its history is named as left out."""
        secret = fresh()
        repo.commit({"a.txt": line(secret)})
        result = scan(repo.path.parent)
        assert places(result) == {secret: [in_file(repo.path / "a.txt")]}
        why = "a repository of its own: its files are searched here, its history by scanning it by itself"
        assert left_out(result) == [(os.fsencode(repo.path), why)]


class TestNarrowed:
    """Less than everything, as it was asked for."""

    def test_no_history(self, repo: GitRepository, fresh: Fresh) -> None:
        """The work tree as it is and what is staged."""
        gone, head, staged, untracked = (fresh() for _ in range(4))
        repo.commit({"gone.txt": line(gone)}, "message with " + fresh().decode())
        repo.remove("gone.txt")
        repo.commit({"head.txt": line(head)})
        repo.write({"staged.txt": line(staged), "untracked.txt": line(untracked)})
        repo.git("add", "staged.txt")
        (repo.path / ".git" / "COMMIT_EDITMSG").unlink()
        shutil.rmtree(repo.path / ".git" / "logs")
        assert places(scan(repo.path, history=False)) == {
            head: [in_file("head.txt")],
            staged: [in_git(repo.blob(":staged.txt"), "staged.txt", None, "staged")],
            untracked: [in_file("untracked.txt")],
        }

    def test_range(self, repo: GitRepository, fresh: Fresh) -> None:
        """What the commits of a range brought in, messages included, and nothing else."""
        before, inside, said, after, unstaged = (fresh() for _ in range(5))
        start = repo.commit({"before.txt": line(before)})
        commit = repo.commit({"inside.txt": line(inside)}, said.decode())
        blob = repo.blob("HEAD:inside.txt")
        repo.commit({"after.txt": line(after)})
        repo.write({"start.txt": line(unstaged)})
        assert places(scan(repo.path, range_=f"{start.id}..HEAD^")) == {
            inside: [in_git(blob, "inside.txt", commit, "head")],
            said: [in_message("commit", commit.id, AUTHOR, commit.date, "history", line=6)],
        }

    def test_range_and_an_untouched_line_of_a_touched_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """A secret that stood in the file before is not what the range brought in."""
        old, new = fresh(), fresh()
        repo.commit({"a.txt": line(old)})
        commit = repo.commit({"a.txt": line(old) + line(new)})
        blob = repo.blob("HEAD:a.txt")
        assert places(scan(repo.path, range_="HEAD^..HEAD")) == {new: [in_git(blob, "a.txt", commit, "head", line=2)]}

    def test_range_and_a_secret_copied_to_another_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """Another path is another place."""
        secret = fresh()
        repo.commit({"a.txt": line(secret)})
        commit = repo.commit({"b.txt": line(secret)})
        blob = repo.blob("HEAD:b.txt")
        assert places(scan(repo.path, range_="HEAD^..HEAD")) == {secret: [in_git(blob, "b.txt", commit, "head")]}

    def test_range_in_which_a_secret_came_and_went(self, repo: GitRepository, fresh: Fresh) -> None:
        """It is in the history that would be pushed."""
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret)})
        blob = repo.blob("HEAD:a.txt")
        repo.commit({"a.txt": b"clean\n"})
        assert places(scan(repo.path, range_="HEAD~2..HEAD")) == {secret: [in_git(blob, "a.txt", commit, "history")]}

    def test_range_with_three_dots(self, repo: GitRepository, fresh: Fresh) -> None:
        """The commits that either side has and the other has not."""
        ours, theirs = fresh(), fresh()
        repo.git("branch", "side")
        one = repo.commit({"ours.txt": line(ours)})
        repo.git("switch", "--quiet", "side")
        two = repo.commit({"theirs.txt": line(theirs)})
        blobs = repo.blob("main:ours.txt"), repo.blob("side:theirs.txt")
        repo.git("switch", "--quiet", "main")
        found = places(scan(repo.path, range_="side...main"))
        assert found == {
            ours: [in_git(blobs[0], "ours.txt", one, "head")],
            theirs: [in_git(blobs[1], "theirs.txt", two, "branch", "side")],
        }

    @pytest.mark.parametrize("range_", ["HEAD", "nosuch..HEAD", "HEAD..--all", "--all..HEAD", "..-x", "a..b..c"])
    def test_range_that_is_none(self, repo: GitRepository, range_: str) -> None:
        """Said before anything is searched; never an option to git."""
        with pytest.raises(UsageError):
            scan(repo.path, range_=range_)

    def test_staged(self, repo: GitRepository, fresh: Fresh) -> None:
        """Only what the next commit would bring in."""
        head, staged, unstaged = fresh(), fresh(), fresh()
        repo.commit({"a.txt": line(head)})
        repo.write({"a.txt": line(head) + line(staged)})
        repo.git("add", "a.txt")
        blob = repo.blob(":a.txt")
        repo.write({"a.txt": line(head) + line(staged) + line(unstaged)})
        assert places(scan(repo.path, staged=True)) == {staged: [in_git(blob, "a.txt", None, "staged", line=2)]}

    def test_branch(self, repo: GitRepository, fresh: Fresh) -> None:
        """The history of one branch only, from its beginning."""
        main, side, other = fresh(), fresh(), fresh()
        one = repo.commit({"main.txt": line(main)})
        repo.git("switch", "--quiet", "--create", "side")
        two = repo.commit({"side.txt": line(side)})
        repo.git("switch", "--quiet", "main")
        repo.commit({"other.txt": line(other)})
        assert places(scan(repo.path, branch="side")) == {
            main: [in_git(repo.blob("side:main.txt"), "main.txt", one, "head")],
            side: [in_git(repo.blob("side:side.txt"), "side.txt", two, "branch", "side")],
        }

    @pytest.mark.parametrize("branch", ["nosuch", "--all", "-x", "HEAD:start.txt"])
    def test_branch_that_is_none(self, repo: GitRepository, branch: str) -> None:
        """Said before anything is searched; never an option to git."""
        with pytest.raises(UsageError):
            scan(repo.path, branch=branch)

    def test_since(self, repo: GitRepository, fresh: Fresh) -> None:
        """Commits from a date on."""
        old, new = fresh(), fresh()
        repo.commit({"old.txt": line(old)})
        repo.days += 100
        commit = repo.commit({"new.txt": line(new)})
        blob = repo.blob("HEAD:new.txt")
        assert places(scan(repo.path, since="2024-05-01")) == {new: [in_git(blob, "new.txt", commit, "head")]}

    @pytest.mark.parametrize("option", [{"range_": "a..b"}, {"staged": True}, {"branch": "x"}, {"since": "2020-01-01"}])
    def test_narrowed_without_a_repository(self, tmp_path: Path, option: dict[str, object]) -> None:
        """A folder has no history."""
        with pytest.raises(UsageError, match="is no git repository"):
            scan(tmp_path, **option)


class TestFilesAndStreams:
    """Targets that are no repositories."""

    def test_standard_input(self, fresh: Fresh) -> None:
        """What is piped in."""
        secret = fresh()
        assert places(scan("-", stdin=b"one\n" + line(secret))) == {secret: [(DETECTOR, Stdin(), 2, 1)]}

    def test_one_file(self, tmp_path: Path, fresh: Fresh) -> None:
        """A file by its name, also one that .gitignore names."""
        secret = fresh()
        (tmp_path / "a.txt").write_bytes(line(secret))
        assert places(scan(tmp_path / "a.txt")) == {secret: [in_file(tmp_path / "a.txt")]}

    def test_pem_key_in_a_file_of_its_own(self, tmp_path: Path, fresh: Fresh) -> None:
        """A file that is a private key and nothing else, without a newline at its end."""
        secret = fresh("pem:RSA").replace(b"\r\n", b"\n")
        (tmp_path / "id_rsa").write_bytes(secret)
        assert list(places(scan(tmp_path / "id_rsa"))) == [secret]

    @pytest.mark.long
    def test_large_file_comes_in_pieces(self, tmp_path: Path, fresh: Fresh) -> None:
        """At the seams of the pieces nothing is lost and nothing is found twice; the line is right."""
        at_seam, at_end = fresh(), fresh()
        filler = b"x" * 99 + b"\n"
        first = filler * ((16 << 20) // 100)
        first += b"y" * ((16 << 20) - len(first) - 30) + b"\n" + line(at_seam)
        content = first + filler * 30000 + line(at_end)
        (tmp_path / "big.txt").write_bytes(content)
        expected = {
            secret: [in_file(tmp_path / "big.txt", line=content[: content.index(secret)].count(b"\n") + 1)]
            for secret in (at_seam, at_end)
        }
        assert places(scan(tmp_path / "big.txt")) == expected
        result = scan("-", stdin=content)
        assert {s: (p[0][2], len(p)) for s, p in places(result).items()} == {
            s: (p[0][2], 1) for s, p in expected.items()
        }

    def test_larger_than_max_size(self, repo: GitRepository, fresh: Fresh) -> None:
        """Left out by policy, with its name and size: files, git blobs, and those of a range."""
        secret = fresh()
        commit = repo.commit({"big.txt": line(secret) + b"x" * 5000})
        blob = repo.blob("HEAD:big.txt")
        for options in ({}, {"range_": "HEAD^..HEAD"}):
            result = scan(repo.path, max_size=4000, **options)
            assert places(result) == {}
            assert (blob.encode(), "git blob larger than --max-size (5,049 bytes)") in left_out(result)
            assert result.complete
        whole = scan(repo.path, max_size=5049)
        assert places(whole) == {secret: [in_git(blob, "big.txt", commit, "head")]}

    def test_two_targets(self, repo: GitRepository, tmp_path: Path, fresh: Fresh) -> None:
        """The same secret in both is one finding, each place says whose it is."""
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret)})
        (tmp_path / "b.txt").write_bytes(line(secret))
        result = scan(repo.path, tmp_path / "b.txt")
        assert places(result) == {
            secret: [in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head"), in_file(tmp_path / "b.txt")]
        }
        targets = [o.target for o in result.findings[0].finding.occurrences]
        assert targets == [str(repo.path), str(tmp_path / "b.txt")]

    def test_names_that_are_not_utf8(self, repo: GitRepository, fresh: Fresh) -> None:
        """Paths stay bytes."""
        committed, untracked = fresh(), fresh()
        name = b"caf\xe9.txt"
        with open(os.path.join(os.fsencode(repo.path), name), "wb") as file:
            file.write(line(committed))
        commit = repo.commit()
        with open(os.path.join(os.fsencode(repo.path), b"n\xe9w.txt"), "wb") as file:
            file.write(line(untracked))
        blob = repo.git("rev-parse", b"HEAD:" + name)
        assert places(scan(repo.path)) == {
            committed: [in_git(blob, name, commit, "head")],
            untracked: [in_file(b"n\xe9w.txt")],
        }

    def test_base64_of_a_kubernetes_secret(self, repo: GitRepository, fresh: Fresh) -> None:
        """A value that stands encoded is found at the place of its encoding."""
        secret = fresh()
        encoded = base64.b64encode(secret)
        text = b"kind: Secret\napiVersion: v1\ndata:\n  token: " + encoded + b"\n"
        commit = repo.commit({"secret.yaml": text})
        result = scan(repo.path)
        assert places(result) == {
            secret: [in_git(repo.blob("HEAD:secret.yaml"), "secret.yaml", commit, "head", line=4)]
        }
        span = result.findings[0].finding.occurrences[0].span
        assert text[span.start : span.end] == encoded
