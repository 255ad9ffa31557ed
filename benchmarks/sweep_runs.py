"""Sweeps for the benchmarks: each a process of its own, what it took and what it told, and whether the store then holds
what was planted, in the right state, in the right repositories, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import measure
from .plants import Plant

LIMIT = 3600.0
"""Seconds that a sweep may take."""
KEY = bytes(range(32))
"""Of the store: by it a fingerprint of the manifest is known again."""
ID = 16
"""Digits of the HMAC of a fingerprint that are the id of a finding."""
INTERVAL = 0.5


@dataclass(frozen=True, slots=True)
class Night:
    """A sweep: what it took, the counts of its news, and the most bytes that clones took on disk at any moment (0 where
    nobody looked)."""

    run: measure.Run
    counts: Mapping[str, int]
    disk: int


class VoidSweepError(Exception):
    """A sweep that did not do its work; the message says why."""


class Sweeps:
    """Sweeps into one store, with clones of their own, in a folder. What oakum makes of its detectors once for all
    sweeps (patterns as they are matched) is in there, too, or in another that several share."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self._folder = folder
        self._clones = folder / "clones"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(cache or folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "OAKUM_STORE_KEY": base64.b64encode(KEY).decode(),
        }

    def run(self, *arguments: str, sample: bool = True) -> Night:
        """A sweep of all repositories. VoidSweepError where it, or one repository, failed. To `sample` memory and disk
        takes a part of a core."""
        output = self._folder / "news.json"
        command = [
            *self._command("run"),
            "--no-progress",
            "--format",
            "json",
            "--clones",
            str(self._clones),
            *arguments,
        ]
        with _sampled(self._clones) if sample else nullcontext(list[int]()) as disk:
            run = measure.run(
                command, env=self.environment, folder=self._folder, limit=LIMIT, output=output, sample=sample
            )
        if run.exit not in (0, 1):
            raise VoidSweepError(f"exit code {run.exit}: {run.log[-2000:]}{output.read_text('utf-8')[-2000:]}")
        told = json.loads(output.read_text("utf-8"))
        if told["failed"] or told["counts"]["failed"] or told["counts"]["incomplete"]:
            raise VoidSweepError(f"not everything was searched: {told['failed'][:3]}")
        return Night(run, told["counts"], max(disk, default=0))

    def findings(self) -> list[dict[str, Any]]:
        """All findings of the store that somebody has to do something about."""
        output = self._folder / "findings.json"
        command = [*self._command("findings"), "--format", "json"]
        run = measure.run(command, env=self.environment, folder=self._folder, limit=LIMIT, output=output, sample=False)
        if run.exit:
            raise VoidSweepError(f"oakum sweep findings: exit code {run.exit}: {run.log[-2000:]}")
        found: list[dict[str, Any]] = json.loads(output.read_text("utf-8"))["findings"]
        return found

    def _command(self, name: str) -> list[str]:
        store = str(self._folder / "store.db")
        return [sys.executable, "-m", "oakum.scanner", "sweep", name, "--store", store]


def id_of(fingerprint: str) -> str:
    """What the store calls a finding."""
    return hmac.new(KEY, fingerprint.encode(), hashlib.sha256).hexdigest()[:ID]


def wrong(plants: Iterable[Plant], findings: Sequence[Mapping[str, Any]], prefix: str = "") -> list[str]:
    """In what a store differs from what was planted; `prefix` stands before the names of all repositories."""
    wanted: dict[str, list[Plant]] = {}
    for plant in plants:
        wanted.setdefault(id_of(plant.fingerprint), []).append(plant)
    there = {finding["id"]: finding for finding in findings}
    out = []
    for name, of_name in wanted.items():
        where = ", ".join(f"{plant.detector} in {plant.repository} ({plant.where})" for plant in of_name)
        found = there.pop(name, None)
        if found is None:
            out.append(f"missed: {where}")
            continue
        state = "open" if any(plant.reach in ("head", "branch") for plant in of_name) else "fixed in head"
        if found["state"] != state:
            out.append(f"{where}: {found['state']}, and not {state}")
        if sorted(found["repositories"]) != sorted({prefix + plant.repository for plant in of_name}):
            out.append(f"{where}: found in {found['repositories']}")
        if found["detector"] != of_name[0].detector:
            out.append(f"{where}: found as {found['detector']}")
    out += (f"nobody planted: {found['detector']} in {found['repositories']}" for found in there.values())
    return out


@contextmanager
def _sampled(folder: Path) -> Iterator[list[int]]:
    """What a folder takes on disk, now and then and at the end."""
    taken: list[int] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(INTERVAL):
            taken.append(on_disk(folder))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()
        taken.append(on_disk(folder))


def on_disk(folder: Path | str) -> int:
    """Bytes that a folder takes on disk, with all that is in it; some of that may go meanwhile."""
    total = 0
    for below, _, names in os.walk(folder):
        for path in (below, *(os.path.join(below, name) for name in names)):
            try:
                total += os.lstat(path).st_blocks * 512
            except OSError:
                continue
    return total
