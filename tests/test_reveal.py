"""A secret's value is asked for in few places: here they are, each with its reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "scanner/allow.py": "a placeholder is known by its value",
    "scanner/engine/excerpt.py": "each repetition of a value on the shown line is masked",
    "scanner/engine/pairs.py": "the part that names an account becomes a fact",
    "scanner/engine/settle.py": "of two values found in one place, one holds the other",
    "scanner/pipeline/pick.py": "another scanner says which secret it means by its value, or a digest of it",
    "scanner/pipeline/push.py": "a secret that was found is looked for in what the remote has",
    "scanner/pipeline/redact.py": "known values are taken out of names and other lines",
    "scanner/prove.py": "a signature is made again with the key that was found",
    "scanner/report/options.py": "--show-secrets",
    "scanner/verify/credential.py": "its provider is asked about it",
}


def reveals(path: Path) -> list[tuple[str, int]]:
    """(function, line) of every `.reveal`, called or handed on, and of every look at a Secret's own fields."""
    found: list[tuple[str, int]] = []

    def walk(node: ast.AST, function: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if isinstance(node, ast.Attribute) and node.attr == "reveal":
            found.append((function, node.lineno))
        if isinstance(node, ast.Constant) and node.value == "reveal":
            found.append((function, node.lineno))
        if isinstance(node, ast.Attribute) and node.attr == "_value" and path.name != "model.py":
            found.append((function, node.lineno))
        for child in ast.iter_child_nodes(node):
            walk(child, function)

    walk(ast.parse(path.read_text("utf-8")), "")
    return found


MODULES = sorted(p for part in ("scanner", "detectors", "allowlists") for p in (ROOT / part).rglob("*.py"))


def test_values_are_revealed_only_where_they_must_be() -> None:
    """Everywhere else there is a mask and a fingerprint."""
    assert {str(p.relative_to(ROOT)) for p in MODULES if reveals(p)} == set(ALLOWED)


def test_reports_reveal_in_one_function_only() -> None:
    """The one that asks for --show-secrets first."""
    path = ROOT / "scanner/report/options.py"
    assert [function for function, _ in reveals(path)] == ["shown"]


@pytest.mark.parametrize("module", ["scanner/pipeline/workers.py", "scanner/ledger.py"])
def test_what_is_kept_of_a_secret_is_a_secret(module: str) -> None:
    """`canonical` gives the value too: it is a key in memory here, and nothing else."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    uses = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "canonical"]
    assert len(uses) == 1


def test_nothing_that_is_printed_by_accident_holds_a_value() -> None:
    """`canonical` is asked for only by those that compare: not by reports, not by the command line, not by rank."""
    users = {
        str(p.relative_to(ROOT))
        for p in MODULES
        for n in ast.walk(ast.parse(p.read_text("utf-8")))
        if isinstance(n, ast.Attribute) and n.attr == "canonical"
    }
    assert users == {
        "scanner/allow.py",
        "scanner/ledger.py",
        "scanner/model.py",
        "scanner/pipeline/scan.py",
        "scanner/pipeline/workers.py",
    }
