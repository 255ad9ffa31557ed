"""The files of a work tree and of a git directory: nothing that lies there is passed over without a word."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tempfile
import time
import zlib
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.engine import Engine
from oakum.scanner.errors import GitError, UsageError
from oakum.scanner.model import GitBlob
from oakum.scanner.pipeline import workers
from oakum.scanner.sources import Batch, Item, git, locate, objects
from scanning import Fresh, in_file, in_git, left_out, lost, places, scan


def opened(path: Path) -> git.Repository:
    """A repository as the scan sees it."""
    found = git.open_repository(os.fsencode(path), os.environ)
    assert found is not None
    return found


class TestWhereWeAre:
    """It does not matter from which folder oakum is run."""

    @pytest.mark.parametrize("folder", ["sub", ".git", "sub/deep"])
    @pytest.mark.parametrize("history", [True, False])
    def test_in_the_target(
        self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, folder: str, *, history: bool
    ) -> None:
        secret, staged, deep = fresh(), fresh(), fresh()
        repo.commit({"sub/deep/x.txt": b"x\n"})
        repo.write({"top.txt": secret + b"\n", "sub/deep/y.txt": deep + b"\n", "staged.txt": staged + b"\n"})
        repo.git("add", "staged.txt")
        expected = {
            secret: [in_file("top.txt")],
            deep: [in_file("sub/deep/y.txt")],
            staged: [in_git(repo.blob(":staged.txt"), "staged.txt", None, "staged")],
        }
        monkeypatch.chdir(repo.path / folder)
        assert places(scan(os.path.relpath(repo.path), history=history)) == expected
        assert list(places(scan(os.path.relpath(repo.path), staged=True))) == [staged]


class TestWhatGitHasTooIsSearched:
    """A file is searched even if git's objects say that it was already."""

    def test_forged_object(self, repo: GitRepository, fresh: Fresh) -> None:
        """The object of a tracked file holds something else: the file itself is what counts."""
        secret = fresh()
        repo.commit({"a.txt": secret + b"\n"})
        path = repo.object_path(repo.blob("HEAD:a.txt"))
        path.chmod(0o644)
        path.write_bytes(zlib.compress(b"blob 6\0hello\n"))
        assert places(scan(repo.path)) == {secret: [in_file("a.txt")]}

    def test_unit_that_failed(self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a worker could not search of git's objects is found in the file."""
        secret = fresh()
        repo.commit({"a.txt": secret + b"\n"})
        real = workers.Searcher._search

        def failing(self: workers.Searcher, engine: Engine, read: Batch | Item, harvest: workers.Harvest) -> None:
            if isinstance(read, Batch) and read.kind is GitBlob:
                raise MemoryError
            real(self, engine, read, harvest)

        monkeypatch.setattr(workers.Searcher, "_search", failing)
        result = scan(repo.path)
        assert places(result) == {secret: [in_file("a.txt")]}
        assert not result.complete

    def test_a_file_that_both_have_is_one_place(self, repo: GitRepository, fresh: Fresh) -> None:
        committed, staged = fresh(), fresh()
        commit = repo.commit({"a.txt": committed + b"\n"})
        repo.write({"b.txt": staged + b"\n"})
        repo.git("add", "b.txt")
        assert places(scan(repo.path)) == {
            committed: [in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head")],
            staged: [in_git(repo.blob(":b.txt"), "b.txt", None, "staged")],
        }

    def test_index_with_a_path_outside(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """An absolute path in the index is not read."""
        secret = fresh()
        outside = tmp_path / "out.txt"
        outside.write_bytes(secret + b"\n")
        index = repo.path / ".git" / "index"
        name = b"x" * len(os.fsencode(outside))
        (repo.path / name.decode()).write_bytes(b"x\n")
        repo.git("add", "--all")
        data = index.read_bytes()[:-20].replace(name, os.fsencode(outside))
        index.write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())
        assert str(outside) in repo.git("ls-files").split("\n")
        result = scan(repo.path)
        assert places(result) == {}


class TestListing:
    """What git's own listing of a work tree leaves out."""

    def test_names_that_differ_in_case(self, repo: GitRepository, fresh: Fresh) -> None:
        secret = fresh()
        repo.commit({"config.env": b"x\n"})
        repo.git("config", "core.ignoreCase", "true")
        repo.write({"CONFIG.env": secret + b"\n"})
        assert repo.git("ls-files", "--others") == "", "git itself does not see it"
        assert places(scan(repo.path)) == {secret: [in_file("CONFIG.env")]}

    def test_ignored_names_that_differ_in_case(self, repo: GitRepository, fresh: Fresh) -> None:
        """A pattern means what it says."""
        secret = fresh()
        repo.commit({".gitignore": b"*.log\n"})
        repo.git("config", "core.ignoreCase", "true")
        repo.write({"DEPLOY.LOG": secret + b"\n"})
        assert places(scan(repo.path)) == {secret: [in_file("DEPLOY.LOG")]}

    def test_submodule_that_is_none(self, repo: GitRepository, fresh: Fresh) -> None:
        """The index says that a folder is a submodule; it has no repository, only files."""
        secret = fresh()
        head = repo.git("rev-parse", "HEAD")
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
        repo.write({"sub/deep/s.txt": secret + b"\n"})
        assert "sub/" not in repo.git("ls-files", "--others"), "git itself does not see it"
        result = scan(repo.path)
        assert places(result) == {secret: [in_file("sub/deep/s.txt")]}
        assert left_out(result) == []

    @pytest.mark.parametrize("ignore", [True, False])
    def test_git_directory_that_is_none(self, repo: GitRepository, fresh: Fresh, *, ignore: bool) -> None:
        """A folder called `.git` without a repository in it, and a file of that name."""
        inside, beside, text = fresh(), fresh(), fresh()
        repo.write(
            {
                "sub/.git/s.txt": inside + b"\n",
                "sub/b.txt": beside + b"\n",
                "other/.git": b"token = " + text + b"\n",
            }
        )
        result = scan(repo.path, ignore=ignore)
        assert places(result) == {
            inside: [in_file("sub/.git/s.txt")],
            beside: [in_file("sub/b.txt")],
            text: [in_file("other/.git")],
        }
        assert left_out(result) == []

    def test_the_same_in_a_folder(self, tmp_path: Path, fresh: Fresh) -> None:
        secret = fresh()
        (tmp_path / "sub" / ".git").mkdir(parents=True)
        (tmp_path / "sub" / ".git" / "s.txt").write_bytes(secret + b"\n")
        assert places(scan(tmp_path)) == {secret: [in_file(tmp_path / "sub/.git/s.txt")]}

    def test_repository_inside(self, repo: GitRepository, fresh: Fresh) -> None:
        """Named; with --no-ignore its files are searched."""
        secret = fresh()
        inner = GitRepository.create(repo.path / "inner")
        inner.commit({"a.txt": secret + b"\n"})
        result = scan(repo.path)
        assert places(result) == {}
        why = "a repository of its own inside this one: scan it by itself"
        assert left_out(result) == [(b"inner", why)]
        everything = scan(repo.path, ignore=False)
        assert places(everything) == {secret: [in_file("inner/a.txt")]}
        why = "a repository of its own: its files are searched here, its history by scanning it by itself"
        assert left_out(everything) == [(b"inner", why)]

    def test_tracked_files_of_an_ignored_folder(self, repo: GitRepository, fresh: Fresh) -> None:
        """What is tracked is searched, the rest of the folder is named."""
        forced, ignored = fresh(), fresh()
        repo.commit({".gitignore": b"ign/\n"})
        repo.write({"ign/forced.txt": b"x\n"})
        repo.git("add", "--force", "ign/forced.txt")
        repo.git("commit", "--quiet", "-m", "x")
        repo.write({"ign/forced.txt": forced + b"\n", "ign/other.txt": ignored + b"\n"})
        result = scan(repo.path)
        assert places(result) == {forced: [in_file("ign/forced.txt")]}
        assert [what for what, _ in left_out(result)] == [b"ign/other.txt"]

    def test_folder_with_ignored_files_only(self, repo: GitRepository, fresh: Fresh) -> None:
        """The files are named, not the folder: a file that git does not list there is searched."""
        secret = fresh()
        repo.commit({".gitignore": b"*.o\n"})
        repo.write({"out/a.o": b"x\n", "out/.git/s.txt": secret + b"\n"})
        result = scan(repo.path)
        assert places(result) == {secret: [in_file("out/.git/s.txt")]}
        assert [what for what, _ in left_out(result)] == [b"out/a.o"]

    def test_files_beside_a_bare_repository(self, tmp_path: Path, fresh: Fresh) -> None:
        """What is none of git's is searched, also among its objects."""
        beside, deep, among, stray = fresh(), fresh(), fresh(), fresh()
        bare = GitRepository.create(tmp_path / "bare.git", "--bare")
        bare.write(
            {
                "secrets.env": beside + b"\n",
                "project/conf/a.txt": deep + b"\n",
                "objects/pack/notes.txt": among + b"\n",
                "objects/stray.txt": stray + b"\n",
            }
        )
        expected = {
            beside: [in_file("secrets.env")],
            deep: [in_file("project/conf/a.txt")],
            among: [in_file("objects/pack/notes.txt")],
            stray: [in_file("objects/stray.txt")],
        }
        assert places(scan(bare.path)) == expected
        assert places(scan(bare.path, history=False)) == expected


class TestFoldersThatCannotBeRead:
    """They are listed, and the scan is incomplete."""

    def test_without_the_right(self, fresh: Fresh) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can become somebody else")
        with tempfile.TemporaryDirectory() as name:  # the folders above tmp_path are closed to others
            Path(name).chmod(0o755)
            repo = GitRepository.create(Path(name) / "repo")
            repo.commit({"a.txt": fresh() + b"\n"})
            assert len(scan(repo.path).findings) == 1, "and all modules are loaded"
            repo.write({"shut/b.txt": fresh() + b"\n"})
            (repo.path / "shut").chmod(0)
            os.seteuid(65534)
            try:
                result = scan(repo.path)
            finally:
                os.seteuid(0)
            assert lost(result) == [(b"shut", "folder cannot be read: Permission denied")]
            assert len(result.findings) == 1

    def test_deeper_than_a_path_may_be(self, repo: GitRepository, fresh: Fresh) -> None:
        top = os.open(repo.path, os.O_RDONLY)
        folder = top
        for _ in range(25):
            os.mkdir("n" * 200, dir_fd=folder)
            below = os.open("n" * 200, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = below
        os.close(os.open("s.txt", os.O_WRONLY | os.O_CREAT, dir_fd=folder))
        os.close(folder)
        result = scan(repo.path)
        assert not result.complete
        assert any(what.startswith(b"nnn") and "too long" in why for what, why in lost(result))
        shutil.rmtree(repo.path)

    def test_what_git_says_is_told(self, repo: GitRepository, fresh: Fresh) -> None:
        """A call that succeeds and complains: here of an ignore file that is a folder's loop."""
        secret = fresh()
        repo.write({"sub/b.txt": secret + b"\n"})
        os.symlink(".gitignore", repo.path / "sub" / ".gitignore")
        result = scan(repo.path)
        assert places(result) == {secret: [in_file("sub/b.txt")]}
        assert [what for what, _ in lost(result)] == [b"work tree"]


class TestGitDirectory:
    """Texts beside the objects."""

    def test_everything_but_objects(self, repo: GitRepository, fresh: Fresh) -> None:
        names = (
            "hooks/pre-push",
            "hooks/pre-push.sample",
            "info/exclude",
            "lost-found/other/1",
            "modules/m/config",
            "notes.txt",
            "objects/pack/notes.txt",
            "rr-cache/1/preimage",
            "worktrees/w/config.worktree",
        )
        expected = {}
        for name in names:
            repo.write({f".git/{name}": b"# " + fresh() + b"\n"})
            expected[fresh.drawn[-1]] = [in_file(f".git/{name}")]
        assert places(scan(repo.path)) == expected
        assert places(scan(repo.path, history=False)) == expected

    def test_stores_of_others(self, repo: GitRepository, fresh: Fresh) -> None:
        """Named, not searched."""
        repo.write({".git/lfs/objects/1": fresh() + b"\n", ".git/annex/objects/1": fresh() + b"\n"})
        result = scan(repo.path)
        assert places(result) == {}
        assert [what for what, _ in left_out(result)] == [b".git/annex", b".git/lfs"]
        assert result.complete

    def test_larger_than_max_size(self, repo: GitRepository, fresh: Fresh) -> None:
        repo.write({".git/big.txt": fresh() + b"x" * 5000})
        result = scan(repo.path, max_size=4000)
        assert places(result) == {}
        assert (b".git/big.txt", "larger than --max-size (5,040 bytes)") in left_out(result)

    def test_commit_message_is_one_place(self, repo: GitRepository, fresh: Fresh) -> None:
        """Though git notes it in the logs of HEAD and of the branch."""
        secret = fresh()
        repo.commit({"a.txt": b"a\n"}, secret.decode())
        for log in ("HEAD", "refs/heads/main"):
            assert secret in (repo.path / ".git" / "logs" / log).read_bytes()
        assert [len(at) for at in places(scan(repo.path)).values()] == [1]

    def test_url_of_a_clone_is_one_place(self, repo: GitRepository, fresh: Fresh) -> None:
        """The same words in several logs."""
        secret, other = fresh(), fresh()
        for log in ("HEAD", "refs/heads/main"):
            path = repo.path / ".git" / "logs" / log
            path.write_bytes(path.read_bytes().replace(b"\tcommit (initial): start", b"\tclone: from %b" % secret))
        (repo.path / ".git" / "logs" / "refs" / "heads" / "side").write_bytes(
            path.read_bytes() + path.read_bytes().replace(secret, other)
        )
        assert places(scan(repo.path)) == {
            secret: [in_file(".git/logs/HEAD")],
            other: [in_file(".git/logs/refs/heads/side", line=2)],
        }

    def test_linked_work_tree(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """Its own git directory lies in the common one: searched once."""
        own, common = fresh(), fresh()
        repo.git("worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
        repo.write({".git/worktrees/linked/own.txt": own + b"\n", ".git/common.txt": common + b"\n"})
        assert places(scan(tmp_path / "linked")) == {
            own: [in_file("../repo/.git/worktrees/linked/own.txt")],
            common: [in_file("../repo/.git/common.txt")],
        }


class TestWatch:
    """Git is stopped when it says nothing, not when we do not listen."""

    @pytest.mark.long
    def test_slow_reader(self, repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(git, "SILENCE", 0.4)
        monkeypatch.setattr(objects, "UNIT_OBJECTS", 10)
        text = "".join(f"blob\nmark :{n}\ndata 8\n{n:08}\n" for n in range(1, 20_001))
        repo.git("fast-import", "--quiet", stdin=text.encode())
        store = objects.Store(40)
        count = 0
        for number, unit in enumerate(objects.list_units(opened(repo.path), store, max_size=1 << 20)):
            count += unit.size()
            if number == 0:
                time.sleep(2)
        assert store.not_scanned == []
        assert count >= 20_000

    def test_silence(self, repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
        """A git that waits for us while we wait for it."""
        monkeypatch.setattr(git, "SILENCE", 0.3)
        with opened(repo.path).open("cat-file", "--batch-check") as talk:
            assert talk.stdout.readline() == b""
            assert talk.said() == ["no answer from git in 0 s; it was stopped"]

    @pytest.fixture
    def sorting(self, repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A git on PATH whose `rev-list` sorts for longer than silence is borne, and then answers."""
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        real = shlex.quote(str(shutil.which("git")))
        wait = 'case " $* " in *" rev-list "*) sleep 2 > /dev/null 2>&1;; esac'
        program.write_text(f'#!/bin/sh\n{wait}\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        monkeypatch.setattr(git, "SILENCE", 0.3)
        return repo.path

    @pytest.mark.long
    def test_patience(self, sorting: Path) -> None:
        """As long as a call was given for its silence, it is waited for."""
        with opened(sorting).open("rev-list", "HEAD", patience=60.0) as talk:
            assert len(talk.stdout.readline()) == 41
            assert (talk.end(), talk.said()) == (0, [])

    def test_no_patience(self, sorting: Path) -> None:
        with opened(sorting).open("rev-list", "HEAD") as talk:
            assert talk.stdout.readline() == b""
            assert talk.said() == ["no answer from git in 0 s; it was stopped"]

    @pytest.mark.long
    def test_history_that_takes_long_to_sort(self, sorting: Path, fresh: Fresh, repo: GitRepository) -> None:
        """Nothing of it is lost."""
        secret = fresh()
        commit = repo.commit({"a.txt": secret + b"\n"})
        blob = repo.blob("HEAD:a.txt")
        repo.remove("a.txt")
        result = scan(sorting)
        assert places(result) == {secret: [in_git(blob, "a.txt", commit, "history")]}
        assert result.complete

    def test_all_ways_to_read(self, repo: GitRepository) -> None:
        with opened(repo.path).open("rev-parse", "HEAD", "HEAD", "HEAD", "HEAD") as talk:
            assert len(talk.stdout.readline()) == 41
            assert len(talk.stdout.read(41)) == 41
            assert len(list(talk.stdout)) == 2
            assert talk.stdout.read1(1) == b""  # type: ignore[attr-defined]
            assert talk.end() == 0
            assert talk.waiting_since is None


class TestGuard:
    """FIFOs and devices behind links and alternates."""

    def test_folder_behind_a_link(self, repo: GitRepository, tmp_path: Path) -> None:
        repo.git("repack", "-adq")
        pack = repo.path / ".git" / "objects" / "pack"
        pack.rename(tmp_path / "pack")
        pack.symlink_to(tmp_path / "pack")
        assert git.locate(os.fsencode(repo.path))
        os.mkfifo(tmp_path / "pack" / f"pack-{'a' * 40}.idx")
        with pytest.raises(GitError, match="is not a regular file"):
            git.locate(os.fsencode(repo.path))

    @pytest.mark.parametrize("form", ["{}\n", "# other\n{}", '"{}"\n', "../../../other/.git/objects\n"])
    def test_alternates(self, repo: GitRepository, tmp_path: Path, form: str) -> None:
        """Also the alternates of an alternate."""
        other, third = (GitRepository.create(tmp_path / name) for name in ("other", "third"))
        for one, text in ((repo, form.format(other.path / ".git/objects")), (other, f"{third.path}/.git/objects\n")):
            (one.path / ".git/objects/info/alternates").write_text(text)
        assert git.locate(os.fsencode(repo.path))
        (third.path / ".git/objects/ab").mkdir()
        os.mkfifo(third.path / ".git/objects/ab" / ("c" * 38))
        with pytest.raises(GitError, match="is not a regular file"):
            git.locate(os.fsencode(repo.path))

    def test_loops(self, repo: GitRepository) -> None:
        """Links and alternates that lead back are no harm."""
        (repo.path / ".git/refs/heads/loop").symlink_to(".")
        (repo.path / ".git/objects/info/alternates").write_text(f"{repo.path}/.git/objects\n")
        assert git.locate(os.fsencode(repo.path))

    def test_too_far(self, repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locate, "MOST_LINKED", 10)
        for number in range(20):
            (tmp_path / "many" / str(number)).mkdir(parents=True)
        (repo.path / ".git/refs/heads/link").symlink_to(tmp_path / "many")
        with pytest.raises(GitError, match="lead too far"):
            git.locate(os.fsencode(repo.path))

    def test_no_look_at_plain_objects(self, repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
        """One call for each folder, none for each file."""
        repo.commit({f"{n}.txt": b"%d\n" % n for n in range(300)})
        asked: list[object] = []
        real = os.stat

        def noting(path: object, **options: object) -> os.stat_result:
            asked.append(path)
            return real(path, **options)  # type: ignore[call-overload, no-any-return]

        monkeypatch.setattr(os, "stat", noting)
        git.locate(os.fsencode(repo.path))
        monkeypatch.undo()
        inside = [path for path in asked if isinstance(path, bytes) and b"/objects/" in path]
        assert len(inside) > 100
        assert all(os.path.isdir(path) or path.endswith(b"/info/alternates") for path in inside)


class TestProgram:
    """Which git is run."""

    @pytest.mark.parametrize("entry", [".", "", "bin"])
    def test_relative_folders_are_passed_over(
        self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, entry: str
    ) -> None:
        secret = fresh()
        program = f"#!/bin/sh\ntouch {repo.path}/sung\nexit 1\n"
        repo.write({"a.txt": secret + b"\n", "git": program.encode(), "bin/git": program.encode()})
        for name in ("git", "bin/git"):
            (repo.path / name).chmod(0o755)
        monkeypatch.chdir(repo.path)
        environment = dict(os.environ) | {"PATH": entry + os.pathsep + os.environ["PATH"]}
        assert places(scan(".", environment=environment)) == {secret: [in_file("a.txt")]}
        assert not (repo.path / "sung").exists()
        kept = git.open_repository(b".", environment)
        assert kept is not None
        assert all(os.path.isabs(folder) for folder in dict(kept.environment)["PATH"].split(os.pathsep))

    def test_none(self, repo: GitRepository, tmp_path: Path) -> None:
        (tmp_path / "git").mkdir()
        with pytest.raises(UsageError, match="git was not found"):
            scan(repo.path, environment={"PATH": str(tmp_path)})


class TestPartOfAWorkTree:
    """A folder inside of a repository."""

    WHY = "part of the repository at {}: only the files below it were searched; scan that for its history"

    def test_its_ignore_files_are_honoured(
        self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tracked, untracked, ignored, elsewhere, deep = (fresh() for _ in range(5))
        repo.commit({".gitignore": b"*.env\nbuild/\n", "sub/a.txt": tracked + b"\n"})
        repo.write(
            {
                "sub/b.txt": untracked + b"\n",
                "sub/local.env": ignored + b"\n",
                "sub/build/x.txt": deep + b"\n",
                "other/c.txt": elsewhere + b"\n",
            }
        )
        sub = os.fsencode(repo.path / "sub")
        result = scan(repo.path / "sub")
        assert places(result) == {
            tracked: [in_file(repo.path / "sub/a.txt")],
            untracked: [in_file(repo.path / "sub/b.txt")],
        }
        assert left_out(result) == [
            (sub, self.WHY.format(repo.path)),
            (sub + b"/build/", "ignored by .gitignore; --no-ignore searches it"),
            (sub + b"/local.env", "ignored by .gitignore; --no-ignore searches it"),
        ]
        assert result.complete
        everything = scan(repo.path / "sub", ignore=False)
        assert set(places(everything)) == {tracked, untracked, ignored, deep}
        assert left_out(everything) == [(sub, self.WHY.format(repo.path))]
        monkeypatch.chdir(repo.path / "sub")
        assert places(scan(".")) == {tracked: [in_file("./a.txt")], untracked: [in_file("./b.txt")]}

    @pytest.mark.parametrize("name", ["build", "build/deep"])
    def test_folder_that_is_ignored_itself(self, repo: GitRepository, fresh: Fresh, name: str) -> None:
        """Whoever names it wants it searched."""
        secret = fresh()
        repo.commit({".gitignore": b"build/\n"})
        repo.write({f"{name}/x.txt": secret + b"\n"})
        assert places(scan(repo.path / name)) == {secret: [in_file(repo.path / name / "x.txt")]}

    def test_by_a_link(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        secret = fresh()
        repo.commit({".gitignore": b"*.env\n"})
        repo.write({"sub/a.txt": secret + b"\n", "sub/x.env": fresh() + b"\n"})
        (tmp_path / "link").symlink_to(repo.path / "sub")
        assert places(scan(tmp_path / "link")) == {secret: [in_file(tmp_path / "link" / "a.txt")]}

    def test_repository_around_that_git_refuses(self, repo: GitRepository, fresh: Fresh) -> None:
        """All files are searched."""
        secret = fresh()
        repo.write({".gitignore": b"*.env\n", "sub/x.env": secret + b"\n"})
        (repo.path / ".git" / "config").write_bytes(b"[core\nrubbish\n")
        assert places(scan(repo.path / "sub")) == {secret: [in_file(repo.path / "sub" / "x.env")]}

    def test_git_directory_above_that_is_none(self, tmp_path: Path, fresh: Fresh) -> None:
        secret = fresh()
        (tmp_path / ".git").mkdir()
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.txt").write_bytes(secret + b"\n")
        result = scan(tmp_path / "sub")
        assert places(result) == {secret: [in_file(tmp_path / "sub" / "a.txt")]}
        assert left_out(result) == []

    def test_without_git(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """Files can be searched without it."""
        secret = fresh()
        repo.write({"sub/a.txt": secret + b"\n"})
        result = scan(repo.path / "sub", environment={"PATH": str(tmp_path)})
        assert places(result) == {secret: [in_file(repo.path / "sub" / "a.txt")]}
