"""`oakum sweep status|findings|history|mark` about a real store, as a user calls them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from oakum.scanner.store import open_store

sys.path.append(str(Path(__file__).parents[1] / "store"))
from sweeping import KEY, day, failed, found, remote, secret, sweep
from sweeping import searched as searched_of


class Called:
    """A call of the command line."""

    def __init__(self, store: Path, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "oakum.scanner", "sweep", *arguments, "--store", str(store)],
            env=os.environ | {"OAKUM_STORE_KEY": base64.b64encode(KEY).decode(), "USER": "ada", "LOGNAME": "ada"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        self.code, self.said, self.out = done.returncode, done.stderr.decode(), done.stdout.decode()
        assert "Traceback" not in self.said

    @property
    def json(self) -> dict[str, object]:
        """What it printed."""
        document: dict[str, object] = json.loads(self.out)
        return document


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights: three findings in two repositories, then one is gone from the head, and a repository fails."""
    path = tmp_path_factory.mktemp("store") / "sweeps.db"
    made = open_store(str(path), KEY, day(0), create=True)
    web, api = remote("acme/web", team="acme"), remote("acme/api", team="core")
    one, two = found("one", "head", band="critical"), found("two", "head")
    sweep(made, 0, searched_of(web, one, two), searched_of(api, found("three", "head", band="low")))
    sweep(made, 1, searched_of(web, one, found("two", "history"), refs="r2"), failed(api))
    made.close()
    return path


def test_status(store: Path) -> None:
    """How the sweeps went; 2 where repositories fail."""
    page = Called(store, "status")
    assert page.code == 2
    assert page.out == (
        "sweep 2  began 2027-03-02 02:00, ended 2027-03-02 03:00  2 repositories, 1 searched, 1 failed\n"
        "         github:acme\n"
        "sweep 1  began 2027-03-01 02:00, ended 2027-03-01 03:00  2 repositories, 2 searched, 0 failed\n"
        "         github:acme\n"
        "findings 3 to do something about (1 critical, 1 high, 1 low)\n"
        "         2 open, 1 fixed in head\n"
        "known    2 repositories, 1 failing, 0 gone\n"
        "failing  acme/api since 2027-03-02 (1 sweeps): the server is gone: try again\n"
    )
    document = Called(store, "status", "--format", "json").json
    assert document["schema"] == 1
    assert document["repositories"] == {"known": 2, "gone": 0, "failing": 1}


def test_findings(store: Path) -> None:
    """Worst first; those that somebody has to do something about."""
    listed = Called(store, "findings", "--format", "jsonl")
    assert listed.code == 0
    objects = [json.loads(line) for line in listed.out.splitlines()]
    assert [(one["band"], one["state"], one["repositories"]) for one in objects] == [
        ("critical", "open", ["acme/web"]),
        ("high", "fixed in head", ["acme/web"]),
        ("low", "open", ["acme/api"]),
    ]
    assert secret("one").mask() in Called(store, "findings").out
    by_id = Called(store, "findings", objects[2]["id"][:8], "--format", "json").json["findings"]
    assert by_id == [objects[2]]
    by_fingerprint = Called(store, "findings", secret("three").fingerprint(), "--format", "json").json["findings"]
    assert by_fingerprint == [objects[2]]


@pytest.mark.parametrize(
    ("filters", "bands"),
    [
        (("--state", "open"), ["critical", "low"]),
        (("--state", "open", "--state", "fixed-in-head"), ["critical", "high", "low"]),
        (("--repository", "acme/a*"), ["low"]),
        (("--team", "acme"), ["critical", "high"]),
        (("--owner", "@acme/web"), ["critical", "high", "low"]),
        (("--band", "high"), ["critical", "high"]),
        (("--kind", "password"), []),
        (("--since", "2027-03-02"), []),
    ],
)
def test_filters(store: Path, filters: tuple[str, ...], bands: list[str]) -> None:
    """Each leaves what it says."""
    lines = Called(store, "findings", "--format", "jsonl", *filters).out.splitlines()
    assert [json.loads(line)["band"] for line in lines] == bands


def test_counts(store: Path) -> None:
    """For a table on a wall."""
    assert Called(store, "findings", "--by", "team").out == (
        "team    total  critical      high    medium       low\n"
        "acme        2         1         1                    \n"
        "core        1                                       1\n"
    )
    document = Called(store, "findings", "--by", "band", "--format", "json").json
    assert [group["name"] for group in document["groups"]] == ["critical", "high", "low"]  # type: ignore[attr-defined]


def test_history(store: Path) -> None:
    """Newest first; of one sweep, of one finding."""
    lines = Called(store, "history").out.splitlines()
    assert [" ".join(line.split()[2:5]) for line in lines] == [
        "sweep 2 fixed",
        "sweep 1 new",
        "sweep 1 new",
        "sweep 1 new",
    ]
    assert len(Called(store, "history", "--sweep", "2").out.splitlines()) == 1
    of_one = Called(store, "history", secret("two").fingerprint(), "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["change"] for line in of_one] == ["fixed", "new"]


def test_mark(store: Path, tmp_path: Path) -> None:
    """Accepted by somebody, with a reason; and opened again."""
    copy = tmp_path / "copy.db"
    copy.write_bytes(store.read_bytes())
    fingerprint = secret("three").fingerprint()
    marked = Called(copy, "mark", fingerprint, "--as", "accepted", "--reason", "a test key", "--expires", "2099-01-01")
    assert (marked.code, marked.said) == (0, "")
    assert "it is accepted" in marked.out
    assert "a test key (ada), until 2099-01-01" in marked.out
    assert len(Called(copy, "findings", "--format", "jsonl").out.splitlines()) == 2
    assert Called(copy, "findings", fingerprint, "--format", "json").json["findings"][0]["decision"]["by"] == "ada"  # type: ignore[index]
    assert "it is reopened" in Called(copy, "mark", fingerprint, "--as", "open").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("mark", "0" * 16, "--as", "open"), "no finding is called"),
        (("mark", "0" * 16, "--as", "accepted"), "--reason"),
        (("mark", "0" * 16, "--as", "accepted", "--reason", "x", "--expires", "2020-01-01"), "that is over already"),
        (("findings", "xyz"), "neither a fingerprint nor"),
        (("findings", "--state", "gone"), "gone"),
    ],
)
def test_wrong_usage(store: Path, arguments: tuple[str, ...], says: str) -> None:
    """Said in a line, with 2."""
    call = Called(store, *arguments)
    assert call.code == 2
    assert says in call.said


def test_no_store(tmp_path: Path) -> None:
    """Looking at one does not make one."""
    call = Called(tmp_path / "none.db", "status")
    assert call.code == 2
    assert "none.db" in call.said
    assert list(tmp_path.iterdir()) == []


def test_dates_are_what_they_say() -> None:
    """The nights of these tests."""
    assert day(1) == datetime.fromisoformat("2027-03-02T02:00:00+00:00")
