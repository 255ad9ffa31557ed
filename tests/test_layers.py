"""DESIGN.md's layers, proved on the syntax trees: imports point downwards only, siblings never import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = {
    "patterns": -3,
    "canonical": -2,
    "verification": -2,
    "model": -1,
    "errors": -1,
    "cache": -1,
    "listed": 0,
    "rechecked": 0,
    "logins": 0,
    "swept": 0,
    "net": 0,
    "sources": 1,
    "engine": 1,
    "prove": 1,
    "verify": 1,
    "rank": 1,
    "headline": 1,
    "report": 1,
    "store": 1,
    "catalog": 1,
    "allow": 1,
    "ledger": 1,
    "suppressions": 1,
    "survey": 1,
    "config": 1,
    "foreign": 1,
    "pipeline": 2,
    "hook": 3,
    "sweep": 3,
    "cli": 4,
    "__main__": 5,
}
"""A package counts as one. The distribution's own `__init__` (its version) lies below all of them."""

MODULES = sorted(
    p.relative_to(ROOT) for part in ("scanner", "detectors", "allowlists") for p in (ROOT / part).rglob("*.py")
)


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """What a module imports: relative imports from the top of the checkout, others as they are called."""
    package = path.parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= len(package) + 1, f"{path}:{node.lineno}: leaves oakum"
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            if module:
                yield (*base, *module)
            else:
                yield from ((*base, alias.name) for alias in node.names)


def own(path: Path) -> Iterator[tuple[str, ...]]:
    """The imports of a module that lie inside of oakum."""
    return (name for name in imported(path) if name[0] in ("scanner", "detectors", "allowlists"))


def stage(name: tuple[str, ...]) -> str:
    """The stage that a name lies in: `scanner.report.sarif` in `report`; the distribution itself in none."""
    return name[1].removesuffix(".py") if len(name) > 1 else ""


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Every name with dots that a module calls or reads, such as `os.environ` or `datetime.now`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[0] == "scanner"], ids=str)
def test_imports_point_downwards_and_siblings_never_import_each_other(path: Path) -> None:
    """Inside a package anything goes."""
    here = stage(path.parts)
    if here == "__init__":
        assert list(own(path)) == [], f"{path} lies below everything"
        return
    for name in own(path):
        there = stage(name)
        if name[0] == "scanner" and there not in ("", here) and there != "__version__":
            assert LAYERS[there] < LAYERS[here], f"{path} ({here}) imports {there}"


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[0] != "scanner"], ids=str)
def test_detectors_and_allowlists_import_nothing_of_the_scanner(path: Path) -> None:
    """Nor each other."""
    assert [name for name in own(path) if name[0] != path.parts[0]] == []


@pytest.mark.parametrize(("part", "reader"), [("detectors", "catalog"), ("allowlists", "allow")])
def test_one_stage_reads_a_folder_of_data(part: str, reader: str) -> None:
    """The catalog the detectors, allow the allowlists."""
    users = {stage(p.parts) for p in MODULES if p.parts[0] == "scanner" for name in own(p) if name[0] == part}
    assert users == {reader}


def test_all_imports_of_oakum_are_relative() -> None:
    """An absolute import would find another copy of oakum, or none."""
    assert [(str(p), name) for p in MODULES for name in imported(p) if name[0] == "oakum"] == []


ONLY_IN = {
    "os.environ": "cli",
    "os.getenv": "cli",
    "os.putenv": "cli",
    "datetime.now": "cli",
    "datetime.today": "cli",
    "datetime.utcnow": "cli",
    "date.today": "cli",
    "time.time": "cli",
    "time.time_ns": "cli",
    "print": "cli",
    "input": "cli",
    "click.echo": "cli",
    "sys.exit": "cli",
    "os._exit": "cli",
    "exit": "cli",
    "quit": "cli",
    "sys.stdout": "cli",
    "sys.stdin": "cli",
    "sys.stderr": "cli",
    "subprocess.run": "sources",
    "subprocess.Popen": "sources",
    "os.system": "",
    "os.popen": "",
    "eval": "",
    "exec": "",
    "pickle.loads": "",
    "pickle.load": "",
}
"""What only one stage may do, or none. The rest of oakum is told the time and the environment."""


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_the_command_line_reads_the_environment_and_the_clock_prints_and_exits(path: Path) -> None:
    """And only the sources run a program, git."""
    here = stage(path.parts)
    assert [(line, name) for line, name in calls(path) if ONLY_IN.get(name, here) != here] == []


def test_git_is_run_in_two_modules() -> None:
    """So that no call of it lacks the settings that make it safe: one for what lies here, one that talks to hosts."""
    found = [str(p) for p in MODULES if ("subprocess",) in imported(p)]
    assert found == ["scanner/sources/clones/network.py", "scanner/sources/git.py"]


NETWORK = {"socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "requests", "httpx", "httpcore", "aiohttp"}
CLIENTS = {"boto3", "obstore", "azure.core", "azure.identity"}
"""What would open connections by itself. Of Azure's library and botocore, only what signs is used."""


def test_one_module_opens_connections() -> None:
    """Every address is checked there, and every answer bounded; but for objects (below)."""
    found = {str(p) for p in MODULES for n in imported(p) if {n[0], ".".join(n[:2])} & (NETWORK | CLIENTS)}
    assert found == {"scanner/net/http.py", "scanner/net/dial.py", "scanner/sources/stores/objects.py"}


def test_one_module_reads_objects() -> None:
    """obstore connects by itself: what keeps it in bounds is there, and nowhere else."""
    assert {str(p) for p in MODULES for n in imported(p) if n[0] == "obstore"} == {"scanner/sources/stores/objects.py"}
    asked = {n for n in imported(Path("scanner/sources/stores/objects.py")) if n[0] in NETWORK | CLIENTS}
    assert {name[0] for name in asked} == {"obstore"}


def test_libraries_of_providers_are_used_in_one_module() -> None:
    """To sign, and for nothing else: none of their clients, sessions and resolvers, which ask on their own."""
    allowed = {"auth", "awsrequest", "credentials", "exceptions"}
    found = {(str(p), n) for p in MODULES for n in imported(p) if n[0] in ("botocore", "azure")}
    assert {path for path, _ in found} == {"scanner/sources/stores/credentials.py"}
    assert {name[1] for _, name in found if name[0] == "botocore"} == allowed
    assert {name for _, name in found if name[0] == "azure"} == {("azure", "storage", "blob")}


def test_one_stage_speaks_to_databases() -> None:
    """The store: who does not sweep needs none of these libraries."""
    databases = {"sqlalchemy", "alembic", "sqlite3", "psycopg"}
    found = {(str(p), n[0]) for p in MODULES for n in imported(p) if n[0] in databases}
    assert {path for path, name in found if not path.startswith("scanner/store/")} == {
        "scanner/sources/clones/ledger.py"  # what clones take, in SQLite of the standard library
    }
    assert ("scanner/sources/clones/ledger.py", "sqlite3") in found


def test_one_module_speaks_to_a_cluster() -> None:
    """Dask is a matter of one executor: who sweeps on one machine needs it not."""
    clusters = {"distributed", "dask"}
    assert {str(p) for p in MODULES for n in imported(p) if n[0] in clusters} == {"scanner/sweep/dask.py"}


@pytest.mark.parametrize("command", [["scan", "--no-history", "."], ["explain"], ["push", "--help"], ["--version"]])
def test_other_commands_are_offline(command: list[str], tmp_path: Path) -> None:
    """They do not even import what could ask a store; and start the faster for it."""
    (tmp_path / "file").write_bytes(b"nothing\n")
    program = f"""
import sys
from oakum.scanner.cli import main
sys.argv = ["oakum", *{command!r}]
try:
    main()
finally:
    names = [n for n in sys.modules if n.startswith(("oakum.scanner.sources.stores.", "oakum.scanner.net.http"))]
    print([n for n in ("httpcore", "httpx", "ssl", "botocore", "azure") if n in sys.modules] + names)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, input=b"nothing", capture_output=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == b"[]", done.stderr.decode()


def test_every_stage_has_its_layer() -> None:
    """A new one is written into the table above, and into DESIGN.md."""
    stages = {stage(p.parts) for p in MODULES if p.parts[0] == "scanner"} - {"__init__"}
    assert stages - set(LAYERS) == set()
