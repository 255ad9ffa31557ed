"""The cache folder: whatever is wrong with it costs time and is said, and no scan fails for it."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from oakum.scanner import cache as module
from oakum.scanner.cache import Cache

on_posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are of POSIX")


def test_what_was_written_is_read_by_another(tmp_path: Path) -> None:
    """Whole, under its own name only; the folder is the user's alone."""
    folder = tmp_path / "a" / "oakum"
    Cache(str(folder)).write("one", b"\x00content")
    assert Cache(str(folder)).read("one") == b"\x00content"
    assert Cache(str(folder)).read("two") is None
    assert os.listdir(folder) == ["one"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 or os.name != "posix"


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--no-cache`: no file, no complaint."""
    monkeypatch.chdir(tmp_path)
    cache = Cache()
    cache.write("one", b"x")
    assert (cache.read("one"), cache.problem, os.listdir(tmp_path)) == (None, "", [])


@pytest.mark.parametrize("damage", [b"", b"short", b"\x00" * 32 + b"content", b"\xff"], ids=range(4))
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    """And it is replaced by the next who writes."""
    cache = Cache(str(tmp_path / "c"))
    cache.write("one", b"content")
    (tmp_path / "c" / "one").write_bytes(damage)
    assert cache.read("one") is None
    cache.write("one", b"content")
    assert cache.read("one") == b"content"


def _write(folder: str, number: int) -> None:
    cache = Cache(folder)
    for _ in range(50):
        cache.write("shared", bytes([number]) * 100_000)


def test_many_writers_at_once(tmp_path: Path) -> None:
    """A reader sees one of the files whole, at any time, and nothing else is left behind."""
    folder = str(tmp_path / "c")
    Cache(folder).write("shared", bytes([9]) * 100_000)
    with ProcessPoolExecutor(3) as pool:
        writers = [pool.submit(_write, folder, number) for number in range(3)]
        seen = set()
        while not all(w.done() for w in writers):
            content = Cache(folder).read("shared")
            assert content is not None
            assert len(content) == 100_000
            seen.add(content[:1] * 100_000 == content)
    assert seen == {True}
    assert os.listdir(folder) == ["shared"]


def test_the_oldest_files_go(tmp_path: Path) -> None:
    """The folder does not grow with every new version."""
    cache = Cache(str(tmp_path))
    os.chmod(tmp_path, 0o700)
    for number in range(module.MOST + 3):
        cache.write(f"{number}", b"x")
        os.utime(tmp_path / f"{number}", (number, number))
    left = sorted(map(int, os.listdir(tmp_path)))
    assert left == list(range(2, module.MOST + 3)) or left == list(range(3, module.MOST + 3))


@on_posix
class TestAFolderThatIsNotUsed:
    def test_somebody_else_s(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What lies in it is handed to a library that trusts it."""
        Cache(str(tmp_path / "c")).write("one", b"x")
        monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
        cache = Cache(str(tmp_path / "c"))
        assert cache.read("one") is None
        assert cache.problem == (
            f"the cache folder {tmp_path / 'c'} belongs to somebody else; set XDG_CACHE_HOME to another, or use "
            "--no-cache"
        )

    def test_one_that_others_may_write(self, tmp_path: Path) -> None:
        folder = tmp_path / "c"
        Cache(str(folder)).write("one", b"x")
        folder.chmod(0o770)
        cache = Cache(str(folder))
        assert cache.read("one") is None
        assert "can be written by others (chmod 700 mends that)" in cache.problem

    def test_a_file_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "c").write_bytes(b"")
        cache = Cache(str(tmp_path / "c"))
        cache.write("one", b"x")
        assert "cannot be made" in cache.problem

    def test_a_link_in_place_of_a_file(self, tmp_path: Path) -> None:
        """Nobody else could have put it there; it is not followed anyway."""
        cache = Cache(str(tmp_path / "c"))
        cache.write("one", b"x")
        (tmp_path / "c" / "two").symlink_to("one")
        assert cache.read("two") is None

    def test_a_fifo_in_place_of_a_file(self, tmp_path: Path) -> None:
        """Nobody waits at it."""
        cache = Cache(str(tmp_path / "c"))
        cache.write("one", b"x")
        os.mkfifo(tmp_path / "c" / "two")
        assert cache.read("two") is None


_FULL = """
import resource, signal, sys
from oakum.scanner.cache import Cache
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
cache = Cache(sys.argv[1])
cache.write("one", b"x" * 100_000)
print(cache.problem)
"""


@on_posix
def test_a_full_disk(tmp_path: Path) -> None:
    """Said with the remedy; what was begun is taken away, what was there stays. (A limit on the size of files stands
    for the disk: the same call fails at the same place.)"""
    assert resource.RLIMIT_FSIZE is not None
    folder = tmp_path / "c"
    Cache(str(folder)).write("zero", b"x")
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "cannot be written (File too large)" in done.stdout
    assert "--no-cache" in done.stdout
    assert os.listdir(folder) == ["zero"]


@on_posix
def test_a_folder_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in it is used; that nothing can be added is said. (For root nothing is read-only: the call is made to
    fail as it would.)"""
    folder = tmp_path / "c"
    Cache(str(folder)).write("zero", b"x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    cache = Cache(str(folder))
    cache.write("one", b"x")
    assert "cannot be written (Permission denied)" in cache.problem
    assert Cache(str(folder)).read("zero") == b"x"
