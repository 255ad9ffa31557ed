"""Every command line of contrib/ is one that oakum takes, and holds nothing secret."""

from __future__ import annotations

import re

import click
import pytest
from oakum.scanner.cli.sweep import sweep_run
from oakum.scanner.logins import from_environment
from oakum.scanner.sources.hosts import read_target
from oakum.scanner.sweep.notify import read_hook
from schedule_files import (
    CONTRIB,
    CRON,
    GITHUB,
    GITLAB,
    SERVICE,
    VARIABLES,
    container,
    documents,
    sweeps,
    text,
)

SWEEPS = dict(sweeps())
EVERYWHERE = {"cron", "systemd", "github-actions", "gitlab-ci", "kubernetes"}


def test_each_schedule_has_a_sweep() -> None:
    """One command line each."""
    assert set(SWEEPS) == EVERYWHERE
    assert len(list(sweeps())) == len(EVERYWHERE)


@pytest.mark.parametrize("where", sorted(EVERYWHERE))
def test_the_command_line_takes_it(where: str) -> None:
    """Parsed by the command itself; targets are targets."""
    line = [re.sub(r"\$\w+", "acme", word) for word in SWEEPS[where]]
    assert line[:3] == ["oakum", "sweep", "run"]
    with sweep_run.make_context("run", line[3:], help_option_names=["-h", "--help"]) as context:
        (target,) = map(read_target, context.params["targets"])
    assert target.owner == "acme"
    hooks = context.params["hooks"]
    assert all(read_hook(hook, {"SLACK_WEBHOOK": "https://hooks.slack.com/services/x"}) for hook in hooks)
    assert isinstance(context.command, click.Command)


@pytest.mark.parametrize("where", sorted(EVERYWHERE))
def test_what_it_needs_is_given_to_it(where: str) -> None:
    """The token of its host, and the URL of its webhook, by variables that it is given; never as an argument."""
    given = {
        "cron": text(VARIABLES),
        "systemd": text(VARIABLES),
        "github-actions": text(GITHUB),
        "gitlab-ci": text(GITLAB),
        "kubernetes": " ".join(one["name"] for one in container("sweep")["env"]),
    }[where]
    line = SWEEPS[where]
    kind = line[3].partition(":")[0]
    home = {"github": "https://github.com/acme/web", "gitlab": "https://gitlab.com/acme/web"}[kind]
    login = from_environment(home, "", dict.fromkeys(re.findall(r"[A-Z][A-Z_]+", given), "word"))
    assert login is not None
    assert login.source == {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN"}[kind]
    asked = [word.partition(":")[2] for word in " ".join(line).replace("=", " ").split() if word.startswith("slack:")]
    assert all(name in given for name in asked)
    if where in ("cron", "systemd"):
        assert "/etc/oakum/sweep.env" in text(CRON if where == "cron" else SERVICE)


def test_nothing_secret_is_written_down() -> None:
    """Variables of the example are empty; nowhere is there a URL with a password, or of a webhook."""
    assert {value for _, value in re.findall(r"^#?([A-Z_]+)=(.*)$", text(VARIABLES), re.MULTILINE)} == {"''"}
    for path in CONTRIB.rglob("*"):
        if path.is_file():
            assert not re.search(r"://[^/\s]*:[^/\s]*@|hooks\.slack\.com/", text(path)), path


def test_actions_of_others_are_pinned() -> None:
    """To a commit, as a tag can be moved."""
    steps = documents(GITHUB)[0]["jobs"]["sweep"]["steps"]
    used = [step["uses"] for step in steps if "uses" in step]
    assert len(used) == 3
    assert all(re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", one) for one in used)
