"""What a push imports in which nothing is found: each module costs time, before every push."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pushing import Pushing
from scanning import Fresh

PROGRAM = """
import os, sys

def ended(code):
    print(code, *sorted(sys.modules), sep="\\n", flush=True)
    end(code)

end, os._exit = os._exit, ended
from oakum.scanner import cli
cli.main()
"""
MOST = 175
"""Modules in all, with those that Python itself begins with, and what makes an editable install."""
NEEDLESS = {
    "asyncio": "nothing is waited for",
    "click": "a hook has no options",
    "concurrent": "a small push is searched in one process",
    "cryptography": "only a key that was found is looked into",
    "difflib": "only a mistake in a configuration is compared",
    "email": "nothing is sent",
    "git": "git itself lists the objects",
    "gzip": "git itself reads the objects",
    "http": "a hook is offline",
    "hyperscan": "for a small push it is loaded longer than it searches",
    "isal": "git itself reads the objects",
    "logging": "nothing is logged",
    "multiprocessing": "a small push is searched in one process",
    "oakum.scanner.config.edit": "nothing is accepted",
    "oakum.scanner.config.files": "there is no configuration",
    "oakum.scanner.hook.remedy": "nothing is to be gone on from",
    "oakum.scanner.hook.skips": "nothing is skipped",
    "oakum.scanner.pipeline.memory": "that is for scans",
    "oakum.scanner.pipeline.scan": "that is for scans, and for findings",
    "oakum.scanner.prove": "there is nothing to prove",
    "oakum.scanner.rank": "there is nothing to rank",
    "oakum.scanner.report": "there is no page",
    "oakum.scanner.sources.diffs": "there is nothing to attribute",
    "oakum.scanner.sources.history": "there is nothing to attribute",
    "oakum.scanner.sources.packs": "git itself reads the objects",
    "oakum.scanner.sources.selection": "there is nothing to attribute",
    "oakum.scanner.suppressions": "there is nothing to accept",
    "platform": "it starts programs",
    "pygments": "there is no page",
    "random": "nothing is drawn",
    "shutil": "the width of the terminal is no matter",
    "socket": "a hook is offline",
    "ssl": "a hook is offline",
    "tempfile": "what git is told lies in memory",
    "tomllib": "there is no configuration",
    "tqdm": "there is no progress to show",
    "traceback": "nothing has failed",
    "unittest": "this is no test",
    "urllib.request": "a hook is offline",
    "uuid": "nothing has a number",
    "xml": "nothing is read of it",
    "yaml": "nothing is read of it",
}
"""What must not be imported, and why it is not needed."""
ENGINE = "oakum.scanner.engine"
OWN = """
    oakum
    oakum.allowlists
    oakum.detectors
    oakum.scanner
    oakum.scanner.allow
    oakum.scanner.cache
    oakum.scanner.canonical
    oakum.scanner.catalog
    oakum.scanner.cli
    oakum.scanner.cli.folders
    oakum.scanner.cli.hooked
    oakum.scanner.cli.machine
    oakum.scanner.config
    oakum.scanner.engine
    oakum.scanner.engine.aho_corasick
    oakum.scanner.engine.carry
    oakum.scanner.engine.confirm
    oakum.scanner.engine.entropy
    oakum.scanner.engine.escapes
    oakum.scanner.engine.excerpt
    oakum.scanner.engine.lines
    oakum.scanner.engine.pairs
    oakum.scanner.engine.reading
    oakum.scanner.engine.settle
    oakum.scanner.engine.vectorised
    oakum.scanner.engine.views
    oakum.scanner.errors
    oakum.scanner.hook
    oakum.scanner.hook.protocol
    oakum.scanner.hook.run
    oakum.scanner.model
    oakum.scanner.patterns
    oakum.scanner.pipeline
    oakum.scanner.pipeline.budget
    oakum.scanner.pipeline.options
    oakum.scanner.pipeline.push
    oakum.scanner.pipeline.workers
    oakum.scanner.sources
    oakum.scanner.sources.git
    oakum.scanner.sources.locate
    oakum.scanner.sources.objects
    oakum.scanner.sources.pushed
    oakum.scanner.sources.refs
    oakum.scanner.verification
""".split()
"""All that is imported of oakum itself."""


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    """A repository with a remote, and a commit that it does not have."""
    made = Pushing.create(tmp_path)
    made.work.commit({"work.txt": b"work\n"}, "work")
    return made


def imported(pushing: Pushing, given: bytes | None = None, **variables: str) -> tuple[int, list[str]]:
    """The exit code, and all modules that are loaded at the end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "push", "origin", "../remote.git"],
        cwd=pushing.work.path,
        env=pushing.environment | variables,
        input=pushing.told() if given is None else given,
        capture_output=True,
        check=False,
    )
    code, *modules = done.stdout.decode().split("\n")[:-1]
    return int(code), modules


def within(modules: list[str], package: str) -> list[str]:
    """A package and what lies in it, of some modules."""
    return [name for name in modules if name == package or name.startswith(f"{package}.")]


@pytest.fixture
def modules(pushing: Pushing) -> list[str]:
    """Of a push in which nothing is found; what can be cached was cached by an earlier one."""
    imported(pushing)
    code, modules = imported(pushing)
    assert code == 0
    return modules


def test_modules_of_oakum(modules: list[str]) -> None:
    """These, and no others."""
    assert within(modules, "oakum") == OWN


@pytest.mark.parametrize("package", NEEDLESS)
def test_needless_modules_are_known(package: str) -> None:
    """A name that is misspelt would never be imported: each is one that Python, oakum or what it needs has."""
    found = subprocess.run([sys.executable, "-c", f"import {package}"], capture_output=True, check=False)
    assert found.returncode == 0 or package in {"yaml"}, found.stderr


def test_needless_modules(modules: list[str]) -> None:
    """None of them is imported."""
    assert {package: why for package, why in NEEDLESS.items() if within(modules, package)} == {}


def test_few_modules(modules: list[str]) -> None:
    """Whatever they are called."""
    assert len(modules) < MOST


def test_nothing_is_pushed(pushing: Pushing) -> None:
    """Then there is no engine, either."""
    code, modules = imported(pushing, given=b"")
    assert code == 0
    assert within(modules, ENGINE) == within(modules, "oakum.scanner.catalog") == []


def test_a_push_without_a_search(pushing: Pushing) -> None:
    """Nor is there one where it is skipped."""
    code, modules = imported(pushing, OAKUM_SKIP="why")
    assert code == 0
    assert within(modules, ENGINE) == []


def test_something_is_found(pushing: Pushing, fresh: Fresh) -> None:
    """What tells of it is imported then; still neither click nor GitPython, nor what highlights code."""
    pushing.work.commit({"app.cfg": b"token = " + fresh() + b"\n"}, "settings")
    imported(pushing)
    code, modules = imported(pushing)
    assert code == 1
    assert within(modules, "oakum.scanner.report")
    needless = ("click", "git", "pygments", "hyperscan", "tqdm", "http", "socket", "asyncio", "multiprocessing")
    assert [name for name in needless if within(modules, name)] == []
