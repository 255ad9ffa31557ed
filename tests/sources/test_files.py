"""Files of a tree: what the walk names, what changes between the walk and the reading, how many make a unit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from oakum.scanner.model import NotScanned
from oakum.scanner.sources import files


def read(root: Path, *paths: bytes) -> list[NotScanned]:
    """What a unit of some files could not read."""
    (unit,) = files.units(os.fsencode(root), paths, shown=b"", max_size=1 << 20)
    return [entry for entry in unit.blobs() if isinstance(entry, NotScanned)]


def test_the_walk_names_what_is_no_regular_file(tmp_path: Path) -> None:
    """Links, whatever they lead to, and FIFOs; what is ignored is not looked at."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    for link, to in (("to-file", "file"), ("to-folder", "folder"), ("to-nothing", "nothing"), ("ignored", "file")):
        (tmp_path / "folder" / link).symlink_to(tmp_path / to)
    os.mkfifo(tmp_path / "folder" / "fifo")
    left_out: list[NotScanned] = []
    assert list(files.walk(os.fsencode(tmp_path), left_out, shown=b"t", ignored={b"folder/ignored"})) == [b"file"]
    assert left_out == [
        NotScanned(b"t/folder/fifo", "not a regular file", policy=True),
        NotScanned(b"t/folder/to-file", "symbolic link, not followed", policy=True),
        NotScanned(b"t/folder/to-folder", "symbolic link, not followed", policy=True),
        NotScanned(b"t/folder/to-nothing", "symbolic link, not followed", policy=True),
    ]


@pytest.mark.parametrize(
    ("become", "why"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "symbolic link, not followed"),
        (os.mkfifo, "not a regular file"),
        (Path.mkdir, "not a regular file"),
        (lambda _path: None, "went away before it was read"),
    ],
)
def test_file_that_became_something_else_after_the_walk(
    tmp_path: Path, become: Callable[[Path], object], why: str
) -> None:
    """It is neither followed nor waited for."""
    become(tmp_path / "was")
    assert read(tmp_path, b"was") == [NotScanned(b"was", why, policy=not why.startswith("went"))]


def test_folder_that_became_a_link_after_the_walk(tmp_path: Path) -> None:
    """Nothing behind it is read, however deep; nor is what a path with `..` or from the root names."""
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "outside")
    for name in (b"a", b"deep/a"):
        (tmp_path / "outside" / os.fsdecode(name)).write_bytes(b"x")
    paths = (b"link/a", b"link/deep/a", b"../outside/a", os.fsencode(tmp_path / "outside" / "a"))
    assert [entry.what for entry in read(tmp_path / "tree", *paths)] == list(paths)


def test_a_large_tree_has_larger_units(tmp_path: Path) -> None:
    """What a unit costs beside its files shows there; each file is in one unit, in order."""
    sizes: list[int] = []
    for count in (1000, 20_000, 100_000):
        paths = [b"%06d" % n for n in range(count)]
        made = list(files.units(os.fsencode(tmp_path), paths, shown=b"", max_size=1))
        assert [path for unit in made for path in unit.paths] == paths
        sizes.append(made[0].size())
    assert sizes == [128, 312, 512]


def test_weight_of_a_large_tree_is_that_of_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the first files, every sixteenth of the rest."""
    monkeypatch.setattr(files, "MANY", 10)
    names = [f"{n:03}" for n in range(170)]
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 10)
    made = files.units(os.fsencode(tmp_path), [n.encode() for n in names], shown=b"", max_size=1)
    assert sum(unit.weight for unit in made) == 10 * 10 + 16 * 10 * 10
