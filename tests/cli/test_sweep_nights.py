"""`oakum sweep run`, night after night, in processes of its own against a real git server: what hosts and people do to
repositories between sweeps and in the middle of them.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random
from typing import Any

import pytest
from git_repository import GitRepository
from git_server import GitServer, git_server
from scanning import Fresh
from servers import answer, serving
from swept_stores import told

pytestmark = pytest.mark.long

OAKUM = [sys.executable, "-m", "oakum.scanner"]
WORD = "word"
KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass
class Night:
    """What a sweep gave: its exit code, its log by event, and by repository."""

    code: int
    log: list[dict[str, Any]]

    @property
    def repositories(self) -> dict[str, str]:
        """How the work on those ended that were searched or failed."""
        return {name_of(line): line["ending"] for line in self.log if "repository" in line}

    @property
    def why(self) -> dict[str, str]:
        """Why some failed."""
        return {name_of(line): line["why"] for line in self.log if "why" in line and "repository" in line}

    def of(self, event: str) -> dict[str, Any]:
        """The line of an event."""
        (line,) = (line for line in self.log if line.get("event") == event)
        return line


def name_of(line: dict[str, Any]) -> str:
    """The last part of a repository's name."""
    return str(line["repository"]).rstrip("/").rpartition("/")[2].removesuffix(".git")


@dataclass
class Acme:
    """Repositories behind a git server, and where sweeps of them keep what they know."""

    root: Path
    home: Path
    server: GitServer

    def repository(self, name: str, **files: bytes) -> GitRepository:
        """A new one."""
        made = GitRepository.create(self.root / f"{name}.git")
        made.commit(dict(files) or {"readme.md": b"nothing to see\n"}, "start")
        return made

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.home / "sweeps.db"

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """A sweep of all of them."""
        names = sorted(path.name for path in self.root.glob("*.git"))
        urls = self.home / "urls.txt"
        if not urls.exists():
            urls.write_text("".join(f"{self.server.url}/{name}\n" for name in names))
        given = ["--store", str(self.store), "--log-format", "json", "--jobs", "2", "--engine", "aho-corasick"]
        return subprocess.Popen(
            [*OAKUM, "sweep", "run", str(urls), *given, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"XDG_CACHE_HOME": str(self.home / "cache"), "OAKUM_STORE_KEY": KEY} | variables,
        )

    def sweep(self, *arguments: str, **variables: str) -> Night:
        """A sweep to its end."""
        process = self.start(*arguments, **variables)
        _, said = process.communicate(timeout=120)
        lines = said.decode().splitlines()
        assert all(line.startswith("{") for line in lines), said.decode()
        return Night(process.returncode, [json.loads(line) for line in lines])


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Acme]:
    """No repository yet."""
    (tmp_path / "hosted").mkdir()
    (tmp_path / "home").mkdir()
    with git_server(tmp_path / "hosted") as server:
        yield Acme(tmp_path / "hosted", tmp_path / "home", server)


def test_only_what_changed_and_only_what_is_new(acme: Acme, fresh: Fresh) -> None:
    """A push, a force-push, a copy of a secret; and a night in which nothing happens."""
    web = acme.repository("web", config=b"token = " + fresh() + b"\n")
    api = acme.repository("api")
    acme.repository("docs")
    night = acme.sweep()
    assert night.code == 1
    assert night.repositories == dict.fromkeys(("web", "api", "docs"), "searched")
    assert [change for change, _ in told(acme.store)] == ["new"]
    night = acme.sweep()
    assert (night.code, night.repositories) == (0, {})
    assert night.of("unchanged")["repositories"] == 3
    api.commit({"copy": b"token = " + fresh.drawn[0] + b"\n"}, "copy")
    night = acme.sweep()
    assert (night.code, night.repositories) == (1, {"api": "searched"})
    assert [change for change, _ in told(acme.store)] == ["new", "spread"]
    for repo in (web, api):
        repo.git("checkout", "--quiet", "--orphan", "clean")
        repo.git("rm", "-q", "-r", "-f", ".")
        repo.commit({"readme.md": b"all new\n"}, "anew")
        repo.git("branch", "-D", "main")
        repo.git("branch", "-m", "main")
    night = acme.sweep()
    assert (night.code, night.repositories) == (0, {"api": "searched", "web": "searched"})
    assert [change for change, _ in told(acme.store)] == ["better", "fixed", "new", "spread"]


def test_what_hosts_do(acme: Acme, fresh: Fresh) -> None:
    """Deleted, private, damaged, hanging: each is said, none holds up the others, and all are well again."""
    for name in ("deleted", "private", "damaged", "hanging", "well"):
        acme.repository(name, config=b"token = " + fresh() + b"\n")
    assert acme.sweep().code == 1
    before = told(acme.store)
    for path in acme.root.glob("*.git"):
        GitRepository(path, days=9).commit({"more": b"more\n"}, "more")
    shutil.move(acme.root / "deleted.git", acme.root / "elsewhere")
    objects = sorted((acme.root / "damaged.git" / ".git" / "objects").glob("??/*"))
    kept = [(path, path.read_bytes()) for path in objects]
    for path in objects:
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:9])
    acme.server.mishaps["/private.git"] = lambda to: answer(to, b"", 401, WWW_Authenticate='Basic realm="git"')
    acme.server.mishaps["/hanging.git"] = lambda _: time.sleep(20)
    begun = time.monotonic()
    night = acme.sweep("--clone-seconds", "4")
    assert time.monotonic() - begun < 18
    assert night.code == 2
    assert night.repositories == dict.fromkeys(("deleted", "private", "damaged", "hanging"), "failed") | {
        "well": "searched"
    }
    assert all(night.why[name] for name in ("deleted", "private", "damaged", "hanging"))
    assert told(acme.store) == before, "nothing is gone because it could not be looked at"
    shutil.move(acme.root / "elsewhere", acme.root / "deleted.git")
    for path, content in kept:
        path.write_bytes(content)
    acme.server.mishaps.clear()
    night = acme.sweep()
    assert (night.code, night.repositories) == (
        0,
        dict.fromkeys(("deleted", "private", "damaged", "hanging"), "searched"),
    )


def test_what_changes_in_the_middle(acme: Acme, fresh: Fresh) -> None:
    """A repository that goes after it said what it has, and one that is pushed to meanwhile."""
    acme.repository("gone", config=b"token = " + fresh() + b"\n")
    pushed = acme.repository("pushed", config=b"token = " + fresh() + b"\n")
    meanwhile = threading.Lock()

    def push(to: BaseHTTPRequestHandler) -> None:
        del acme.server.mishaps["/pushed.git/git-upload-pack"]
        with meanwhile:
            pushed.commit({"more": b"token = " + fresh() + b"\n"}, "more")
        answer(to, b"", 503)

    acme.server.mishaps["/gone.git/git-upload-pack"] = lambda to: answer(to, b"", 404)
    acme.server.mishaps["/pushed.git/git-upload-pack"] = push
    night = acme.sweep()
    assert night.repositories["gone"] == "failed"
    acme.server.mishaps.clear()
    acme.sweep()
    night = acme.sweep()
    assert (night.code, night.repositories) == (0, {})
    assert [change for change, _ in told(acme.store)] == ["new"] * 3


def test_a_detector_that_comes(acme: Acme, tmp_path: Path) -> None:
    """All is looked at again, and only what that finds is news; then nothing is looked at."""
    acme.repository("web", config=b"acme_key = ak-%b\n" % Random(9).randbytes(10).hex().encode())
    assert acme.sweep().code == 0
    own = tmp_path / "own.toml"
    own.write_text(
        """[[detector]]
id = "acme-key"
name = "Acme key"
kind = "token"
severity = "high"
pattern = '''(?<![a-z0-9])(?P<secret>ak-[0-9a-f]{20})(?![0-9a-f])'''
keywords = ["ak-"]
examples = ["key = {secret}"]
"""
    )
    night = acme.sweep("--detectors", str(own))
    assert (night.code, night.repositories) == (1, {"web": "searched"})
    night = acme.sweep("--detectors", str(own))
    assert (night.code, night.repositories) == (0, {})


def test_news_go_where_they_are_wanted(acme: Acme, fresh: Fresh, tmp_path: Path) -> None:
    """To a file as JSON, to a webhook, to Prometheus; nowhere a value, and the webhook's URL in no file."""
    acme.repository("web", config=b"token = " + fresh() + b"\n")
    bodies: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer(self, b"")

        def log_message(self, *_: object) -> None:
            pass

    report, figures = tmp_path / "news.json", tmp_path / "oakum.prom"
    with serving(Hook) as url:
        secret_url = f"{url}/services/T000/B000/xyzzy"
        given = ["--format", "json", "--output", str(report), "--metrics", str(figures), "--notify", "generic:HOOK"]
        assert acme.sweep(*given, HOOK=secret_url).code == 1
        told = json.loads(report.read_text("utf-8"))
        assert [(one["change"], one["is"]["repositories"]) for one in told["changes"]] == [
            ("new", [f"{acme.server.url.partition('://')[2]}/web"])
        ]
        (sent,) = map(json.loads, bodies)
        assert [one["change"] for one in sent["changes"]] == ["new"]
        assert 'oakum_sweep_news{change="new"} 1\n' in figures.read_text("utf-8")
        assert acme.sweep(*given, HOOK=secret_url).code == 0
        assert 'oakum_sweep_news{change="new"} 0\n' in figures.read_text("utf-8")
        assert len(bodies) == 1, "nothing is new: nobody is told"
    kept = [path.read_bytes() for path in (report, figures, *acme.home.rglob("*")) if path.is_file()]
    assert not any(fresh.drawn[0] in content for content in [*kept, *bodies])
    assert not any(b"xyzzy" in content for content in kept)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("oakum.prom.")]


def test_what_is_wrong_is_said_before_anything_begins(acme: Acme, tmp_path: Path) -> None:
    """A target, a webhook, a detector file, a folder: exit code 2 and a message, and no store is made."""
    acme.repository("web")
    (tmp_path / "own.toml").write_text("[[detector]]\n")
    for given, word in (
        (["github:no/such"], "github:no/such"),
        (["--notify", "generic:NOWHERE"], "NOWHERE"),
        (["--notify", "pigeon:HOME"], "pigeon"),
        (["--detectors", str(tmp_path / "own.toml")], "own.toml"),
        (["--metrics", str(tmp_path / "no" / "file")], "--metrics"),
        (["--verify-only", "github"], "--verify"),
        (["--store", f"postgresql://ada:{WORD}@127.0.0.1/x"], "OAKUM_STORE"),
    ):
        process = acme.start(*given)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, word in said.decode()) == (2, True), said.decode()
        assert b"Traceback" not in said
    assert not acme.store.exists()


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_sweep_that_is_stopped(acme: Acme, fresh: Fresh, number: int, code: int) -> None:
    """It ends within seconds, with all that it started, keeps what is done, and the next one has the rest."""
    acme.repository("done", config=b"token = " + fresh() + b"\n")
    acme.repository("slow", config=b"token = " + fresh() + b"\n")
    reached = threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> None:
        reached.set()
        time.sleep(30)

    acme.server.mishaps["/slow.git/git-upload-pack"] = hang
    process = acme.start()
    assert reached.wait(30)
    time.sleep(2)
    process.send_signal(number)
    begun = time.monotonic()
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - begun < 10
    assert process.returncode == code, said.decode()
    assert b"stopped" in said.splitlines()[-1]
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout.decode()
    assert str(acme.home) not in running, "an orphan is left"
    acme.server.mishaps.clear()
    night = acme.sweep()
    assert night.repositories == {"slow": "searched"}
    assert night.log[0]["sweep"] == 1
    assert [change for change, _ in told(acme.store)] == ["new", "new"]
