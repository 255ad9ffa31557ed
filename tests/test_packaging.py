"""What is installed: every module and data file of the three folders, under `oakum`, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from random import Random

import pytest
from oakum.detectors import samples

ROOT = Path(__file__).parents[1]
PARTS = ("scanner", "detectors", "allowlists")
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_package_list_equals_the_folders_on_disk() -> None:
    """It is explicit, so a new folder must be added to it."""
    on_disk = {
        ".".join(("oakum", *p.parent.relative_to(ROOT).parts)) for part in PARTS for p in (ROOT / part).rglob("*.py")
    }
    assert CONFIGURATION["tool"]["setuptools"]["packages"] == sorted(on_disk)


def test_every_folder_of_modules_is_a_package() -> None:
    """Without `__init__.py` it would not be installed."""
    folders = {p.parent for part in PARTS for p in (ROOT / part).rglob("*.py")}
    assert [f for f in folders if not (f / "__init__.py").exists()] == []


def build(tmp_path_factory: pytest.TempPathFactory, **variables: str) -> Path:
    """A wheel, built from a copy of the tree with the setuptools and Cython that are installed."""
    copy = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        made = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c")
        shutil.copytree(ROOT / part, copy / part, ignore=made)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy],
        check=True,
        capture_output=True,
        env=os.environ | variables,
    )
    return next(out.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel with the compiled part, where there is a compiler."""
    return build(tmp_path_factory)


@pytest.mark.long
def test_a_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    """At its top level stand `oakum` and the metadata only: no generic name lands in site-packages."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    expected = {
        f"oakum/{p.relative_to(ROOT).as_posix()}"
        for part in PARTS
        for p in (ROOT / part).rglob("*")
        if p.suffix in (".py", ".toml", ".pyx", ".pyi") or p.name == "py.typed"
    }
    expected.add("oakum/scanner/sources/_packs" + sysconfig.get_config_var("EXT_SUFFIX"))
    version = CONFIGURATION["project"]["version"]
    assert {n for n in names if not n.startswith(f"oakum-{version}.dist-info/")} == expected
    assert f"oakum-{version}.dist-info/licenses/LICENSE" in names


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="setuptools looks for its compiler itself on Windows")
def test_without_a_compiler_the_wheel_lacks_the_compiled_part_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    """And is built all the same: `optional` in pyproject.toml."""
    names = zipfile.ZipFile(build(tmp_path_factory, CC="false")).namelist()
    assert "oakum/scanner/sources/packs.py" in names
    assert not [name for name in names if name.endswith((".so", ".c"))]


@pytest.mark.long
def test_an_installed_wheel_scans(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, to which only the libraries that oakum needs are lent."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    lib = Path(sysconfig.get_path("purelib", vars={"base": str(venv), "platbase": str(venv)}))
    (lib / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    oakum = python.with_name("oakum.exe" if sys.platform == "win32" else "oakum")

    def run(*arguments: str | Path) -> tuple[int, str]:
        done = subprocess.run([oakum, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    assert run("--version") == (0, f"oakum {CONFIGURATION['project']['version']}\n")
    source = [python, "-I", "-c", "import oakum.scanner as s; print(s.__file__)"]
    home = subprocess.run(source, capture_output=True, text=True, check=True).stdout
    assert home.startswith(str(venv))
    (tmp_path / "clean.txt").write_text("nothing to see\n")
    assert run("scan", "clean.txt")[0] == 0
    token = samples.build("github:ghp", Random("packaging")).decode()
    (tmp_path / "settings.ini").write_text(f"token = {token}\n")
    code, page = run("scan", "settings.ini")
    assert code == 1
    assert "settings.ini:1:9" in page
    assert token not in page
