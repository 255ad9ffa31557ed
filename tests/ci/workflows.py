"""Steps of an action or a job, as the services run them: expressions resolved, scripts given to the same shell."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


def load(name: str) -> Any:
    """A YAML file of this project. (YAML 1.1 reads `on` as true.)"""
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def resolve(text: str, contexts: Mapping[str, str]) -> str:
    """A value with its expressions resolved: names, and `||` between them, as the documentation has it.

    https://docs.github.com/actions/reference/workflows-and-actions/expressions
    """

    def value(found: re.Match[str]) -> str:
        names = [name.strip() for name in found[1].split("||")]
        assert all(re.fullmatch(r"[\w.-]+", name) for name in names), found[0]
        return next((contexts[name] for name in names if contexts.get(name)), "")

    return EXPRESSION.sub(value, text)


@dataclass
class Ran:
    """How a step ended: exit code, what it said, and its outputs."""

    code: int
    said: str
    outputs: dict[str, str]


def run_step(
    step: Mapping[str, Any], contexts: Mapping[str, str], folder: Path, temporary: Path, **variables: str
) -> Ran:
    """Run a step of a composite action. Its shell is `bash --noprofile --norc -eo pipefail FILE`.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax (jobs.<job_id>.steps[*].shell)
    """
    assert step["shell"] == "bash"
    (temporary / "step.sh").write_text(step["run"])
    (temporary / "output").write_text("")
    given = {name: resolve(value, contexts) for name, value in step.get("env", {}).items()}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", temporary / "step.sh"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(temporary), "GITHUB_OUTPUT": str(temporary / "output")}
        | given
        | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (temporary / "output").read_text().splitlines()
    return Ran(done.returncode, done.stdout + done.stderr, dict(line.split("=", 1) for line in lines))
