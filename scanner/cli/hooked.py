"""What git calls: `oakum push` and the other hooks, without click, which takes as long to import as all the rest."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime

from ..hook import protocol
from ..hook.run import Outcome, pre_push
from ..pipeline.budget import Budget
from ..pipeline.options import ScanOptions
from ..sources import git
from .folders import cache_folder

MOST_GIVEN = 64 << 20
"""Bytes that are read of standard input."""
STAGES = ("pre-push", "pre-commit", "pre-receive")


def answer(stage: str, remote: str = "", url: str = "") -> int:
    """Run a hook; 0 lets git go on, 1 does not. Nothing else, and no exception, comes out of it."""
    started = time.monotonic()
    outcome = _outcome(stage, remote, url)
    say(f"oakum: {outcome.found and outcome.found.result.coverage} {time.monotonic() - started:.3f}")
    return int(outcome.blocks("warn"))


def _outcome(stage: str, remote: str, url: str) -> Outcome:
    environment = dict(os.environ)
    told = protocol.pre_push(sys.stdin.buffer.read(MOST_GIVEN))
    if not told.tips:
        return Outcome(None, told.garbage)
    budget = Budget(10)
    repository = git.open_in_hook(os.fsencode(os.getcwd()), environment, id_length=told.id_length)
    assert repository
    options = ScanOptions(environment, datetime.now(UTC), jobs=2, min_band="medium", cache=cache_folder())
    return pre_push(repository, told, remote, url, options, budget)


def say(text: str) -> None:
    """A line for whoever called git."""
    sys.stderr.write(text + "\n")
