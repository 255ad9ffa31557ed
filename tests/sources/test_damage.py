"""What is damaged is listed, what is not is searched, and the exit code says so. Never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from git_repository import Commit, GitRepository
from oakum.scanner import cli
from oakum.scanner.errors import TargetError
from oakum.scanner.model import File, ScanResult
from scanning import Fresh, Place, in_file, in_git, left_out, lost, places, scan


class Half:
    """A repository with a sound secret and one that damage takes."""

    def __init__(self, repo: GitRepository, fresh: Fresh) -> None:
        self.repo = repo
        self.taken, self.sound = fresh(), fresh()
        self.first: Commit = repo.commit({"taken.txt": self.taken + b"\n"})
        self.taken_blob = repo.blob("HEAD:taken.txt")
        self.taken_tree = repo.git("rev-parse", "HEAD^{tree}")
        repo.remove("taken.txt")
        self.last: Commit = repo.commit({"sound.txt": self.sound + b"\n"})
        self.sound_blob = repo.blob("HEAD:sound.txt")

    @property
    def sound_place(self) -> Place:
        """Where the sound secret is found."""
        return in_git(self.sound_blob, "sound.txt", self.last, "head")

    @property
    def taken_place(self) -> Place:
        """Where the other secret is found as long as nothing is damaged."""
        return in_git(self.taken_blob, "taken.txt", self.first, "history")

    def check(self, *damaged: str, found: dict[bytes, list[Place]] | None = None) -> ScanResult:
        """The sound secret is found where it stands, and each of the damaged things is named."""
        result = scan(self.repo.path)
        assert places(result) == ({self.sound: [self.sound_place]} if found is None else found)
        assert not result.complete
        text = b"\n".join(what + b": " + why.encode() for what, why in lost(result)).decode()
        for name in damaged:
            assert name in text
        return result


@pytest.fixture
def half(repo: GitRepository, fresh: Fresh) -> Half:
    """The repository before the damage."""
    return Half(repo, fresh)


def spoil(path: Path, content: bytes) -> None:
    """Write over a file that git made read-only."""
    path.chmod(0o644)
    path.write_bytes(content)


class TestObjects:
    """Loose objects."""

    def test_nothing_damaged(self, half: Half) -> None:
        """What the tests below would find without the damage."""
        result = scan(half.repo.path)
        assert places(result) == {half.sound: [half.sound_place], half.taken: [half.taken_place]}
        assert result.complete

    def test_missing_blob(self, half: Half) -> None:
        """Named with the path and the commit that has it."""
        half.repo.object_path(half.taken_blob).unlink()
        result = half.check()
        why = f"git blob is not in the object store (first named by commit {half.first.id[:12]})"
        assert lost(result) == [(half.taken_blob.encode() + b" taken.txt", why)]

    @pytest.mark.parametrize("content", [b"", b"rubbish", b"x\x9c\x01\x02\x03", bytes(100)])
    def test_corrupt_blob(self, half: Half, content: bytes) -> None:
        """An empty object file (after a crash), one that is no zlib data, and a broken one."""
        spoil(half.repo.object_path(half.taken_blob), content)
        half.check(half.taken_blob)

    def test_truncated_blob(self, half: Half) -> None:
        """Its header can be read, its content cannot."""
        content = os.urandom(300_000).hex().encode()
        half.repo.commit({"big.txt": content})
        blob = half.repo.blob("HEAD:big.txt")
        (half.repo.path / "big.txt").unlink()
        path = half.repo.object_path(blob)
        spoil(path, path.read_bytes()[:5000])
        found = {half.sound: [half.sound_place], half.taken: [half.taken_place]}
        half.check(blob, found=found)

    def test_many_corrupt_blobs(self, half: Half, fresh: Fresh) -> None:
        """Each is stepped over, what stands between them is found."""
        good = {}
        files = {}
        for number in range(30):
            secret = fresh()
            files[f"{number:02}.txt"] = secret + b"\n"
            if number % 2:
                good[secret] = number
        commit = half.repo.commit(files)
        expected = {half.sound: [half.sound_place], half.taken: [half.taken_place]}
        spoiled = []
        for number, name in enumerate(files):
            blob = half.repo.blob(f"HEAD:{name}")
            (half.repo.path / name).unlink()
            if number % 2:
                expected[next(s for s, n in good.items() if n == number)] = [in_git(blob, name, commit, "head")]
            else:
                spoiled.append(blob)
                spoil(half.repo.object_path(blob), b"rubbish")
        half.check(*spoiled, found=expected)

    def test_blob_with_the_content_of_another(self, half: Half) -> None:
        """Git hands it out as it is: the content is searched in any case."""
        other = half.repo.object_path(half.repo.blob("HEAD:start.txt"))
        spoil(half.repo.object_path(half.taken_blob), other.read_bytes())
        assert half.sound in places(scan(half.repo.path))

    def test_missing_tree(self, half: Half) -> None:
        """The blobs are found, the commit whose tree is missing cannot say that it brought them."""
        half.repo.object_path(half.taken_tree).unlink()
        taken = in_git(half.taken_blob, "", None, "unreachable", "dangling")
        half.check(half.first.id, found={half.sound: [half.sound_place], half.taken: [taken]})

    def test_missing_tree_of_the_head(self, half: Half) -> None:
        """The head cannot be read: nothing is taken to be there, nothing is lost."""
        half.repo.object_path(half.repo.git("rev-parse", "HEAD^{tree}")).unlink()
        result = scan(half.repo.path)
        assert set(places(result)) == {half.sound, half.taken}
        assert half.last.id in str(lost(result))

    def test_missing_commit(self, half: Half) -> None:
        """History ends there for git; all blobs are found."""
        half.repo.object_path(half.first.id).unlink()
        result = scan(half.repo.path)
        assert set(places(result)) == {half.sound, half.taken}
        assert places(result)[half.sound] == [half.sound_place]
        assert half.first.id in str(lost(result))

    def test_corrupt_commit_at_the_head(self, half: Half) -> None:
        """A branch whose commit cannot be read is named; all blobs are found."""
        spoil(half.repo.object_path(half.last.id), b"rubbish")
        result = scan(half.repo.path)
        assert set(places(result)) == {half.sound, half.taken}
        assert (b"refs/heads/main", f"names {half.last.id[:12]}, which is damaged or not in the object store") in lost(
            result
        )

    @pytest.mark.parametrize("option", [{"branch": "main"}, {"range_": "HEAD^..HEAD"}, {"since": "2020-01-01"}])
    def test_a_part_of_a_damaged_history(self, half: Half, option: dict[str, str]) -> None:
        """A narrowed scan steps over damage as well."""
        half.repo.object_path(half.taken_blob).unlink()
        result = scan(half.repo.path, **option)
        assert places(result) == {half.sound: [half.sound_place]}
        assert result.complete == ("range_" in option)
        if not result.complete:
            assert half.taken_blob in str(lost(result))


class TestPacks:
    """Packed objects."""

    @pytest.fixture
    def pack(self, half: Half) -> Path:
        """The one pack of the repository, with the sound objects loose beside it."""
        half.repo.git("gc", "--quiet")
        return next((half.repo.path / ".git" / "objects" / "pack").glob("*.pack"))

    def test_truncated_pack(self, half: Half, pack: Path, fresh: Fresh) -> None:
        """A pack that ends too early; loose objects are still searched."""
        loose = fresh()
        half.repo.git("hash-object", "-w", "--stdin", stdin=loose + b"\n")
        spoil(pack, pack.read_bytes()[:-200])
        result = scan(half.repo.path)
        assert loose in places(result)
        assert not result.complete

    def test_every_byte_of_a_pack_flipped(self, half: Half, pack: Path, fresh: Fresh) -> None:
        """Wherever the damage is: no traceback, work tree and loose objects searched, and never taken for whole."""
        untracked = fresh()
        half.repo.write({"untracked.txt": untracked + b"\n"})
        sound = pack.read_bytes()
        for at in range(0, len(sound) - 20, max(1, len(sound) // 12)):
            spoil(pack, sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
            result = scan(half.repo.path)
            found = places(result)
            assert found[untracked] == [in_file("untracked.txt")]
            assert not result.complete or {half.sound, half.taken} <= set(found), at

    def test_missing_index_of_a_pack(self, half: Half, pack: Path) -> None:
        """The pack is there and git cannot see it: the refs that lead into it are named."""
        pack.with_suffix(".idx").unlink()
        result = scan(half.repo.path)
        assert "refs/heads/main" in str(lost(result))
        assert places(result)[half.sound][0][1] == File(b"sound.txt")

    def test_packed_refs_to_missing_objects(self, half: Half) -> None:
        """Refs that name objects that are not there are listed; the rest is attributed as ever."""
        with open(half.repo.path / ".git" / "packed-refs", "a") as file:
            file.write(f"{'1' * 40} refs/heads/gone\n{'2' * 40} refs/tags/gone\n{'3' * 40} refs/pull/1/head\n")
        found = {half.sound: [half.sound_place], half.taken: [half.taken_place]}
        result = half.check(found=found)
        assert sorted(what for what, _ in lost(result)) == [b"refs/heads/gone", b"refs/pull/1/head", b"refs/tags/gone"]

    def test_unreadable_packed_refs(self, half: Half) -> None:
        """Git gives up on all refs; blobs are found, and it is said."""
        (half.repo.path / ".git" / "packed-refs").write_bytes(b"\x00rubbish rubbish\n")
        result = scan(half.repo.path)
        assert set(places(result)) == {half.sound, half.taken}
        assert not result.complete


class TestGitDirectory:
    """The other files of a git directory."""

    @pytest.mark.parametrize("content", [b"", b"rubbish", b"DIRC\x00\x00\x00\x02\x00\x00\xff\xff" + bytes(40)])
    def test_corrupt_index(self, half: Half, content: bytes) -> None:
        """History and files are searched without it."""
        (half.repo.path / ".git" / "index").write_bytes(content)
        found = {half.sound: [half.sound_place], half.taken: [half.taken_place]}
        result = scan(half.repo.path)
        assert places(result) == found
        assert [what for what, _ in lost(result)] == [b"index"]

    def test_corrupt_configuration(self, half: Half) -> None:
        """Git refuses the repository: the files are searched, and the scan is incomplete."""
        (half.repo.path / ".git" / "config").write_bytes(b"[core\nrubbish\n")
        result = scan(half.repo.path)
        assert places(result) == {half.sound: [in_file(half.repo.path / "sound.txt")]}
        assert [what for what, _ in lost(result)] == [os.fsencode(half.repo.path)]

    def test_unknown_format(self, half: Half) -> None:
        """A repository of a later git."""
        half.repo.git("config", "core.repositoryFormatVersion", "99")
        result = scan(half.repo.path)
        assert places(result) == {half.sound: [in_file(half.repo.path / "sound.txt")]}
        assert [what for what, _ in lost(result)] == [os.fsencode(half.repo.path)]

    def test_head_of_nothing(self, half: Half) -> None:
        """HEAD names a branch that is not there: the branches that are there count."""
        (half.repo.path / ".git" / "HEAD").write_text("ref: refs/heads/nowhere\n")
        result = scan(half.repo.path)
        assert places(result) == {half.sound: [half.sound_place], half.taken: [half.taken_place]}
        assert result.complete

    def test_alternate_that_is_not_there(self, half: Half) -> None:
        """Its objects cannot be searched, which git says."""
        (half.repo.path / ".git" / "objects" / "info" / "alternates").write_text("/nowhere/objects\n")
        half.check("/nowhere/objects", found={half.sound: [half.sound_place], half.taken: [half.taken_place]})


class TestExitCodes:
    """`complete` and the exit code, as a shell sees them."""

    def test_damage_without_a_finding(self, repo: GitRepository) -> None:
        """2: something that should have been searched was not."""
        repo.object_path(repo.blob("HEAD:start.txt")).unlink()
        assert cli.run(["scan", str(repo.path)]) == 2

    def test_damage_with_a_finding(self, half: Half) -> None:
        """1: a finding counts for more."""
        half.repo.object_path(half.taken_blob).unlink()
        assert cli.run(["scan", str(half.repo.path)]) == 1

    def test_left_out_by_policy(self, repo: GitRepository) -> None:
        """0: what was left out on purpose is not incomplete."""
        repo.commit({".gitignore": b"ignored\n"})
        repo.write({"ignored": b"x\n"})
        assert cli.run(["scan", str(repo.path)]) == 0


class TestFiles:
    """Content and files of odd kinds."""

    def test_not_there(self, tmp_path: Path) -> None:
        """A target that is not there is an error of its own."""
        with pytest.raises(TargetError, match="there is no such file or folder"):
            scan(tmp_path / "nosuch")

    def test_fifo_as_target(self, tmp_path: Path) -> None:
        """It is not opened; the message says what to do."""
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(TargetError, match="pipe it in and scan `-` instead"):
            scan(tmp_path / "fifo")

    def test_dangling_link_as_target(self, tmp_path: Path) -> None:
        """A link to nothing."""
        os.symlink("nowhere", tmp_path / "link")
        with pytest.raises(TargetError):
            scan(tmp_path / "link")

    def test_link_as_target(self, tmp_path: Path, fresh: Fresh) -> None:
        """A link to a file that the user names is followed: it was asked for."""
        secret = fresh()
        (tmp_path / "file").write_bytes(secret + b"\n")
        os.symlink("file", tmp_path / "link")
        result = scan(tmp_path / "link")
        assert places(result) == {secret: [in_file(tmp_path / "link")]}

    def test_binary_content(self, tmp_path: Path, fresh: Fresh) -> None:
        """NUL bytes and rubbish around a secret hide nothing."""
        secret = fresh()
        noise = bytes(range(256)) * 50
        (tmp_path / "core").write_bytes(noise + b"\0" + secret + b"\0" + noise)
        assert places(scan(tmp_path / "core")) == {secret: [in_file(tmp_path / "core", line=51)]}

    def test_empty_file(self, tmp_path: Path) -> None:
        """Nothing in it, nothing found, nothing lost."""
        (tmp_path / "empty").write_bytes(b"")
        result = scan(tmp_path / "empty")
        assert (places(result), result.complete) == ({}, True)

    def test_unreadable_file(self, tmp_path: Path, fresh: Fresh) -> None:
        """Named, and the scan is incomplete; the others are searched."""
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        secret = fresh()
        (tmp_path / "closed").write_bytes(fresh() + b"\n")
        (tmp_path / "closed").chmod(0)
        (tmp_path / "open").write_bytes(secret + b"\n")
        result = scan(tmp_path)
        assert places(result) == {secret: [in_file(tmp_path / "open")]}
        assert lost(result) == [(os.fsencode(tmp_path / "closed"), "cannot be read: Permission denied")]

    def test_unreadable_file_as_nobody(self, tmp_path: Path, fresh: Fresh) -> None:
        """The same, where the tests run as root: in a process that gave its rights up."""
        if os.geteuid() != 0:
            pytest.skip("only root can become somebody else")
        with tempfile.TemporaryDirectory() as name:  # the folders above tmp_path are closed to others
            tree = Path(name)
            tree.chmod(0o755)
            secret = fresh()
            (tree / "open").write_bytes(secret + b"\n")
            assert len(scan(tree).findings) == 1, "and all modules are loaded"
            (tree / "shut").mkdir()
            (tree / "closed").write_bytes(fresh() + b"\n")
            (tree / "closed").chmod(0)
            (tree / "shut").chmod(0)
            os.seteuid(65534)
            try:
                result = scan(tree)
            finally:
                os.seteuid(0)
            assert places(result) == {secret: [in_file(tree / "open")]}
            assert lost(result) == [
                (os.fsencode(tree / "shut"), "folder cannot be read: Permission denied"),
                (os.fsencode(tree / "closed"), "cannot be read: Permission denied"),
            ]

    def test_file_that_changes_its_kind(self, repo: GitRepository, fresh: Fresh) -> None:
        """A tracked file is a FIFO now, a tracked folder is a file."""
        committed, new = fresh(), fresh()
        commit = repo.commit({"was.txt": committed + b"\n", "folder/in.txt": b"x\n"})
        blob = repo.blob("HEAD:was.txt")
        (repo.path / "was.txt").unlink()
        os.mkfifo(repo.path / "was.txt")
        (repo.path / "folder" / "in.txt").unlink()
        (repo.path / "folder").rmdir()
        (repo.path / "folder").write_bytes(new + b"\n")
        result = scan(repo.path)
        assert places(result) == {
            committed: [in_git(blob, "was.txt", commit, "head")],
            new: [in_file("folder")],
        }
        assert (b"was.txt", "not a regular file") in left_out(result)
        assert result.complete

    @pytest.mark.long
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_line_of_200_megabytes(self, tmp_path: Path, fresh: Fresh, jobs: int) -> None:
        """Found at its column, in bounded memory and time."""
        first, last = fresh(), fresh()
        path = tmp_path / "line.txt"
        with open(path, "wb") as file:
            file.write(b"x" * 100 + b" " + first + b" ")
            for _ in range(200):
                file.write(b'{"key": "value", "n": 12345678} ' * (1 << 15))
            file.write(last)
        size = path.stat().st_size
        code = (
            "import resource, sys; from oakum.scanner import cli; code = cli.run(sys.argv[1:]); "
            "print(max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)), "
            "file=sys.stderr); sys.exit(code)"
        )
        # A process counts what its parent held when it was made (getrusage(2)): another, small one stands in between.
        small = [sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"]
        command = [*small, sys.executable, "-c", code, "scan", str(path), "--max-size", "1G", "--format", "jsonl"]
        done = subprocess.run([*command, "-j", str(jobs)], capture_output=True, check=False, timeout=300)
        assert done.returncode == 1
        columns = sorted(int(c) for c in re.findall(rb'"column": (\d+)', done.stdout))
        assert columns == [102, size - len(last) + 1]
        assert int(done.stderr.split()[-1]) < 400 << 10
        assert size > 200 << 20
