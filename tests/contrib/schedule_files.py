"""The files of contrib/: how they are read, and an `oakum` for their scripts that sweeps clones of this machine."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from git_repository import GitRepository
from scanning import Fresh

CONTRIB = Path(__file__).parents[2] / "contrib"
CRON = CONTRIB / "cron" / "oakum-sweep"
SERVICE = CONTRIB / "systemd" / "oakum-sweep.service"
TIMER = CONTRIB / "systemd" / "oakum-sweep.timer"
VARIABLES = CONTRIB / "sweep.env"
GITHUB = CONTRIB / "github-actions" / "oakum-sweep.yml"
GITLAB = CONTRIB / "gitlab-ci" / "oakum-sweep.yml"
KUBERNETES = CONTRIB / "kubernetes"


def text(path: Path) -> str:
    """What a file holds."""
    return path.read_text("utf-8")


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return list(yaml.safe_load_all(text(path)))


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """A unit of systemd: of each section the values of each name, in order. Source: systemd.syntax(7)."""
    sections: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in text(path).splitlines():
        if head := re.fullmatch(r"\[(\w+)\]", line):
            section = sections.setdefault(head[1], {})
        elif line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            assert equals, line
            section.setdefault(name, []).append(value)
    return sections


def crontab() -> tuple[dict[str, str], list[tuple[list[str], str, str]]]:
    """Variables and jobs (when, as whom, command) of a file of /etc/cron.d. Source: crontab(5)."""
    variables, jobs = {}, []
    for line in text(CRON).splitlines():
        if not line or line.startswith("#"):
            continue
        if found := re.fullmatch(r"(\w+)\s*=\s*(.*)", line):
            variables[found[1]] = found[2]
        else:
            *when, user, command = line.split(None, 6)
            jobs.append((when, user, command))
    return variables, jobs


def kubernetes() -> dict[str, dict[str, Any]]:
    """All objects, by kind and name."""
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    found = [one for name in kustomization["resources"] for one in documents(KUBERNETES / name)]
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


def pods() -> dict[str, dict[str, Any]]:
    """The template of each pod, by its component."""
    every = kubernetes()
    templates = (
        every["Deployment/oakum-scheduler"]["spec"]["template"],
        every["StatefulSet/oakum-worker"]["spec"]["template"],
        every["CronJob/oakum-sweep"]["spec"]["jobTemplate"]["spec"]["template"],
    )
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in templates}


def container(component: str) -> dict[str, Any]:
    """The one container of a pod."""
    (only,) = pods()[component]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def sweeps() -> Iterator[tuple[str, list[str]]]:
    """Every command line of a sweep in contrib/: where it stands, and its words."""
    for _, _, command in crontab()[1]:
        yield "cron", words(command)
    for command in unit(SERVICE)["Service"]["ExecStart"]:
        yield "systemd", words(command)
    for step in documents(GITHUB)[0]["jobs"]["sweep"]["steps"]:
        if "sweep run" in step.get("run", ""):
            yield "github-actions", words(step["run"])
    for command in documents(GITLAB)[0]["sweep"]["script"]:
        if "sweep run" in command:
            yield "gitlab-ci", words(command)
    yield "kubernetes", words(shlex.join(container("sweep")["args"]))


def words(command: str) -> list[str]:
    """The words of the call of oakum in a shell's command, without those before and after it."""
    (found,) = re.findall(r"oakum\"? (sweep run (?:[^;|&\n\\]|\\\n)*)", command)
    return ["oakum", *shlex.split(found.replace("\\\n", " "))]


def clones(folder: Path, fresh: Fresh) -> GitRepository:
    """A folder with two repositories, one of which leaked a secret; it is returned."""
    GitRepository.create(folder / "docs.git", "--bare")
    leaky = GitRepository.create(folder / "web")
    leaky.commit({"deploy.env": b"TOKEN=" + fresh() + b"\n"}, "deploy")
    return leaky


def stand_in(path: Path, target: Path) -> None:
    """An `oakum` that sweeps another target in place of an organization of a host, and is otherwise oakum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""#!/bin/sh
count=$#
while [ "$count" -gt 0 ]; do
  word=$1; shift; count=$((count - 1))
  case $word in github:?*|gitlab:?*) word={shlex.quote(str(target))} ;; esac
  set -- "$@" "$word"
done
PYTHONPATH={shlex.quote(os.environ.get("PYTHONPATH", ""))} exec {shlex.quote(sys.executable)} -m oakum.scanner "$@"
"""
    )
    path.chmod(0o755)
