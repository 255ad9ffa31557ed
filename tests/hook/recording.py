"""A hook of the tests: `oakum` as git calls it, in this process, and a record of what it was told and what it searched.

Run as `recording.py LOG STAGE ARGUMENTS…`. The log has JSON lines: one when a hook begins, and then one for the objects
that were read and handed to the engine, however many processes do that. What is looked at afterwards, to see whether
the remote has a secret already, is left out.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Hand over to oakum."""
    log, stage, *arguments = sys.argv[1:]

    def record(**what: object) -> None:
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, json.dumps(what).encode() + b"\n")
        os.close(descriptor)

    told = [os.fsencode(argument).decode("latin-1") for argument in arguments]
    git_dir = os.fsencode(os.environ.get("GIT_DIR", ""))
    where = {"folder": os.getcwdb().decode("latin-1"), "git_dir": git_dir.decode("latin-1")}
    record(stage=stage, arguments=told, given=_given().decode("latin-1"), **where)
    _watch(record)
    if stage == "pre-push":
        from oakum.scanner.cli import main

        sys.argv = ["oakum", "push", *arguments]
        main()
    from oakum.scanner.cli.hooked import answer

    sys.exit(answer(stage, *arguments))


def _given() -> bytes:
    """What stands on standard input, which is put there once more."""
    given = b"".join(iter(lambda: os.read(0, 1 << 16), b""))
    with tempfile.TemporaryFile() as again:
        again.write(given)
        again.seek(0)
        os.dup2(again.fileno(), 0)
    return given


def _watch(record: Callable[..., None]) -> None:
    """Record the objects of the search itself: each as what its content has the name of."""
    from oakum.scanner.model import GitBlob
    from oakum.scanner.pipeline import push, workers
    from oakum.scanner.sources import Batch, Item

    searching, search_all, search_one = [False], push._search, workers.Searcher._search

    @functools.wraps(search_all)
    def watched(*arguments: Any) -> None:
        searching[0] = True
        try:
            search_all(*arguments)
        finally:
            searching[0] = False

    @functools.wraps(search_one)
    def watched_one(self: Any, engine: Any, read: Any, harvest: Any) -> None:
        search_one(self, engine, read, harvest)
        if searching[0]:
            origins = [read.origin(place) for place in range(len(read.starts))] if isinstance(read, Batch) else []
            if isinstance(read, Item):
                origins.append(read.true() if read.true else read.origin)
            record(searched=[o.blob if isinstance(o, GitBlob) else o.target for o in origins])

    push._search = watched
    workers.Searcher._search = watched_one  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
