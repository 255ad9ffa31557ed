"""Where history says a secret comes from: parts of history, odd objects, and histories that are made to be too much."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from git_repository import AUTHOR, Commit, GitRepository
from oakum.scanner.errors import UsageError
from oakum.scanner.model import GitBlob, GitMessage, NotScanned
from oakum.scanner.sources import diffs, git, history, objects
from oakum.scanner.sources.commits import Commits
from oakum.scanner.sources.worktree import Index
from scanning import DETECTOR, Fresh, in_git, in_message, left_out, lost, places, scan


def line(secret: bytes) -> bytes:
    """A line of configuration with a secret."""
    return b"token = " + secret + b"\n"


def opened(repo: GitRepository) -> git.Repository:
    """The repository as the sources see it."""
    found = git.open_repository(os.fsencode(repo.path), {"PATH": os.environ["PATH"]})
    assert found is not None
    return found


def written(repo: GitRepository, kind: str, content: bytes) -> str:
    """The id of an object made of these very bytes."""
    return repo.git("hash-object", "-t", kind, "-w", "--literally", "--stdin", stdin=content)


def committed(repo: GitRepository, tree: str, *parents: str, message: str = "made", **variables: str) -> Commit:
    """A commit of a tree."""
    options = [word for parent in parents for word in ("-p", parent)]
    return repo.made(repo.git("commit-tree", tree, *options, "-m", message, **variables))


class TestPartOfHistory:
    """--range, --branch and --since."""

    @pytest.mark.parametrize("option", [{"range_": "HEAD~3..HEAD"}, {"branch": "main"}, {"since": "2024-03-02"}])
    def test_edited_and_put_back(self, repo: GitRepository, fresh: Fresh, option: dict[str, str]) -> None:
        """The file becomes what it was: the commit that brought the secret still brought it."""
        secret = fresh()
        repo.commit({"c.txt": b"z\n"})
        first = repo.commit({"c.txt": line(secret)})
        repo.commit({"c.txt": line(secret) + b"an edit\n"})
        repo.commit({"c.txt": line(secret)})
        blob = repo.blob("HEAD:c.txt")
        assert places(scan(repo.path, **option)) == {secret: [in_git(blob, "c.txt", first, "head", blobs=2)]}

    def test_taken_out_and_put_back(self, repo: GitRepository, fresh: Fresh) -> None:
        """It stood there before the range; the range took it away and brought it in again: the latter is news."""
        secret = fresh()
        repo.commit({"c.txt": line(secret)})
        start = repo.commit({"c.txt": line(secret) + b"one\n"})
        repo.commit({"c.txt": line(secret)})
        assert places(scan(repo.path, range_=f"{start.id}..HEAD")) == {}
        repo.commit({"c.txt": b"clean\n"})
        again = repo.commit({"c.txt": line(secret)})
        blob = repo.blob("HEAD:c.txt")
        found = places(scan(repo.path, range_=f"{start.id}..HEAD"))
        assert found == {secret: [in_git(blob, "c.txt", again, "head")]}

    def test_the_head_still_has_it_after_an_edit(self, repo: GitRepository, fresh: Fresh) -> None:
        """Brought by one commit, edited by the next: it is at the head, and in two versions."""
        secret = fresh()
        first = repo.commit({"c.txt": line(secret)})
        repo.commit({"c.txt": b"more\n" + line(secret)})
        blob = repo.blob("HEAD:c.txt")
        found = places(scan(repo.path, range_="HEAD~2..HEAD"))
        assert found == {secret: [in_git(blob, "c.txt", first, "head", line=2, blobs=2)]}

    @pytest.mark.parametrize("since", ["lastweak", "qqq", "today!", "Sprint"])
    def test_since_that_is_no_date(self, repo: GitRepository, since: str) -> None:
        """Git takes what it does not understand for now: nothing would be searched, and nothing said."""
        with pytest.raises(UsageError, match=r'not a date; write it as 2024-01-31, "2 weeks ago"'):
            scan(repo.path, since=since)

    @pytest.mark.parametrize("since", ["now", " NOW", "yesterday", "2 weeks ago", "last friday", "2024-01-31", "noon"])
    def test_since_that_is_a_date(self, repo: GitRepository, since: str) -> None:
        """In git's own words."""
        assert scan(repo.path, since=since).complete

    def test_since_this_very_moment(self, repo: GitRepository) -> None:
        """A date that a script has just made is one, too."""
        for since in (time.strftime("%Y-%m-%d %H:%M:%S"), f"@{int(time.time())}"):
            assert scan(repo.path, since=since).complete

    def test_shallow(self, repo: GitRepository, fresh: Fresh) -> None:
        """A forged .git/shallow cuts off what the user asked for; where it cuts elsewhere, nothing is lost."""
        first = repo.commit({"a.txt": line(fresh())})
        cut = repo.remove("a.txt")
        last = repo.commit({"b.txt": b"b\n"})
        assert len(scan(repo.path, branch="main").findings) == 1
        (repo.path / ".git" / "shallow").write_text(f"{cut.id}\n")
        why = "history before a shallow boundary is not there: `git fetch --unshallow` gets it"
        for option in ({"branch": "main"}, {"range_": f"{first.id}..HEAD"}, {"since": "2024-01-01"}):
            result = scan(repo.path, **option)
            assert lost(result) == [(cut.id.encode(), why)]
            assert not result.complete
        assert scan(repo.path, range_=f"{cut.id}..{last.id}").complete


class TestWholeMessages:
    """Commits and tags from their first byte to their last."""

    def test_message_longer_than_a_piece(
        self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a commit and of a tag, also in a part of history."""
        monkeypatch.setattr(objects, "PIECE_SIZE", 1 << 18)
        one, two = fresh(), fresh()
        filler = b"x" * 99 + b"\n"
        header = repo.run("cat-file", "commit", "HEAD").partition(b"\n\n")[0]
        header += b"\nparent " + repo.git("rev-parse", "HEAD").encode()
        header = b"\n".join(
            sorted(header.split(b"\n"), key=lambda f: (b"tree", b"pare", b"auth", b"comm").index(f[:4]))
        )
        commit = written(repo, "commit", header + b"\n\n" + filler * 17_000 + line(one))
        repo.git("update-ref", "refs/heads/big", commit)
        tag_header = b"object %b\ntype commit\ntag big\ntagger %b 1700000000 +0000\n\n"
        tag = written(repo, "tag", tag_header % (commit.encode(), AUTHOR.encode()) + filler * 17_000 + line(two))
        repo.git("update-ref", "refs/tags/big", tag)
        date = repo.git("show", "-s", "--format=%aI", "HEAD")
        expected = in_message("commit", commit, AUTHOR, date, "history", line=17_006)
        tagged = in_message("tag", tag, AUTHOR, "2023-11-14T22:13:20+00:00", "history", line=17_006)
        assert places(scan(repo.path)) == {one: [expected], two: [tagged]}
        assert places(scan(repo.path, range_="main..big")) == {one: [expected]}
        result = scan(repo.path, max_size=1 << 19)
        assert places(result) == {}
        assert sorted(left_out(result)) == sorted(
            (name.encode(), f"git {kind} larger than --max-size ({int(repo.git('cat-file', '-s', name)):,} bytes)")
            for kind, name in (("commit", commit), ("tag", tag))
        )
        assert result.complete
        assert len(left_out(scan(repo.path, max_size=1 << 19, range_="main..big"))) == 1

    @pytest.mark.parametrize(
        ("field", "number"),
        [
            (b"author %b <a@example.test> 1700000000 +0000", 2),
            (b"author A <%b@example.test> 1700000000 +0000", 2),
            (b"author no date and %b", 2),
            (b"gpgsig -----BEGIN SSH SIGNATURE-----\n U1NI\n %b\n -----END SSH SIGNATURE-----", 4),
            (b"mergetag object 0\n type commit\n tag x\n \n used %b\n", 6),
            (b"deploy-token %b", 2),
        ],
    )
    def test_header_of_a_commit(self, repo: GitRepository, fresh: Fresh, field: bytes, number: int) -> None:
        """Names, addresses, signatures, merged tags and fields that git does not know."""
        secret = fresh()
        tree = repo.git("rev-parse", "HEAD^{tree}").encode()
        who = b"committer C <c@example.test> 1700000000 +0000"
        commit = written(repo, "commit", b"\n".join((b"tree " + tree, field % secret, who, b"", b"message")) + b"\n")
        [found] = places(scan(repo.path)).values()
        assert [(o.target, at) for _, o, at, _ in found if isinstance(o, GitMessage)] == [(commit, number)]

    def test_header_of_a_tag(self, repo: GitRepository, fresh: Fresh) -> None:
        """The name of the tagger."""
        secret = fresh()
        repo.git("tag", "-a", "v1", "-m", "release", GIT_COMMITTER_NAME=secret.decode())
        tag = repo.git("rev-parse", "v1^{tag}")
        [found] = places(scan(repo.path)).values()
        assert [(o.target, at) for _, o, at, _ in found if isinstance(o, GitMessage)] == [(tag, 4)]

    def test_what_every_header_has_is_no_finding(self, repo: GitRepository) -> None:
        """Ids, addresses, dates, a signature."""
        raw = repo.run("cat-file", "commit", "HEAD")
        armor = b"\n".join(b" " + os.urandom(48).hex().encode() for _ in range(10))
        signature = b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n" + armor + b"\n -----END PGP SIGNATURE-----\n\n"
        repo.git("update-ref", "refs/heads/signed", written(repo, "commit", raw.replace(b"\n\n", signature, 1)))
        repo.git("tag", "-a", "v1", "-m", "release", "HEAD")
        for number in range(20):
            repo.commit({"a.txt": b"%d\n" % number})
        result = scan(repo.path)
        assert (places(result), result.suppressed, result.complete) == ({}, (), True)

    def test_long_names_are_cut(self, repo: GitRepository, fresh: Fresh) -> None:
        """An author of a megabyte, and a ref of 240 characters."""
        secret, stashed = fresh(), fresh()
        content = repo.run("cat-file", "commit", "HEAD").replace(b"Ada Lovelace", b"A" * (1 << 20))
        blob = repo.git("hash-object", "-w", "--stdin", stdin=line(secret))
        tree = repo.git("mktree", stdin=f"100644 blob {blob}\ta.txt\n".encode())
        content = b"tree " + tree.encode() + content[content.index(b"\n") :]
        repo.git("update-ref", "refs/heads/long", written(repo, "commit", content))
        ref = "refs/x/" + "y" * 233
        repo.commit({"b.txt": line(stashed)})
        repo.git("update-ref", ref, "HEAD")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        found = places(scan(repo.path))
        [(_, one, _, _)], [(_, two, _, _)] = found[secret], found[stashed]
        assert isinstance(one, GitBlob)
        assert isinstance(two, GitBlob)
        assert one.author == "A" * 199 + "…"
        assert two.via == ref[:199] + "…"
        assert one.date != ""


class TestSieve:
    """Only the changes that matter."""

    @pytest.fixture
    def changes(self, repo: GitRepository) -> list[tuple[str, diffs.Change]]:
        """All changes of a history with additions, edits, removals, a link, a submodule and an evil merge."""
        repo.commit({"a.txt": b"one\n", "b.txt": b"two\n", ":colon": b"three\n"})
        repo.git("switch", "--quiet", "--create", "side")
        repo.commit({"a.txt": b"ours\n"})
        repo.git("switch", "--quiet", "main")
        repo.commit({"a.txt": b"theirs\n"})
        repo.git("merge", "--quiet", "--no-commit", "-s", "ours", "side")
        os.symlink("b.txt", repo.path / "link")
        (repo.path / "module").mkdir()
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
        repo.commit({"a.txt": b"neither\n"})
        repo.remove("b.txt")
        assert repo.git("ls-files", "--stage", "module").startswith("160000")
        return self.listed(repo, None)

    def listed(self, repo: GitRepository, sieve: diffs.Sieve | None) -> list[tuple[str, diffs.Change]]:
        commits = repo.git("rev-list", "--reverse", "--topo-order", "HEAD").split()
        return list(diffs.diff_trees(opened(repo), commits, [], sieve))

    def test_wanted(self, repo: GitRepository, changes: list[tuple[str, diffs.Change]]) -> None:
        """Each blob by itself, and all at once."""
        blobs = {change.blob for _, change in changes}
        assert len(blobs) == 8
        for chosen in [{blob} for blob in blobs] + [blobs, set[str]()]:
            expected = [(commit, change) for commit, change in changes if change.blob in chosen]
            assert self.listed(repo, diffs.Sieve.of(chosen)) == expected

    def test_unknown(self, repo: GitRepository, changes: list[tuple[str, diffs.Change]]) -> None:
        """A blob that is not known matters, too."""
        blobs = {change.blob for _, change in changes}
        for blob in blobs:
            known = {bytes.fromhex(b) for b in blobs - {blob}}
            expected = [(commit, change) for commit, change in changes if change.blob == blob]
            assert self.listed(repo, diffs.Sieve.of([], known)) == expected


class TestNamedBranch:
    """Which other branch has it at its head."""

    @pytest.mark.parametrize(
        ("refs", "named"),
        [
            (("refs/heads/side",), "side"),
            (("refs/heads/zebra", "refs/heads/aardvark"), "aardvark"),
            (("refs/heads/side", "refs/remotes/origin/side"), "origin/side"),
        ],
    )
    def test_first_by_name(self, repo: GitRepository, fresh: Fresh, refs: tuple[str, ...], named: str) -> None:
        """Of those that have it, at one commit or at several."""
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret)})
        blob = repo.blob("HEAD:a.txt")
        for ref in refs:
            repo.git("update-ref", ref, "HEAD")
            repo.git("update-ref", ref + "-too", "HEAD")
            repo.commit({"b.txt": ref.encode()})
        repo.git("reset", "--quiet", "--hard", f"{commit.id}^")
        repo.git("branch", "aaa", "HEAD")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "a.txt", commit, "branch", named)]}

    def test_not_where_the_default_branch_has_it(self, repo: GitRepository, fresh: Fresh) -> None:
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret)})
        repo.git("branch", "side")
        repo.commit({"b.txt": b"b\n"})
        assert places(scan(repo.path)) == {secret: [in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head")]}

    def test_branch_named_like_notes(self, repo: GitRepository, fresh: Fresh) -> None:
        """A file on it is a file, whatever it is called."""
        secret, path = fresh(), "1" * 40
        commit = repo.commit({path: line(secret)})
        blob = repo.blob(f"HEAD:{path}")
        repo.git("update-ref", "refs/heads/refs/notes/x", "HEAD")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        assert places(scan(repo.path)) == {secret: [in_git(blob, path, commit, "branch", "refs/notes/x")]}


class TestNamedOddly:
    """Refs that name other things than commits, and paths that look like something else."""

    @pytest.mark.parametrize("path", ["x", "ab/cdef", "1" * 39, "1" * 41, "g" * 40, "A" * 40])
    def test_note_about_nothing(self, repo: GitRepository, fresh: Fresh, path: str) -> None:
        """A file below refs/notes that is not named by an object id is a file."""
        secret = fresh()
        commit = repo.commit({path: line(secret)})
        blob = repo.blob(f"HEAD:{path}")
        repo.git("update-ref", "refs/notes/evil", "HEAD")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        place = in_git(blob, path, commit, "unreachable", "refs/notes/evil")
        assert places(scan(repo.path)) == {secret: [place]}

    @pytest.mark.parametrize("path", ["1" * 40, "11/" + "1" * 38, "2" * 64, "22/22/" + "2" * 60])
    def test_note(self, repo: GitRepository, fresh: Fresh, path: str) -> None:
        """An object id, in folders or not."""
        secret = fresh()
        commit = repo.commit({path: line(secret)})
        repo.git("update-ref", "refs/notes/commits", "HEAD")
        repo.git("reset", "--quiet", "--hard", "HEAD^")
        target = path.replace("/", "")
        place = in_message("note", target, AUTHOR, commit.date, "unreachable", "refs/notes/commits")
        assert places(scan(repo.path)) == {secret: [place]}

    def test_tag_of_a_tag(self, repo: GitRepository, fresh: Fresh) -> None:
        """The message of the inner tag is published with the outer one."""
        innermost, inner = fresh(), fresh()
        repo.git("tag", "-a", "one", "-m", innermost.decode())
        repo.git("tag", "-a", "two", "-m", inner.decode(), "one")
        repo.git("tag", "-a", "three", "-m", "nothing", "two")
        tags = [repo.git("rev-parse", f"{name}^{{tag}}") for name in ("one", "two")]
        repo.git("tag", "-d", "one", "two")
        tagger = "Charles Babbage <charles@example.test>"
        assert places(scan(repo.path)) == {
            secret: [in_message("tag", tag, tagger, repo.date, "history", line=6)]
            for secret, tag in zip((innermost, inner), tags, strict=True)
        }

    def test_tag_of_a_tree(self, repo: GitRepository, fresh: Fresh) -> None:
        """Its files have paths, and no commit."""
        secret = fresh()
        blob = repo.git("hash-object", "-w", "--stdin", stdin=line(secret))
        inner = repo.git("mktree", stdin=f"100644 blob {blob}\ta.txt\n".encode())
        tree = repo.git("mktree", stdin=f"040000 tree {inner}\tsub\n".encode())
        repo.git("tag", "-a", "tree", "-m", "a tree", tree)
        assert places(scan(repo.path)) == {secret: [in_git(blob, "sub/a.txt", None, "history")]}

    def test_staged_at_two_paths(self, repo: GitRepository, fresh: Fresh) -> None:
        """The same content twice: both are staged."""
        secret = fresh()
        repo.write({"a.txt": line(secret), "b.txt": line(secret)})
        repo.git("add", ".")
        blob = repo.blob(":a.txt")
        assert places(scan(repo.path)) == {secret: [in_git(blob, name, None, "staged") for name in ("a.txt", "b.txt")]}


class TestWhoWasFirst:
    """The order of commits that do not build on each other."""

    @pytest.mark.parametrize("older", ["main", "side"])
    def test_the_same_file_on_two_branches(self, repo: GitRepository, fresh: Fresh, older: str) -> None:
        """The older commit brought it, on whichever branch it is."""
        secret = fresh()
        repo.git("branch", "side")
        made = {}
        for name in sorted(("main", "side"), key=lambda branch: branch != older):
            repo.git("switch", "--quiet", name)
            repo.commit({f"{name}.txt": b"x\n"})
            made[name] = repo.commit({"key.txt": line(secret)})
        repo.git("switch", "--quiet", older)
        repo.commit({"later.txt": b"the branch of the older one is the newer branch\n"})
        repo.git("switch", "--quiet", "main")
        blob = repo.blob("HEAD:key.txt")
        assert places(scan(repo.path)) == {secret: [in_git(blob, "key.txt", made[older], "head")]}


def bomb(repo: GitRepository, depth: int = 9) -> str:
    """A tree of 10^(depth + 1) files, in a handful of objects."""
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"x\n")
    tree = repo.git("mktree", stdin="".join(f"100644 blob {blob}\tf{i}\n" for i in range(10)).encode())
    for _ in range(depth):
        tree = repo.git("mktree", stdin="".join(f"040000 tree {tree}\td{i}\n" for i in range(10)).encode())
    return tree


class TestTooMuch:
    """Histories that cost their maker nothing."""

    @pytest.mark.parametrize("kind", ["root", "child", pytest.param("merge", marks=pytest.mark.long)])
    def test_ten_thousand_million_files(
        self, repo: GitRepository, fresh: Fresh, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The commit is stepped over and named; what stands before and behind it is attributed."""
        monkeypatch.setattr(diffs, "_ALLOCATION", "600k")
        monkeypatch.setattr(diffs, "_MEMORY", 100 << 20)
        monkeypatch.setattr(diffs, "FILES_OF_A_COMMIT", 30_000)
        monkeypatch.setattr(git, "SILENCE", 20.0)
        before, behind = fresh(), fresh()
        first = repo.commit({"before.txt": line(before)})
        blobs = [repo.blob("HEAD:before.txt")]
        start, root = repo.git("rev-parse", "HEAD^"), repo.git("rev-parse", "HEAD^{tree}")
        parents = {"root": [], "child": [first.id], "merge": [first.id, start]}[kind]
        evil = committed(repo, bomb(repo), *parents, message="bomb")
        last_blob = repo.git("hash-object", "-w", "--stdin", stdin=line(behind))
        tree = repo.git(
            "mktree", stdin=f"100644 blob {blobs[0]}\tbefore.txt\n100644 blob {last_blob}\tbehind.txt\n".encode()
        )
        other = committed(repo, tree, first.id, message="behind")
        assert root != tree
        repo.git("update-ref", "refs/heads/evil", evil.id)
        repo.git("reset", "--quiet", "--hard", other.id)
        begun = time.monotonic()
        result = scan(repo.path)
        assert time.monotonic() - begun < 15
        assert [what for what, _ in lost(result)] == [evil.id.encode()], lost(result)
        assert places(result) == {
            before: [in_git(blobs[0], "before.txt", first, "head")],
            behind: [in_git(last_blob, "behind.txt", other, "head")],
        }
        assert "more changes than are looked at" in lost(result)[0][1]
        narrowed = scan(repo.path, range_=f"{first.id}...evil")
        assert (evil.id.encode(), lost(result)[0][1]) in lost(narrowed)

    def test_head_of_ten_thousand_million_files(
        self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the head has is listed up to a bound, and it is said where that is reached."""
        monkeypatch.setattr(diffs, "_ALLOCATION", "600k")
        monkeypatch.setattr(diffs, "FILES_OF_A_COMMIT", 30_000)
        monkeypatch.setattr(git, "SILENCE", 20.0)
        secret = fresh()
        blob = repo.git("hash-object", "-w", "--stdin", stdin=line(secret))
        listing = f"100644 blob {blob}\ta.txt\n040000 tree {bomb(repo)}\tbomb\n".encode()
        evil = committed(repo, repo.git("mktree", stdin=listing), repo.git("rev-parse", "HEAD"), message="bomb")
        repo.git("update-ref", "refs/heads/main", evil.id)
        repo.git("read-tree", "--empty")
        result = scan(repo.path)
        assert places(result) == {secret: [in_git(blob, "a.txt", None, "head")]}
        assert {what for what, _ in lost(result)} == {evil.id.encode()}
        assert any("more than 30,000 files" in why for _, why in lost(result))
        staged = scan(repo.path, staged=True)
        assert not staged.complete

    def test_all_commits_together(self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
        """After so many changes the rest of history is not attributed; what was found is still reported."""
        monkeypatch.setattr(diffs, "MOST_CHANGES", 10)
        early, late = fresh(), fresh()
        first = repo.commit({"early.txt": line(early)})
        for number in range(10):
            repo.commit({"a.txt": b"%d\n" % number})
        repo.commit({"late.txt": line(late)})
        blobs = [repo.blob(f"HEAD:{name}.txt") for name in ("early", "late")]
        repo.git("rm", "--quiet", "--cached", "late.txt", "early.txt")
        repo.git("commit", "--quiet", "-m", "remove")
        for name in ("early", "late"):
            (repo.path / f"{name}.txt").unlink()
        result = scan(repo.path)
        found = places(result)
        assert found[early] == [in_git(blobs[0], "early.txt", first, "history")]
        assert set(found) == {early, late}
        why = "history has more changes than are looked at: what they brought is not attributed"
        assert {why for _, why in lost(result)} == {why}

    def test_places_of_a_blob(
        self, repo: GitRepository, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A bounded number is kept, and the others are counted."""
        monkeypatch.setattr(history, "MOST_PLACES", 20)
        secret = fresh()
        repo.commit({f"{number}.txt": line(secret) for number in range(50)})
        repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare.git"))
        result = scan(tmp_path / "bare.git")
        [occurrences] = places(result).values()
        assert len(occurrences) == 21, "one more says that the head has it there"
        entry = next(n for n in result.not_scanned if n.what == b"places in history")
        assert (entry.policy, entry.count) == (True, 30)
        assert result.complete

    def test_missing_blobs(self, repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first are named, the rest counted, and no set is built for each."""
        monkeypatch.setattr(history, "MOST_MISSING", 5)

        class Damaged(set[str]):
            def __ror__(self, _other: object) -> set[str]:  # type: ignore[override]
                raise AssertionError("a new set for a blob")

        repo.commit({f"{number}.txt": b"%d\n" % number for number in range(20)})
        repository = opened(repo)
        store = objects.Store(40, damaged=Damaged())
        known = history.attribute(repository, store, Commits(repository, bytes), Index(), set(), set())
        assert sum(n.count for n in known.not_scanned) == 21
        assert len(known.not_scanned) == 6

    def test_branches_of_many_commits(self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
        """History comes to git in portions, and nothing is lost where one ends."""
        monkeypatch.setattr(diffs, "COMMITS_AT_ONCE", 3)
        expected = {}
        for number in range(10):
            secret = fresh()
            commit = repo.commit({f"{number}.txt": line(secret)})
            expected[secret] = [in_git(repo.blob(f"HEAD:{number}.txt"), f"{number}.txt", commit, "head")]
        result = scan(repo.path)
        assert places(result) == expected
        assert result.complete


class TestDamage:
    """What is behind and before damage."""

    def test_the_commit_before_a_damaged_one(self, repo: GitRepository, fresh: Fresh) -> None:
        """It is attributed, and not blamed."""
        secret = fresh()
        commit = repo.commit({"a.txt": line(secret)})
        blob = repo.blob("HEAD:a.txt")
        damaged = repo.commit({"b.txt": b"b\n"})
        tree = repo.git("rev-parse", "HEAD^{tree}")
        child = repo.remove("b.txt")
        repo.remove("a.txt")
        repo.object_path(tree).unlink()
        result = scan(repo.path)
        assert places(result) == {secret: [in_git(blob, "a.txt", commit, "history")]}
        assert {what for what, _ in lost(result)} == {damaged.id.encode(), child.id.encode()}

    def test_git_that_is_killed(
        self, repo: GitRepository, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it had compared and not written yet is asked for again, and nobody is blamed."""
        expected = {}
        for number in range(5):
            secret = fresh()
            commit = repo.commit({f"{number}.txt": line(secret)})
            expected[secret] = [in_git(repo.blob(f"HEAD:{number}.txt"), f"{number}.txt", commit, "head")]
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        real = shlex.quote(str(shutil.which("git")))
        killed = f'case "$GIT_FLUSH $*" in "0 "*" diff-tree "*) {real} "$@" | head -c 500; kill -9 $$;; esac'
        program.write_text(f'#!/bin/sh\n{killed}\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        result = scan(repo.path)
        assert places(result) == expected
        assert result.complete

    def test_unreadable_commit_among_others(self, repo: GitRepository, fresh: Fresh) -> None:
        """One that `diff-tree` passes over without a word does not shift what is said of the others."""
        one, two = fresh(), fresh()
        first = repo.commit({"a.txt": line(one)})
        second = repo.commit({"b.txt": line(two)})
        found: list[tuple[str, bytes]] = []
        not_scanned: list[NotScanned] = []
        commits = [first.id, "1" * 40, second.id]
        found += [(commit, change.path) for commit, change in diffs.diff_trees(opened(repo), commits, not_scanned)]
        assert found == [(first.id, b"a.txt"), (second.id, b"b.txt")]
        assert [n.what for n in not_scanned] == [b"1" * 40]


def test_dates_of_rebased_commits(repo: GitRepository, fresh: Fresh) -> None:
    """The reported date is the author's, not the committer's."""
    secret = fresh()
    commit = repo.commit({"a.txt": line(secret)})
    repo.git("commit", "--quiet", "--amend", "--no-edit", GIT_COMMITTER_DATE="2026-01-01T00:00:00Z")
    _, origin, at, count = in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head")
    assert isinstance(origin, GitBlob)
    amended = replace(origin, commit=repo.git("rev-parse", "HEAD"))
    assert places(scan(repo.path)) == {secret: [(DETECTOR, amended, at, count)]}
