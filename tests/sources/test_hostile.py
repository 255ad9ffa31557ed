"""Nothing of a hostile repository runs, nothing of it hides anything, and none of its words reach a terminal raw."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner import cli
from oakum.scanner.sources import git
from oakum.scanner.sources.describe import describe
from scanning import Fresh, in_file, in_git, lost, places, scan

MODES: tuple[dict[str, object], ...] = (
    {},
    {"history": False, "ignore": False},
    {"staged": True},
    {"range_": "HEAD^..HEAD"},
)
"""All ways into a repository."""


@dataclass
class Canary:
    """A program that leaves a file behind when somebody runs it."""

    program: Path
    sung: Path

    @classmethod
    def create(cls, folder: Path) -> Canary:
        """Put it into a folder."""
        made = cls(folder / "canary.sh", folder / "sung")
        made.program.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(made.sung))}\n")
        made.program.chmod(0o755)
        return made


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    """The program that must never run."""
    return Canary.create(tmp_path)


def _attributes(repo: GitRepository, text: str) -> None:
    (repo.path / ".gitattributes").write_text(text)
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "attributes").write_text(text)


def _fsmonitor(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "core.fsmonitor", program)
    return ["status"]


def _external_diff(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "diff.external", program)
    return ["diff"]


def _text_conversion(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "diff.evil.textconv", program)
    _attributes(repo, "* diff=evil\n")
    return ["diff"]


def _diff_driver(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "diff.evil.command", program)
    _attributes(repo, "* diff=evil\n")
    return ["diff"]


def _clean_filter(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "filter.evil.clean", program)
    _attributes(repo, "* filter=evil\n")
    return ["diff"]


def _smudge_filter(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "filter.evil.smudge", program)
    _attributes(repo, "* filter=evil\n")
    return ["checkout", "--force", "HEAD", "--", "start.txt"]


def _process_filter(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "filter.evil.process", program)
    _attributes(repo, "* filter=evil\n")
    return ["diff"]


def _signature_check(repo: GitRepository, program: str) -> list[str]:
    repo.commit({"signed.txt": b"signed\n"})
    raw = repo.run("cat-file", "commit", "HEAD")
    signed = raw.replace(b"\n\n", b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\n", 1)
    repo.git("reset", "--soft", repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed))
    repo.git("config", "gpg.program", program)
    repo.git("config", "log.showSignature", "true")
    return ["log", "-1"]


def _hooks(repo: GitRepository, program: str) -> list[str]:
    hooks = repo.path.parent / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc", "fsmonitor-watchman"):
        shutil.copy(program, hooks / name)
    repo.git("config", "core.hooksPath", str(hooks))
    return ["update-index", "--refresh", "--force-write-index", "-q"]


def _ssh_command(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "core.sshCommand", program)
    repo.git("config", "remote.origin.url", "ssh://git@example.test/a")
    return ["ls-remote", "origin"]


def _alternate_refs(repo: GitRepository, program: str) -> list[str]:
    other = GitRepository.create(repo.path.parent / "other")
    other.commit({"other.txt": b"other\n"})
    (repo.path / ".git" / "objects" / "info" / "alternates").write_text(f"{other.path}/.git/objects\n")
    repo.git("config", "core.alternateRefsCommand", program)
    return ["rev-list", "--alternate-refs", "--count"]


def _credential_helper(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "credential.helper", program)
    return ["credential", "fill"]


def _promisor(repo: GitRepository, url: str) -> list[str]:
    """A partial clone that lacks a blob of its history."""
    commit = repo.commit({"promised.txt": b"promised\n"})
    blob = repo.blob("HEAD:promised.txt")
    repo.object_path(blob).unlink()
    for name, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", url),
        ("protocol.allow", "always"),
        ("protocol.ext.allow", "always"),
    ):
        repo.git("config", name, value)
    return ["cat-file", "-p", f"{commit.id}:promised.txt"]


def _ext_remote(repo: GitRepository, program: str) -> list[str]:
    return _promisor(repo, f"ext::{program}")


def _upload_pack(repo: GitRepository, program: str) -> list[str]:
    other = GitRepository.create(repo.path.parent / "upstream")
    repo.git("config", "remote.origin.uploadpack", program)
    return _promisor(repo, str(other.path))


def _remote_helper(repo: GitRepository, program: str) -> list[str]:
    repo.git("config", "remote.origin.vcs", "evil")
    shutil.copy(program, repo.path.parent / "git-remote-evil")
    return _promisor(repo, "evil")


def _included(repo: GitRepository, program: str) -> list[str]:
    (repo.path / ".git" / "more").write_text(f"[core]\n\tfsmonitor = {program}\n")
    repo.git("config", "include.path", "more")
    return ["status"]


TRAPS: tuple[Callable[[GitRepository, str], list[str]], ...] = (
    _fsmonitor,
    _external_diff,
    _text_conversion,
    _diff_driver,
    _clean_filter,
    _smudge_filter,
    _process_filter,
    _signature_check,
    _hooks,
    _ssh_command,
    _alternate_refs,
    _credential_helper,
    _ext_remote,
    _upload_pack,
    _remote_helper,
    _included,
)


class TestNothingRuns:
    """Each trap is first shown to work: a plain git command runs the canary. Then oakum does not."""

    @pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__.strip("_"))
    def test_trap(
        self,
        trap: Callable[[GitRepository, str], list[str]],
        repo: GitRepository,
        canary: Canary,
        fresh: Fresh,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The scan finds what is there, and the canary stays silent."""
        committed, changed = fresh(), fresh()
        commit = repo.commit({"head.txt": committed + b"\n"})
        command = trap(repo, str(canary.program))
        repo.write({"start.txt": changed + b"\n"})
        monkeypatch.setenv("PATH", f"{canary.program.parent}:{os.environ['PATH']}")

        control = shutil.copytree(repo.path, canary.program.parent / "control", symlinks=True)
        settings = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        host = b"protocol=https\nhost=example.test\n\n"
        subprocess.run(["git", *command], cwd=control, env=settings, input=host, check=False, timeout=30)
        assert canary.sung.exists(), "the trap does not work: this test would show nothing"
        canary.sung.unlink()

        found = places(scan(repo.path))
        assert found[committed] == [in_git(repo.blob("HEAD:head.txt"), "head.txt", commit, "head")]
        assert found[changed] == [in_file("start.txt")]
        for mode in MODES[1:]:
            scan(repo.path, **mode)
        assert describe(str(repo.path)) != []
        assert not canary.sung.exists()

    def test_all_settings_that_name_programs(self, repo: GitRepository, canary: Canary, fresh: Fresh) -> None:
        """Pager, editors, tools, proxies and aliases over git's own commands, all at once."""
        secret = fresh()
        commit = repo.commit({"head.txt": secret + b"\n"})
        program = str(canary.program)
        for name in (
            "core.pager",
            "core.editor",
            "core.askPass",
            "core.gitProxy",
            "sequence.editor",
            "gpg.ssh.program",
        ):
            repo.git("config", name, program)
        for name in ("rev-list", "cat-file", "ls-files", "diff-tree", "for-each-ref", "ls-tree", "rev-parse", "config"):
            repo.git("config", f"alias.{name}", f"!{program}")
            repo.git("config", f"pager.{name}", program)
        for mode in MODES:
            scan(repo.path, **mode)
        assert places(scan(repo.path)) == {secret: [in_git(repo.blob("HEAD:head.txt"), "head.txt", commit, "head")]}
        assert describe(str(repo.path)) == ["on main, 1 branch, 0 tags"]
        assert not canary.sung.exists()

    def test_environment_of_the_caller(
        self, repo: GitRepository, canary: Canary, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """GIT_* variables, as hooks have them, change nothing: neither what is scanned nor what runs."""
        secret, elsewhere = fresh(), fresh()
        commit = repo.commit({"head.txt": secret + b"\n"})
        other = GitRepository.create(tmp_path / "other")
        other.commit({"other.txt": elsewhere + b"\n"})
        expected = {secret: [in_git(repo.blob("HEAD:head.txt"), "head.txt", commit, "head")]}
        words = describe(str(repo.path))
        for name, value in {
            "GIT_DIR": str(other.path / ".git"),
            "GIT_COMMON_DIR": str(other.path / ".git"),
            "GIT_WORK_TREE": str(other.path),
            "GIT_INDEX_FILE": str(other.path / ".git" / "index"),
            "GIT_OBJECT_DIRECTORY": str(other.path / ".git" / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(other.path / ".git" / "objects"),
            "GIT_NAMESPACE": "nothing",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.fsmonitor",
            "GIT_CONFIG_VALUE_0": str(canary.program),
            "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor'='{canary.program}'",
            "GIT_EXTERNAL_DIFF": str(canary.program),
            "GIT_PAGER": str(canary.program),
            "GIT_REPLACE_REF_BASE": "refs/heads/",
            "GIT_TRACE": str(tmp_path / "trace"),
            "GIT_SHALLOW_FILE": str(tmp_path / "nosuch"),
        }.items():
            monkeypatch.setenv(name, value)
        assert places(scan(repo.path)) == expected
        assert places(scan(repo.path, range_="HEAD^..HEAD")) == expected
        assert describe(str(repo.path)) == words
        assert not canary.sung.exists()
        assert not (tmp_path / "trace").exists()


class TestNothingHides:
    """What git can be told to overlook is found."""

    def test_replace_refs(self, repo: GitRepository, fresh: Fresh) -> None:
        """A blob and a commit that `git replace` shows as others."""
        one, two = fresh(), fresh()
        first = repo.commit({"a.txt": one + b"\n"})
        second = repo.commit({"b.txt": two + b"\n"})
        blobs = repo.blob("HEAD:a.txt"), repo.blob("HEAD:b.txt")
        repo.git("update-ref", f"refs/replace/{blobs[0]}", repo.blob("HEAD:start.txt"))
        repo.git("update-ref", f"refs/replace/{second.id}", f"{first.id}^")
        assert repo.git("ls-tree", "--name-only", "HEAD") == "start.txt", "git itself does not see it"
        expected = {
            one: [in_git(blobs[0], "a.txt", first, "head")],
            two: [in_git(blobs[1], "b.txt", second, "head")],
        }
        assert places(scan(repo.path)) == expected
        assert places(scan(repo.path, branch="main")) == expected

    def test_grafts(self, repo: GitRepository, fresh: Fresh) -> None:
        """A parent that .git/info/grafts takes away."""
        secret = fresh()
        commit = repo.commit({"a.txt": secret + b"\n"})
        blob = repo.blob("HEAD:a.txt")
        last = repo.remove("a.txt")
        (repo.path / ".git" / "info").mkdir(exist_ok=True)
        (repo.path / ".git" / "info" / "grafts").write_text(f"{last.id}\n")
        assert repo.git("rev-list", "--count", "HEAD") == "1", "git itself does not see it"
        expected = {secret: [in_git(blob, "a.txt", commit, "history")]}
        assert places(scan(repo.path)) == expected
        assert places(scan(repo.path, branch="main")) == expected

    def test_forged_commit_graph(self, repo: GitRepository, fresh: Fresh) -> None:
        """A commit-graph file that says that a commit has no parents."""
        secret = fresh()
        commit = repo.commit({"a.txt": secret + b"\n"})
        blob = repo.blob("HEAD:a.txt")
        last = repo.remove("a.txt")
        repo.git("commit-graph", "write", "--reachable")
        path = repo.path / ".git" / "objects" / "info" / "commit-graph"
        forged = bytearray(path.read_bytes())
        chunks = dict(struct.iter_unpack(">4sQ", forged[8 : 8 + 12 * forged[6]]))
        ids = [bytes(forged[at : at + 20]).hex() for at in range(chunks[b"OIDL"], chunks[b"OIDL"] + 60, 20)]
        parent = chunks[b"CDAT"] + 36 * ids.index(last.id) + 20
        forged[parent : parent + 4] = struct.pack(">I", 0x70000000)
        path.chmod(0o644)
        path.write_bytes(forged)
        assert repo.git("rev-list", "--count", "HEAD") == "1", "git itself does not see it"
        expected = {secret: [in_git(blob, "a.txt", commit, "history")]}
        assert places(scan(repo.path)) == expected
        assert places(scan(repo.path, branch="main")) == expected

    def test_forged_shallow_file(self, repo: GitRepository, fresh: Fresh) -> None:
        """What is cut off is found; git says of it that nothing reaches it."""
        secret = fresh()
        commit = repo.commit({"a.txt": secret + b"\n"})
        blob = repo.blob("HEAD:a.txt")
        last = repo.remove("a.txt")
        (repo.path / ".git" / "shallow").write_text(f"{last.id}\n")
        (repo.path / ".git" / "logs" / "HEAD").unlink()
        (repo.path / ".git" / "logs" / "refs" / "heads" / "main").unlink()
        assert places(scan(repo.path)) == {secret: [in_git(blob, "a.txt", commit, "unreachable", "dangling")]}

    def test_work_tree_elsewhere(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """core.worktree points at somebody's files: they are not read, and the repository's own are."""
        own, elsewhere = fresh(), fresh()
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "secret.txt").write_bytes(elsewhere + b"\n")
        repo.write({"own.txt": own + b"\n"})
        repo.git("config", "core.worktree", str(tmp_path / "home"))
        for mode in ({}, {"history": False}, {"ignore": False}):
            assert places(scan(repo.path, **mode)) == {own: [in_file("own.txt")]}
        bare = shutil.copytree(repo.path / ".git", tmp_path / "bare.git")
        assert places(scan(bare)) == {}

    def test_repository_of_somebody_else(self, repo: GitRepository, fresh: Fresh) -> None:
        """Git refuses it by itself; oakum trusts just this path, just for reading."""
        if os.geteuid() != 0:
            pytest.skip("only root can give a repository to somebody else")
        committed, untracked = fresh(), fresh()
        commit = repo.commit({"a.txt": committed + b"\n"})
        blob = repo.blob("HEAD:a.txt")
        repo.write({"b.txt": untracked + b"\n"})
        for folder, _, names in os.walk(repo.path):
            for name in (folder, *(os.path.join(folder, n) for n in names)):
                os.chown(name, 54321, 54321)
        with pytest.raises(AssertionError, match="dubious ownership"):
            repo.git("rev-parse", "HEAD")
        result = scan(repo.path)
        assert places(result) == {committed: [in_git(blob, "a.txt", commit, "head")], untracked: [in_file("b.txt")]}
        assert result.complete

    def test_excludes_in_the_configuration(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """core.excludesFile of a repository names a file outside of it: it is not heeded."""
        secret = fresh()
        (tmp_path / "excludes").write_text("*\n")
        repo.git("config", "core.excludesFile", str(tmp_path / "excludes"))
        repo.write({"new.txt": secret + b"\n"})
        assert places(scan(repo.path)) == {secret: [in_file("new.txt")]}


NAMES = (
    b"-rf.txt",
    b"--help",
    b"new\nline.txt",
    b"tab\tname.txt",
    b"red\x1b[31m.txt",
    b"title\x1b]0;owned\x07.txt",
    b"csi\xc2\x9b31m.txt",
    "right\u202eto\u2066left.txt".encode(),
    "zero\u200bwidth.txt".encode(),
    b"latin\xe9.txt",
    b"broken\xf0\x28\x8c\xbc.txt",
    b"quote\"back\\slash'.txt",
    b" leading and trailing ",
    b":(exclude)magic.txt",
    b"*.txt",
)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class TestNames:
    """Names that are made to be misread."""

    @pytest.mark.parametrize("committed", [True, False], ids=["committed", "untracked"])
    def test_file_names(self, repo: GitRepository, fresh: Fresh, tmp_path: Path, *, committed: bool) -> None:
        """Found under the very name; never raw on a page; `path_bytes` in JSON where the name is not UTF-8."""
        expected = {}
        for name in NAMES:
            expected[fresh()] = name
            with open(os.path.join(os.fsencode(repo.path), name), "wb") as file:
                file.write(fresh.drawn[-1] + b"\n")
        if committed:
            repo.commit()
        found = {secret: [origin.path for _, origin, _, _ in at] for secret, at in places(scan(repo.path)).items()}  # type: ignore[union-attr]
        assert found == {secret: [name] for secret, name in expected.items()}
        assert cli.run(["scan", str(repo.path), "-o", str(tmp_path / "page.txt"), "--color", "always"]) == 1
        page = (tmp_path / "page.txt").read_bytes().decode("utf-8")
        for color in set(re.findall(r"\x1b\[[0-9;]*m", page)) - {"\x1b[31m"}:
            page = page.replace(color, "")
        assert RAW.findall(page) == []
        assert len(re.findall(r"(?m)^  where ", page)) == len(NAMES)
        assert cli.run(["scan", str(repo.path), "-o", str(tmp_path / "out.json"), "--format", "json"]) == 1
        document = json.loads((tmp_path / "out.json").read_text("utf-8"))
        origins = [f["occurrences"][0]["origin"] for f in document["findings"]]
        paths = [base64.b64decode(o["path_bytes"]) if "path_bytes" in o else o["path"].encode() for o in origins]
        assert sorted(paths) == sorted(NAMES)
        assert sum("path_bytes" in o for o in origins) == 2

    def test_names_as_targets(self, tmp_path: Path, fresh: Fresh) -> None:
        """A target may have such a name as well."""
        for name in NAMES:
            target = os.path.join(os.fsencode(tmp_path), name)
            with open(target, "wb") as file:
                file.write(fresh() + b"\n")
            assert places(scan(target)) == {fresh.drawn[-1]: [in_file(target)]}

    def test_refs(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """Branches, tags and pull requests whose names look like options or hold odd characters."""
        expected = {}
        odd = ("refs/heads/-option", "refs/tags/--all", "refs/pull/7/he\u202ead", "refs/heads/a'b\"c$(touch${IFS}x)")
        for number, ref in enumerate(odd):
            reach, via = (
                ("branch", ref.removeprefix("refs/heads/"))
                if "heads" in ref
                else ("history", "")
                if "tags" in ref
                else ("unreachable", ref)
            )
            secret = fresh()
            commit = repo.commit({f"{number}.txt": secret + b"\n"})
            expected[secret] = [in_git(repo.blob(f"HEAD:{number}.txt"), f"{number}.txt", commit, reach, via)]
            repo.git("update-ref", ref, "HEAD")
            repo.git("reset", "--quiet", "--hard", "HEAD^")
        assert places(scan(repo.path)) == expected
        assert cli.run(["scan", str(repo.path), "-o", str(tmp_path / "page.txt")]) == 1
        page = (tmp_path / "page.txt").read_text("utf-8")
        assert RAW.findall(page) == []
        assert "refs/pull/7/he\\u202ead" in page

    def test_authors_remotes_and_lines(self, repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
        """An author, the name of a remote and the line around a secret: all of it is escaped on a page."""
        secret = fresh()
        repo.write({"a.txt": b"\x1b[2J \xe2\x80\xae token " + secret + b" \x07\x9b\n"})
        repo.git("add", "a.txt")
        repo.git("commit", "--quiet", "-m", "x", GIT_AUTHOR_NAME="Eve \x1b[31m\u202e")
        with open(repo.path / ".git" / "config", "ab") as file:
            file.write('[remote "\x1b]0;owned\x07\u202e"]\n\turl = https://example.test/\x1b[31m\n'.encode())
        assert cli.run(["scan", str(repo.path), "-o", str(tmp_path / "page.txt")]) == 1
        page = (tmp_path / "page.txt").read_text("utf-8")
        assert RAW.findall(page) == []
        assert "Eve \\x1b[31m\\u202e" in page


WITHOUT_GIT = "git could not be used on it, only its files were searched: "


class TestNothingHangs:
    """Files that never end or never begin."""

    @pytest.mark.parametrize(
        "name",
        [
            ".git/config",
            ".git/HEAD",
            ".git/index",
            ".git/packed-refs",
            ".git/refs/heads/evil",
            ".git/info/exclude",
            ".git/objects/info/alternates",
            ".git/objects/pack/pack-0123456789012345678901234567890123456789.idx",
            ".git/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcd",
            ".git/logs/HEAD",
            ".git/logs/refs/heads/main",
            ".git/shallow",
            ".git/commondir",
        ],
    )
    @pytest.mark.parametrize("kind", ["fifo", "device"])
    def test_special_file_in_the_git_directory(self, repo: GitRepository, fresh: Fresh, name: str, kind: str) -> None:
        """Git is not run on it; the files of the tree are searched, and the scan says that it is incomplete."""
        secret = fresh()
        repo.write({"a.txt": secret + b"\n"})
        path = repo.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if kind == "fifo":
            os.mkfifo(path)
        else:
            os.symlink("/dev/zero", path)
        result = scan(repo.path)
        assert places(result) == {secret: [in_file(repo.path / "a.txt")]}
        why = f"{path} is not a regular file: git is not run on this repository"
        assert lost(result) == [(os.fsencode(repo.path), WITHOUT_GIT + why)]
        describe(str(repo.path))

    def test_git_file_that_names_nothing(self, tmp_path: Path, fresh: Fresh) -> None:
        """A `.git` file with a `gitdir:` that is not there."""
        secret = fresh()
        (tmp_path / "a.txt").write_bytes(secret + b"\n")
        (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
        result = scan(tmp_path)
        assert places(result) == {secret: [in_file(tmp_path / "a.txt")]}
        why = f"{tmp_path}/.git names a git directory that is not there: /nowhere/at/all"
        assert lost(result) == [(os.fsencode(tmp_path), WITHOUT_GIT + why)]

    def test_git_file_that_is_none(self, tmp_path: Path, fresh: Fresh) -> None:
        """A `.git` file with other words in it, and one that is a FIFO."""
        secret = fresh()
        (tmp_path / "a.txt").write_bytes(secret + b"\n")
        (tmp_path / ".git").write_text("hello\n")
        result = scan(tmp_path)
        assert places(result) == {secret: [in_file(tmp_path / "a.txt")]}
        assert not result.complete
        (tmp_path / ".git").unlink()
        os.mkfifo(tmp_path / ".git")
        result = scan(tmp_path)
        assert places(result) == {secret: [in_file(tmp_path / "a.txt")]}

    def test_included_fifo(
        self, repo: GitRepository, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A configuration that includes a FIFO: git is stopped after a while, the files are searched."""
        monkeypatch.setattr(git, "FIRST_ANSWER", 0.5)
        secret = fresh()
        repo.write({"a.txt": secret + b"\n"})
        os.mkfifo(tmp_path / "fifo")
        with open(repo.path / ".git" / "config", "a") as file:
            file.write(f"[include]\n\tpath = {tmp_path / 'fifo'}\n")
        result = scan(repo.path)
        assert places(result) == {secret: [in_file(repo.path / "a.txt")]}
        assert [what for what, _ in lost(result)] == [os.fsencode(repo.path)]
        assert describe(str(repo.path)) == ["on main, 1 branch, 0 tags"]

    def test_ignore_file_that_is_a_fifo(
        self, repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Git waits at a `.gitignore` that never ends: all files are searched instead, and history too."""
        monkeypatch.setattr(git, "SILENCE", 0.5)
        committed, untracked = fresh(), fresh()
        commit = repo.commit({"a.txt": committed + b"\n"})
        repo.write({"sub/b.txt": untracked + b"\n"})
        os.mkfifo(repo.path / "sub" / ".gitignore")
        result = scan(repo.path)
        assert places(result) == {
            committed: [in_git(repo.blob("HEAD:a.txt"), "a.txt", commit, "head")],
            untracked: [in_file("sub/b.txt")],
        }
