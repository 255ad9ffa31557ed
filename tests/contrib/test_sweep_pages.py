"""docs/sweeps.md, docs/schedules.md: messages and figures are those of the code, no field of a report is left out."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from oakum.scanner import swept
from oakum.scanner.cli.sweep import COUNTS, sweep_run
from oakum.scanner.logins import _HOMES, _VARIABLES
from oakum.scanner.report.messages import MESSAGES
from oakum.scanner.report.news import news_object
from oakum.scanner.sources.clones.folder import MEMORY_SHARE
from oakum.scanner.sources.hosts.local import DEEPEST
from oakum.scanner.sources.hosts.targets import FORMS
from oakum.scanner.store.deliveries import MOST_ATTEMPTS
from oakum.scanner.store.status import LAST_SWEEPS
from oakum.scanner.sweep import Settings
from oakum.scanner.sweep.executors import SEARCHING
from oakum.scanner.sweep.run import STRIKES, WIDE
from scanning import Fresh
from schedule_files import CONTRIB, SERVICE, clones, text, words

ROOT = CONTRIB.parent
SWEEPS, SCHEDULES = text(ROOT / "docs" / "sweeps.md"), text(ROOT / "docs" / "schedules.md")
NOW = datetime(2027, 1, 1, tzinfo=UTC)
PLAIN = re.sub(r"\s+", " ", SWEEPS)
TROUBLE = [
    re.findall("`([^`]+)`", row.split("|")[1])
    for row in SWEEPS.partition("## When something is wrong")[2].splitlines()
    if row.startswith("| `")
]
DROP_INS = dict(re.findall(r"<!-- drop-in: (\w+) -->\n```ini\n(.*?)```", SCHEDULES, re.DOTALL))


def texts() -> Iterator[str]:
    """All texts in the code, and the constant parts of those that are put together."""
    for path in (ROOT / "scanner").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


# --- docs/sweeps.md --------------------------------------------------------------------------------------------------


def test_messages_are_those_of_the_code() -> None:
    """As they stand there: who looks for one finds it."""
    said = "\0".join(texts())
    assert len(TROUBLE) > 20
    assert [part for parts in TROUBLE for part in parts if part not in said] == []


def test_figures_are_those_of_the_code() -> None:
    """Times, sizes and counts in the text."""
    numbers = {5: "five", 6: "six", 7: "seven", 10: "ten"}
    for told in (
        f"could not be reached {STRIKES} times in a row",
        f"more than {WIDE >> 20} MiB",
        f"{numbers[int(SEARCHING) // 3600]} hours after its time for fetching",
        f"{numbers[int(SEARCHING + Settings(NOW, '').seconds) // 3600]} hours in all by default",
        f"{numbers[MOST_ATTEMPTS]} times in all",
        f"up to {DEEPEST} folders deep",
        f"a {numbers[MEMORY_SHARE]}th of it",
        f"the last {numbers[LAST_SWEEPS]}",
    ):
        assert told in PLAIN


def test_all_targets_hosts_and_variables_are_described() -> None:
    """Each form of a target; each variable that a token may stand in."""
    for form in FORMS:
        assert f"`{form.partition('[')[0].partition('|')[0]}" in SWEEPS or form in (
            "a folder of clones",
            "a file of URLs",
        )
    names = {name for variables in _VARIABLES.values() for name, _ in variables}
    assert [name for name in names if f"`{name}`" not in SWEEPS] == []
    assert [host for host in _HOMES if host.removeprefix("api.") not in SWEEPS] == []


def test_all_states_changes_and_messages_are_described() -> None:
    """In the words of the reports."""
    expected = [*swept.State.__args__, *swept.Change.__args__, *MESSAGES]  # type: ignore[attr-defined]
    assert [word for word in expected if f"`{word}`" not in SWEEPS] == []
    row = next(line for line in SWEEPS.splitlines() if line.startswith("| 1 |"))
    assert set(re.findall("`([a-z]+)`", row)) == COUNTS


def fields(thing: Any) -> set[str]:
    """All names in a JSON document, but for what is data, or told on the page of reports."""
    if isinstance(thing, list):
        return {name for one in thing for name in fields(one)}
    if isinstance(thing, dict):
        data = ("verdict", "counts", "places", "states", "bands", "groups", "by")
        return set(thing) | {name for key, one in thing.items() if key not in data for name in fields(one)}
    return set()


@pytest.mark.long
def test_every_field_is_described(tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """As real documents have it: of a sweep, of findings, of a history, of a store."""
    clones(tmp_path / "clones", fresh)
    for name in ("CACHE", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))

    def document(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "oakum.scanner", "sweep", *arguments, "--format", "json"],
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    given = [document("run", str(tmp_path / "clones"), "--no-progress"), document("findings"), document("history")]
    given += [document("status"), document("findings", "--by", "team")]
    assert set(given[0]) == set(news_object(swept.News(1, NOW, NOW, (), (), (), {})))
    assert [name for name in sorted(fields(given)) if f"`{name}`" not in SWEEPS] == []


# --- docs/schedules.md -----------------------------------------------------------------------------------------------


def test_every_schedule_is_described() -> None:
    """With a link to each of its files, or to their folder."""
    linked = set(re.findall(r"\]\(\.\./contrib/?([\w./-]*)\)", SCHEDULES))
    for path in CONTRIB.rglob("*"):
        if path.is_file():
            inside = path.relative_to(CONTRIB).as_posix()
            assert inside in linked or path.parent.relative_to(CONTRIB).as_posix() in linked, inside


@pytest.mark.parametrize("name", sorted(DROP_INS))
def test_drop_ins_are_taken(name: str, tmp_path: Path) -> None:
    """By systemd, upon the unit of contrib/; and their command lines by oakum."""
    assert set(DROP_INS) == {"metrics", "credentials"}
    line = words(re.sub(r"\\\n\s*", "", DROP_INS[name]).replace("'", " "))
    sweep_run.make_context("run", line[3:], help_option_names=["-h", "--help"])
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze (systemd)")
    unit = tmp_path / SERVICE.name
    unit.write_text(text(SERVICE).replace("/opt/oakum/bin/oakum", sys.executable))
    (tmp_path / f"{SERVICE.name}.d").mkdir()
    drop_in = DROP_INS[name].replace("/opt/oakum/bin/oakum", shlex.quote(sys.executable))
    (tmp_path / f"{SERVICE.name}.d" / "own.conf").write_text(drop_in)
    done = subprocess.run([program, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert ([line for line in done.stderr.splitlines() if "oakum-sweep" in line], done.returncode) == ([], 0)
