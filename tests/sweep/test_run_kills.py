"""`kill -9` of a sweep at any moment: the next one takes it up, and in the end the store is as if nothing had been."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest
from git_repository import GitRepository
from git_server import git_server
from oakum.detectors import samples
from servers import answer, serving
from swept_stores import deliveries, dump, told

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name != "posix", reason="ends processes as POSIX does"),
]

REPOSITORIES = 30
MOMENTS = 20
DONE = (0, 1)
"""Exit codes of a sweep that came to its end, and in which nothing failed."""


@dataclass
class World:
    """An organization of 30 repositories behind a git server, a webhook, and what a sweep of it needs."""

    root: Path
    urls: Path
    hook: str
    messages: list[dict[str, object]] = field(default_factory=list)
    heard: Callable[[], None] = lambda: None
    """Called when a message has arrived, before it is answered."""
    key: str = base64.b64encode(bytes(32)).decode()

    def start(self, home: Path) -> subprocess.Popen[bytes]:
        """A sweep with a store and clones of its own, in a session of its own."""
        variables = {
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
            "OAKUM_STORE_KEY": self.key,
            "HOOK": self.hook,
        }
        command = [sys.executable, "-m", "oakum.scanner", "sweep", "run", str(self.urls), "--notify", "generic:HOOK"]
        return subprocess.Popen(
            [*command, "--jobs", "2", "--engine", "aho-corasick"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ | variables,
            start_new_session=True,
        )

    def finish(self, home: Path) -> float:
        """Sweep to the end: the seconds that it took."""
        begun = time.monotonic()
        process = self.start(home)
        _, said = process.communicate(timeout=300)
        assert process.returncode in DONE, said.decode()
        return time.monotonic() - begun

    def kill(self, home: Path, after: float) -> None:
        """Sweep, and end it in the middle: it alone, as whoever is out of memory is."""
        process = self.start(home)
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)


def store_of(home: Path) -> Path:
    """Where a sweep in that home keeps its findings."""
    return home / "state" / "oakum" / "sweeps.db"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Small repositories, of which every third holds a secret, some of them the same."""
    root = tmp_path_factory.mktemp("hosted")
    for n in range(REPOSITORIES):
        repo = GitRepository.create(root / f"r{n:02}.git")
        repo.commit({"readme.md": b"repository %d\n" % n}, "start")
        if n % 3 == 0:
            repo.commit({"app.cfg": b"token = " + secret(n % 9) + b"\n"}, "configure")
    urls = root / "urls.txt"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.messages.append(json.loads(body))
            made.heard()
            answer(self, b"")

        def log_message(self, *_: object) -> None:
            pass

    with git_server(root) as server, serving(Handler) as hook:
        urls.write_text("".join(f"{server.url}/r{n:02}.git\n" for n in range(REPOSITORIES)))
        made = World(root, urls, hook)
        yield made


def secret(n: int) -> bytes:
    """The same for the same number."""
    return samples.build("github:ghp", Random(f"sweeps {n}"))


def change(world: World) -> None:
    """What comes to be new, fixed and gone from one night to the next."""
    GitRepository(world.root / "r01.git", days=9).commit({"new.cfg": b"token = " + secret(100) + b"\n"}, "leak")
    GitRepository(world.root / "r00.git", days=9).commit({"app.cfg": b"token = env\n"}, "mend")
    GitRepository(world.root / "r06.git", days=9).commit({"app.cfg": b"token = env\n"}, "mend")
    GitRepository(world.root / "r02.git", days=9).commit({"app.cfg": b"token = " + secret(3) + b"\n"}, "copy")


def require_same(world: World, home: Path, undisturbed: dict[str, object], moment: float) -> None:
    """The store is as it should be, and nobody was told anything twice, nor was anything lost."""
    assert dump(store_of(home)) == undisturbed, f"killed after {moment:.3f} s"
    keys = Counter(str(message["id"]) for message in world.messages)
    assert [key for key, count in keys.items() if count > 1] == [], f"killed after {moment:.3f} s"
    sent = {key for key, status in deliveries(store_of(home)) if status == "sent"}
    assert sent <= set(keys), f"killed after {moment:.3f} s"
    late = [status for _, status in deliveries(store_of(home)) if status not in ("sent", "sending")]
    assert late == [], f"killed after {moment:.3f} s"


def test_a_sweep_that_is_killed_is_taken_up_again(world: World, tmp_path: Path) -> None:
    """Half of the moments are in a first sweep, half in one that finds changes."""
    chance = Random(9)
    first = tmp_path / "first"
    seconds = world.finish(first)
    heard = list(world.messages)
    one_by_one = dump(store_of(first))
    assert len(one_by_one["findings"]) == 3
    assert [change for change, _ in told(store_of(first))] == ["new"] * 3
    for n in range(MOMENTS // 2):
        home, moment = tmp_path / f"a{n}", chance.uniform(0, seconds)
        world.messages.clear()
        world.kill(home, moment)
        world.finish(home)
        require_same(world, home, one_by_one, moment)
    change(world)
    second = tmp_path / "second"
    shutil.copytree(first, second, symlinks=True)
    seconds = world.finish(second)
    changed = dump(store_of(second))
    assert {change for change, _ in told(store_of(second))} >= {"new", "spread"}
    for n in range(MOMENTS // 2):
        home, moment = tmp_path / f"b{n}", chance.uniform(0, seconds)
        shutil.copytree(first, home, symlinks=True)
        world.messages[:] = heard
        world.kill(home, moment)
        world.finish(home)
        require_same(world, home, changed, moment)


def test_a_sweep_that_is_killed_while_it_sends(world: World, tmp_path: Path) -> None:
    """The message has arrived, and nobody noted that: it is not sent again, and said to be in doubt."""
    world.messages.clear()
    process = world.start(tmp_path)
    world.heard = process.kill
    try:
        process.communicate(timeout=300)
    finally:
        world.heard = lambda: None
    assert process.returncode == -signal.SIGKILL
    assert [status for _, status in deliveries(store_of(tmp_path))] == ["sending"]
    world.finish(tmp_path)
    assert len(world.messages) == 1
    command = [sys.executable, "-m", "oakum.scanner", "sweep", "status", "--format", "json"]
    variables = {"XDG_STATE_HOME": str(tmp_path / "state"), "OAKUM_STORE_KEY": world.key}
    status = json.loads(subprocess.run(command, env=os.environ | variables, capture_output=True, check=True).stdout)
    assert [(one["hook"], one["status"]) for one in status["deliveries"]["open"]] == [
        ("generic:HOOK", "may have arrived")
    ]


def test_two_at_once(world: World, tmp_path: Path) -> None:
    """The second says who has the store, and ends with 2; the first is not disturbed."""
    home = tmp_path / "home"
    processes = [world.start(home), world.start(home)]
    said = [process.communicate(timeout=300)[1].decode() for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [1, 2], said
    refused = said[codes.index(2)]
    assert f"{processes[codes.index(1)].pid}" in refused
