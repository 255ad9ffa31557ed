"""The documentation says what is so: generated parts are fresh, links lead somewhere, commands work."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from oakum.detectors.checks import CHECKS
from oakum.scanner import catalog
from oakum.scanner.catalog import verifications
from oakum.scanner.cli.commands import cli
from oakum.scanner.config.files import parsed, source
from oakum.scanner.model import KINDS, NOT_ASKED, REACH_WORDS, Secret, guessable
from oakum.scanner.pipeline.verified import STOPPED, UNSAID
from oakum.scanner.rechecked import OUTCOMES
from oakum.scanner.suppressions import BASELINE, BY_DETECTOR, BY_FINGERPRINT, BY_PATH
from oakum.scanner.verify import TOO_MANY
from oakum.scanner.verify.asking import ONE_TRY, TAKES_ANYTHING
from oakum.scanner.verify.line import OVER

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMES = [str(p.relative_to(ROOT)) for p in PAGES]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def demo(generate: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository that the README scans."""
    folder = tmp_path_factory.mktemp("home") / "demo"
    generate.make_demo(folder)
    return folder


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


# --- generated parts ------------------------------------------------------------------------------------------------


def test_generated_parts_are_fresh(generate: ModuleType) -> None:
    """Help texts, tables, the transcript: `make docs` writes them again."""
    assert [str(p.relative_to(ROOT)) for p in generate.stale()] == []


def test_every_generated_part_is_used(generate: ModuleType) -> None:
    """One that no page has is dead code."""
    used = {found[1] for p in PAGES for found in generate.BLOCK.finditer(p.read_text("utf-8"))}
    assert used == set(generate.BLOCKS)


def below_of(command: click.Command) -> dict[str, click.Command]:
    """The commands of a group, by their names."""
    if not isinstance(command, click.Group):
        return {}
    context = click.Context(command)
    return {name: found for name in command.list_commands(context) if (found := command.get_command(context, name))}


def test_the_help_of_every_command_is_in_the_documentation() -> None:
    """A new command needs its page."""
    text = "".join(map(page, NAMES))

    def commands(command: click.Command, name: str) -> list[str]:
        below = below_of(command).items()
        return [n for sub, c in below for n in commands(c, f"{name} {sub}")] or [name]

    assert [name for name in commands(cli, "oakum") if f"$ {name} --help\n" not in text] == []


def test_the_transcript_shows_every_finding_of_the_demo_masked(generate: ModuleType, demo: Path) -> None:
    """No value of the demo repository stands in the README."""
    command = [sys.executable, "-m", "oakum.scanner", "scan", str(demo), "--format", "jsonl", "--show-secrets"]
    found = [json.loads(line) for line in subprocess.run(command, capture_output=True, check=False).stdout.splitlines()]
    readme = page("README.md")
    assert [f["fingerprint"] for f in found] == re.findall(r"^  id     (\w+)", readme, re.MULTILINE)
    assert [f["secret"] for f in found if f["secret"] in readme] == []


# --- nothing left out -----------------------------------------------------------------------------------------------


def test_every_detector_is_listed() -> None:
    """With its id, as a user meets it."""
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", page("docs/detector-list.md"), re.MULTILINE)
    assert listed == [d.id for d in catalog.load()]


def test_every_field_of_a_detector_file_is_described() -> None:
    """Required ones in the first table, optional ones in the second."""
    text = page("docs/detectors.md")
    first, second = text.partition("## Fields that a detector may have")[::2]
    for part, fields in ((first, catalog._REQUIRED), (second, catalog._OPTIONAL)):
        assert [f for f in fields if f"| `{f}` |" not in part] == []
    assert [word for word in (*KINDS, *CHECKS, *catalog.REACHES) if f"`{word}`" not in text] == []


def test_every_field_of_a_check_is_described() -> None:
    """As a detector file may have it; the example is a good one."""
    text = page("docs/detectors.md").partition("## How a provider is asked")[2]
    rows = {
        name for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for name in re.findall("`([a-z]+)`", row)
    }
    assert set(verifications._FIELDS) <= rows
    assert [word for word in (*verifications.AUTHS, *verifications.PRIVILEGES) if f"`{word}" not in text] == []
    (example,) = re.findall(r"```toml\n\[detector.verify\]\n(.*?)```", text, re.DOTALL)
    table = tomllib.loads(example.replace("[detector.verify.", "["))
    verifications.require(table, "docs")
    check = verifications.made(table)
    assert {name for name, _ in check.answers} == {"live", "dead"}


def test_why_a_verdict_is_unknown_is_described() -> None:
    """In the words of the report."""
    text = page("docs/verification.md")
    reasons = (TAKES_ANYTHING, OVER.partition(" (")[0], ONE_TRY.partition(",")[0], STOPPED.reason, NOT_ASKED.reason)
    reasons += (TOO_MANY.partition(",")[0], UNSAID.reason.partition(" (")[0])
    assert [reason for reason in reasons if reason not in text] == []
    assert [outcome for outcome in OUTCOMES if f"| `{outcome}` |" not in text] == []


def keys(thing: Any) -> set[str]:
    """All keys of a JSON document, but for those that are data."""
    if isinstance(thing, list):
        return {k for entry in thing for k in keys(entry)}
    if isinstance(thing, dict):
        data = ("facts", "suppressed", "dropped", "searched", "stages", "findings")
        below = {k for name, value in thing.items() if name not in data or isinstance(value, list) for k in keys(value)}
        return set(thing) | below
    return set()


def test_every_field_of_a_report_is_described(demo: Path, tmp_path: Path) -> None:
    """As it stands in a real report."""
    (tmp_path / "plain").mkdir()
    command = [sys.executable, "-m", "oakum.scanner", "scan", str(demo), str(tmp_path), "--format", "json", "--stats"]
    document = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    text = page("docs/reports.md")
    again = tmp_path / "report.json"
    again.write_text(json.dumps(document))
    silent = {detector.id for detector in catalog.load() if detector.verify is None}
    only = next(one["detector"] for one in document["findings"] if one["detector"] in silent)
    command = [*command[:3], "verify", str(again), "--format", "json", "--verify-only", only]
    checked = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    assert [key for key in sorted(keys(document) | keys(checked)) if f"`{key}`" not in text] == []
    assert [word for word in REACH_WORDS if f"| `{word}` |" not in page("docs/scanning.md")] == []


def test_every_word_under_which_something_is_suppressed_is_described() -> None:
    """As the summary of a scan counts it."""
    words = (BASELINE, BY_DETECTOR, BY_FINGERPRINT, BY_PATH)
    assert [word for word in words if f"| `{word}` |" not in page("docs/suppressions.md")] == []


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", page("docs/configuration.md"), re.DOTALL))
def test_configuration_files_of_the_documentation_are_good(text: str) -> None:
    """A target may have them."""
    source("docs", parsed("docs", text.encode()), own=False)


def test_every_make_target_is_described() -> None:
    """In its own help, and but for parts of `check` on the page for developers."""
    makefile = page("Makefile")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()) - {"FORCE", "help"}
    parts = {"lint", "types", "docs-check", "self-scan"}
    assert {t for t in targets - parts if f"make {t} " not in makefile} == set()
    assert {t for t in targets - parts - {"scan"} if f"`make {t}`" not in page("docs/development.md")} == set()


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    """Sections by version, each with the sections that the form knows; the version of pyproject.toml is in it."""
    text = page("CHANGELOG.md")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == "[Unreleased]"
    allowed = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= allowed
    assert tomllib.loads(page("pyproject.toml"))["project"]["version"] in text


# --- fingerprints ---------------------------------------------------------------------------------------------------

VECTORS = re.findall(r"^\| `([^`]+)` \| (yes|no) \| `([a-z2-7]{26})` \|$", page("docs/fingerprints.md"), re.MULTILINE)


@pytest.mark.parametrize(("value", "by_guessing", "fingerprint"), VECTORS, ids=[v[0] for v in VECTORS])
def test_fingerprints_are_those_of_the_documentation(value: str, by_guessing: str, fingerprint: str) -> None:
    """A released fingerprint never changes: suppressions go by it."""
    assert guessable(value.encode()) == (by_guessing == "yes")
    assert Secret(value.encode()).fingerprint() == fingerprint


def test_the_vectors_cover_both_ways() -> None:
    """With scrypt and without."""
    assert {v[1] for v in VECTORS} == {"yes", "no"}


# --- links and commands ---------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """To a page or file that is there, and to a heading that it has."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page(name), flags=re.DOTALL)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = (ROOT / name).parent / path if path else ROOT / name
        assert other.exists(), target
        if anchor:
            assert anchor in anchors(other.read_text("utf-8")), target


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_are_there(name: str) -> None:
    """Paths in code marks that begin with a folder of this project."""
    named = re.findall(r"`((?:scanner|detectors|allowlists|tests|docs|contrib|\.ci)/[\w./-]*)`", page(name))
    assert [path for path in named if "PROVIDER" not in path and not (ROOT / path).exists()] == []


def shell(name: str) -> list[str]:
    """The commands of a page, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", page(name), re.DOTALL)
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize(("name", "line"), [(n, line) for n in NAMES for line in shell(n) if "oakum " in line])
def test_options_of_commands_in_the_documentation_are_real(name: str, line: str) -> None:
    """Parsed by the command line itself."""
    words = shlex.split(line.rpartition("|")[2])
    if words[0] != "oakum":
        return
    command: click.Command = cli
    arguments = words[1:]
    while isinstance(command, click.Group):
        command = below_of(command)[arguments.pop(0)]
    command.make_context(words[0], [a for a in arguments if a != "FILE"], help_option_names=["-h", "--help"])


@pytest.mark.parametrize(
    "line", [s for s in shell("README.md") if "oakum " in s and "path/to" not in s and "pip" not in s]
)
def test_commands_of_the_readme_work(line: str, demo: Path, tmp_path: Path) -> None:
    """In a copy of the demo repository, with a report; findings are no failure."""
    here = shutil.copytree(demo, tmp_path / "demo")
    (here / "report.json").write_text('{"schema": 1, "findings": []}')
    (tmp_path / "oakum").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oakum.scanner "$@"\n')
    (tmp_path / "oakum").chmod(0o755)
    line = line.replace("--output ", f"--output {tmp_path}/")
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    environment["XDG_CONFIG_HOME"] = str(tmp_path)
    done = subprocess.run(["sh", "-c", line], cwd=here, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr


@pytest.mark.parametrize(("name", "line"), [(n, s) for n in NAMES for s in shell(n) if s.startswith("make ")])
def test_make_targets_of_the_documentation_are_there(name: str, line: str) -> None:
    """`make -n` knows them."""
    done = subprocess.run([*shlex.split(line), "-n"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
