"""contrib/github and contrib/gitlab: least rights, pinned actions, one sweep at a time, and the step itself."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from sweep_lines import documents, meant

(WORKFLOW,) = documents("github/sweep.yml")
(GITLAB,) = documents("gitlab/gitlab-ci.yml")
JOB: dict[str, Any] = WORKFLOW["jobs"]["sweep"]
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in JOB["steps"]}


def test_the_jobs_own_token_may_do_nothing() -> None:
    """Nor is anything checked out; what reads is a token of an app for that, without any right to write."""
    assert (WORKFLOW["permissions"], "permissions" in JOB) == ({}, False)
    assert not any("checkout" in step.get("uses", "") for step in JOB["steps"])
    given = {name: value for name, value in STEPS["Get a token"]["with"].items() if name.startswith("permission-")}
    assert given == {"permission-contents": "read", "permission-metadata": "read"}


def test_actions_are_pinned() -> None:
    """To commits, with the version behind."""
    used = [step["uses"] for step in JOB["steps"] if "uses" in step]
    assert [name for name in used if not re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", name)] == []


def test_when_it_runs() -> None:
    """By schedule and by hand, never for a pull request, and one at a time without cutting off another."""
    assert set(WORKFLOW[True]) == {"schedule", "workflow_dispatch"}
    assert WORKFLOW["concurrency"] == {"group": "sweep", "cancel-in-progress": False}
    assert STEPS["Sweep"]["timeout-minutes"] < JOB["timeout-minutes"]


def test_what_is_brought_is_kept_however_the_sweep_ends() -> None:
    """Store and clones, each under a key of the run, and found again by what that begins with."""
    for what in ("store", "clones"):
        bring, keep = STEPS[f"Bring the {what}"], STEPS[f"Keep the {what}"]
        assert (keep["if"], keep["with"]["path"]) == ("${{ always() }}", bring["with"]["path"])
        assert keep["with"]["key"] == bring["with"]["key"]
        assert bring["with"]["key"].startswith(bring["with"]["restore-keys"])
    kept = [STEPS[f"Keep the {what}"]["with"]["path"] for what in ("clones", "store")]
    named = [WORKFLOW["env"][name].rpartition("/")[2] for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")]
    assert kept == named


def test_the_step_of_the_sweep(tmp_path: Path) -> None:
    """Secrets are in the environment and in no argument; no expression stands in a script; the code is oakum's own."""
    step = STEPS["Sweep"]
    scripts = [each["run"] for each in JOB["steps"] if "run" in each]
    assert [script for script in scripts if "${{" in script] == []
    oakum = tmp_path / "oakum" / "bin" / "oakum"
    oakum.parent.mkdir(parents=True)
    told = tmp_path / "told.json"
    code = f"import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open({str(told)!r}, 'w')); sys.exit(1)"
    oakum.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    oakum.chmod(0o755)
    secrets = dict.fromkeys(step["env"], "made-up")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=secrets | {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path)},
        check=False,
    )
    arguments, environment = json.loads(told.read_text())
    assert (done.returncode, environment | secrets, "made-up" in arguments) == (1, environment, False)
    params = meant(["oakum", *arguments])
    assert (params["targets"], params["hooks"]) == (("github:acme",), ("slack:SLACK_WEBHOOK",))
    assert params["clones_limit"] < 5 << 30  # two nights of it and the store are in GitHub's 10 GB


def test_the_job_of_gitlab() -> None:
    """Nothing is checked out, one at a time, by schedule or by hand; news is a warning, a failure fails."""
    job = GITLAB["sweep"]
    assert (job["variables"]["GIT_STRATEGY"], job["resource_group"], job["interruptible"]) == ("none", "sweep", False)
    assert [rule["if"] for rule in job["rules"]] == [f'$CI_PIPELINE_SOURCE == "{name}"' for name in ("schedule", "web")]
    assert job["allow_failure"] == {"exit_codes": [1]}
    assert job["cache"]["when"] == "always"
    (line,) = job["script"]
    params = meant(shlex.split(line))
    assert (params["targets"], params["hooks"]) == (("gitlab:acme",), ("slack:SLACK_WEBHOOK",))
    kept = job["cache"]["paths"][0]
    folders = [value for name, value in job["variables"].items() if name.startswith("XDG_")]
    assert [folder for folder in folders if not folder.startswith(f"$CI_PROJECT_DIR/{kept}")] == []
