"""The workflow for GitHub Actions and the job for GitLab: they ask for no more than they need, and their scripts keep
from one night to the next what they should, and no clones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository
from git_server import git_server
from scanning import Fresh
from schedule_files import GITHUB, GITLAB, clones, documents, stand_in, text

WORKFLOW = documents(GITHUB)[0]
STEPS = WORKFLOW["jobs"]["sweep"]["steps"]
CHECKOUT, _INSTALL, RESTORE, SWEEP, SAVE = STEPS
ON = WORKFLOW[True]
"""YAML 1.1 reads `on` as true."""
PIPELINE = documents(GITLAB)[0]
JOB = PIPELINE["sweep"]
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


# --- what they ask for -----------------------------------------------------------------------------------------------


def test_when_the_workflow_runs() -> None:
    """By the clock and by hand; never for a pull request, which could read what is cached. One at a time."""
    assert set(ON) == {"schedule", "workflow_dispatch"}
    assert re.fullmatch(r"[1-9]\d? \d+ \* \* \*", ON["schedule"][0]["cron"]), "not at the full hour"
    assert WORKFLOW["concurrency"] == {"group": "oakum-sweep", "cancel-in-progress": False}


def test_what_the_workflow_may_do() -> None:
    """Read its own repository; the token of the organization is there for one step, and in no clone."""
    assert WORKFLOW["permissions"] == {}
    assert WORKFLOW["jobs"]["sweep"]["permissions"] == {"contents": "read"}
    assert CHECKOUT["with"] == {"persist-credentials": False}
    assert [step.get("name") for step in STEPS if "secrets." in str(step)] == ["Sweep"]
    assert "secrets" not in str(WORKFLOW["jobs"]["sweep"]["env"])


def test_no_expression_stands_in_a_script() -> None:
    """Nobody's text is read as a command."""
    assert [step["run"] for step in STEPS if EXPRESSION.search(step.get("run", ""))] == []


def test_the_state_is_kept_whatever_happens() -> None:
    """What is brought is what is kept, under a name of its own each time; no clone is in it."""
    assert SAVE["if"] == "${{ always() }}"
    assert RESTORE["with"]["path"] == SAVE["with"]["path"]
    assert RESTORE["with"]["key"] == SAVE["with"]["key"]
    assert RESTORE["with"]["key"].startswith(RESTORE["with"]["restore-keys"])
    assert "run_id" in SAVE["with"]["key"], "a cache is never changed"
    assert JOB["cache"]["when"] == "always"
    assert [path.rstrip("/") for path in JOB["cache"]["paths"]] == SAVE["with"]["path"].split()


def test_when_the_job_runs() -> None:
    """By a schedule and by hand; one at a time; news are a warning."""
    assert {rule["if"] for rule in PIPELINE["workflow"]["rules"]} == {
        '$CI_PIPELINE_SOURCE == "schedule"',
        '$CI_PIPELINE_SOURCE == "web"',
    }
    assert (JOB["resource_group"], JOB["interruptible"]) == ("oakum-sweep", False)
    assert JOB["allow_failure"] == {"exit_codes": [1]}
    assert "GITLAB_TOKEN" not in str(JOB), "a variable of the project, masked"
    assert "read_api and read_repository" in text(GITLAB)


# --- night after night -----------------------------------------------------------------------------------------------


class Runner:
    """Machines of a service: each night a new one, on which only the cache is as it was."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.night = folder, 0
        stand_in(folder / "temp" / "oakum" / "bin" / "oakum", folder / "urls.txt")

    def run(self, script: str, cached: list[str], shell: list[str], **variables: str) -> tuple[int, str]:
        """A night: exit code, and what it said."""
        before, self.night = self.folder / str(self.night), self.night + 1
        here = self.folder / str(self.night)
        here.mkdir()
        for pattern in cached if before.exists() else ():
            for found in before.glob(pattern.rstrip("/")):
                shutil.copytree(found, here / found.relative_to(before))
        for path in here.rglob("*"):
            if path.is_dir():
                path.chmod(0o777)  # as a runner of GitLab unpacks it
        programs = f"{self.folder / 'temp' / 'oakum' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": programs, "HOME": str(here), "SLACK_WEBHOOK": "https://127.0.0.1:9/hook"}
        names = {name: value.replace("HERE", str(here)) for name, value in variables.items()}
        done = subprocess.run(
            [*shell, script], cwd=here, env=own | names, capture_output=True, text=True, check=False, timeout=120
        )
        return done.returncode, done.stdout + done.stderr


def key() -> str:
    """A key of a store, as the comments say how to make one."""
    made = subprocess.run(["openssl", "rand", "-base64", "32"], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def of_github(value: Any) -> str:
    """A value of `env` with its expressions resolved."""
    contexts = {"github.workspace": "HERE", "github.repository_owner": "acme"}
    return EXPRESSION.sub(lambda found: contexts.get(found[1].strip(), ""), str(value))


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="scripts for a shell")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_nights(service: str, tmp_path: Path, fresh: Fresh) -> None:
    """What is new is told once, on whatever machine; what did not change is not even fetched; no clone is kept."""
    with git_server(tmp_path / "hosted") as server:
        leaky = clones(tmp_path / "hosted", fresh)
        (tmp_path / "urls.txt").write_text(f"{server.url}/docs.git\n{server.url}/web/.git\n")
        three_nights(service, tmp_path, leaky, fresh)


def three_nights(service: str, tmp_path: Path, leaky: GitRepository, fresh: Fresh) -> None:
    runner, made = Runner(tmp_path), key()

    def night() -> tuple[int, str]:
        if service == "github":
            cached = SAVE["with"]["path"].split()
            env = {name: of_github(value) for name, value in WORKFLOW["jobs"]["sweep"]["env"].items()}
            env |= {name: of_github(value) for name, value in SWEEP["env"].items() if "secrets." not in value}
            env |= {"RUNNER_TEMP": str(tmp_path / "temp"), "OAKUM_STORE_KEY": made}
            return runner.run(SWEEP["run"], cached, ["bash", "-e", "-c"], **env)
        cached = JOB["cache"]["paths"]
        env = {name: value.replace("$CI_PROJECT_DIR", "HERE") for name, value in JOB["variables"].items()}
        env |= {"OAKUM_GROUP": "acme", "OAKUM_STORE_KEY": made}
        return runner.run("\n".join(JOB["script"]), cached, ["sh", "-e", "-c"], **env)

    news = 0 if service == "github" else 1
    code, said = night()
    assert (code, "1 new" in said, "::notice::" in said) == (news, True, service == "github"), said
    code, said = night()
    assert (code, "nothing new" in said) == (0, True), said
    leaky.commit({"more.env": b"TOKEN=" + fresh() + b"\n"}, "more")
    code, said = night()
    assert (code, "1 new" in said) == (news, True), said
    assert not any(secret.decode() in said for secret in fresh.drawn)
    (store,) = (tmp_path / "3").glob(".sweep/state/oakum/sweeps.db")
    assert not any(secret in store.read_bytes() for secret in fresh.drawn)
    clones_of = {night: list((tmp_path / night).glob(".sweep/cache/oakum/clones/*/repo.git")) for night in "123"}
    assert {night: len(found) for night, found in clones_of.items()} == {"1": 2, "2": 0, "3": 1}


def test_failures_are_failures(tmp_path: Path) -> None:
    """Exit code 2 stays 2: nobody takes a sweep that could not be for one that found nothing."""
    runner = Runner(tmp_path)
    (tmp_path / "urls.txt").write_text("")
    where = {name: f"HERE/{name}" for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    code, said = runner.run(
        SWEEP["run"], [], ["bash", "-e", "-c"], **where, RUNNER_TEMP=str(tmp_path / "temp"), ORGANIZATION="acme"
    )
    assert code == 2, said
    assert "there is no repository in it" in said
