"""`oakum sweep status|findings|history|mark|forget` on a real store in SQLite."""

from __future__ import annotations

import base64
import getpass
import json
import re
import shutil
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kept_stores import KEY, failed, found, night, opened, remote, searched, secret, sweep
from oakum.scanner import cli
from oakum.scanner.model import UNSAFE
from oakum.scanner.sources.clones.folder import name_of
from oakum.scanner.swept import Unlisted

Said = pytest.CaptureFixture[str]
WEB, SHOP, HOSTILE = remote("acme/web"), remote("shop/app"), remote("acme/\x1b[2J\u202e<!channel>")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two nights: two findings were new in the first; in the second one is fixed, one came to another
    repository, and one is new."""
    path = tmp_path_factory.mktemp("filled") / "sweeps.db"
    with closing(opened(path)) as store:
        sweep(store, 1, searched(WEB, found("one", band="critical"), found("two")), searched(SHOP))
        sweep(
            store,
            2,
            searched(WEB, found("one", band="critical")),
            searched(SHOP, found("one", "app.cfg", band="critical"), found("three", band="low", kind="password")),
        )
    return path


@pytest.fixture
def where(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the variables of the environment name."""
    monkeypatch.setenv("OAKUM_STORE", str(tmp_path / "sweeps.db"))
    monkeypatch.setenv("OAKUM_STORE_KEY", base64.b64encode(KEY).decode())
    return Path(shutil.copy(filled, tmp_path / "sweeps.db"))


def run(capfd: Said, *arguments: str, code: int = 0) -> str:
    """What a command of `oakum sweep` prints; nothing goes to standard error."""
    assert cli.run(["sweep", *arguments]) == code
    said = capfd.readouterr()
    assert said.err == ""
    return said.out


def objects(capfd: Said, *arguments: str) -> list[dict[str, Any]]:
    """The same, of JSON Lines."""
    return [json.loads(line) for line in run(capfd, *arguments, "--format", "jsonl").splitlines()]


def summaries(capfd: Said, *arguments: str) -> list[str]:
    """The findings that are told, by their names."""
    return [each["summary"].removeprefix("GitHub token of ") for each in objects(capfd, "findings", *arguments)]


def refusal(capfd: Said, *arguments: str) -> str:
    """What is said to wrong usage; nothing is printed."""
    assert cli.run(["sweep", *arguments]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert "an error in oakum itself" not in said.err
    return said.err


def id_of(capfd: Said, name: str) -> str:
    """The id of a finding."""
    (one,) = objects(capfd, "findings", secret(name).fingerprint())
    return str(one["id"])


@pytest.mark.usefixtures("where")
class TestFindings:
    """What is to be done, worst first."""

    def test_for_people(self, capfd: Said) -> None:
        """A page."""
        said = run(capfd, "findings")
        one, three = id_of(capfd, "one"), id_of(capfd, "three")
        assert said == (
            f" CRITICAL 90  GitHub token of one  {secret('one').mask()}\n"
            "  where  acme/web: src/settings.ini:3:9\n"
            "  since  2027-02-01, c1c1c1c1c1c1 by Ada Lovelace <ada@example.test>, at the head of the default branch\n"
            "  also   shop/app: app.cfg:3:9\n"
            "  state  open, first seen 2027-03-02, last seen 2027-03-03\n"
            "  owner  @acme/web\n"
            "  next   revoke it: https://docs.github.com/rotate\n"
            f"  id     {one}  github-pat\n"
            "\n"
            f" LOW 10  GitHub token of three  {secret('three').mask()}\n"
            "  where  shop/app: src/settings.ini:3:9\n"
            "  since  2027-02-01, c1c1c1c1c1c1 by Ada Lovelace <ada@example.test>, at the head of the default branch\n"
            "  state  open, first seen 2027-03-03, last seen 2027-03-03\n"
            "  owner  @acme/web\n"
            "  next   revoke it: https://docs.github.com/rotate\n"
            f"  id     {three}  github-pat\n"
            "\n"
            "2 findings (1 critical, 1 low)\n"
        )

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ([], ["one", "three"]),
            (["--state", "removed"], ["two"]),
            (["--state", "removed", "--state", "open"], ["one", "two", "three"]),
            (["--state", "false-positive"], []),
            (["--repository", "acme/*"], ["one"]),
            (["--repository", "shop/app"], ["one", "three"]),
            (["--repository", "nobody/*"], []),
            (["--team", "shop"], ["one", "three"]),
            (["--team", "sho"], []),
            (["--kind", "password"], ["three"]),
            (["--owner", "@acme/web"], ["one", "three"]),
            (["--owner", "@acme"], []),
            (["--band", "high"], ["one"]),
            (["--band", "low"], ["one", "three"]),
            (["--since", "2027-03-03"], ["three"]),
            (["--since", "2027-03-03T04:00:00Z"], []),
        ],
    )
    def test_which(self, capfd: Said, options: Sequence[str], told: list[str]) -> None:
        """All options narrow it down."""
        assert summaries(capfd, *options) == told

    def test_by_its_id_or_its_fingerprint(self, capfd: Said) -> None:
        """In whatever state it is, as a scan tells it or as the store does; the beginning is enough."""
        name = id_of(capfd, "two")
        assert summaries(capfd, name) == summaries(capfd, name[:8].upper()) == ["two"]
        assert summaries(capfd, secret("two").fingerprint(), "--state", "open") == []

    @pytest.mark.parametrize("format_", ["text", "json", "jsonl"])
    @pytest.mark.parametrize("command", ["findings", "history"])
    def test_one_that_is_none(self, capfd: Said, command: str, format_: str) -> None:
        """It is said, and nothing is printed, not even the beginning of a document."""
        for text, says in (
            ("0000000000000000", "no finding is called 0000000000000000: `oakum sweep findings` tells the ids of all"),
            ("a" * 26, "no finding is called"),
            ("zz", "'zz' is neither a fingerprint nor the beginning of an id (4 digits or more)"),
        ):
            assert refusal(capfd, command, text, "--format", format_).startswith(f"oakum: {says}")

    def test_counted(self, capfd: Said) -> None:
        """How many there are of each, as a table and for programs."""
        assert run(capfd, "findings", "--by", "repository") == (
            "repository    total  critical      high    medium       low\n"
            "shop/app          2         1                             1\n"
            "acme/web          1         1                              \n"
        )
        document = json.loads(run(capfd, "findings", "--by", "kind", "--state", "removed", "--format", "json"))
        group = {"name": "token", "total": 1, "critical": 0, "high": 1, "medium": 0, "low": 0}
        assert document == {"schema": 1, "by": "kind", "groups": [group]}

    def test_the_same_in_every_format(self, capfd: Said, tmp_path: Path) -> None:
        """One document, lines, and a file."""
        document = json.loads(run(capfd, "findings", "--format", "json"))
        assert document == {"schema": 1, "findings": objects(capfd, "findings")}
        assert run(capfd, "findings", "--format", "json", "-o", str(tmp_path / "out.json")) == ""
        assert json.loads((tmp_path / "out.json").read_text("utf-8")) == document

    def test_no_value_and_no_fingerprint(self, capfd: Said) -> None:
        """A store knows neither."""
        pages = [run(capfd, "findings"), run(capfd, "findings", "--format", "json"), run(capfd, "history")]
        for name in ("one", "two", "three"):
            assert secret(name).fingerprint() not in "".join(pages)
            assert secret(name).reveal().decode() not in "".join(pages)


@pytest.mark.usefixtures("where")
class TestHistory:
    """What became of findings, newest first."""

    def test_for_people(self, capfd: Said) -> None:
        """A line for each change."""
        lines = run(capfd, "history").splitlines()
        ids = {name: id_of(capfd, name) for name in ("one", "two", "three")}
        name = {value: key for key, value in ids.items()}
        assert sorted((" ".join(line.split()[:4]), line.split("  ")[2], name[line.split()[-1]]) for line in lines) == [
            ("2027-03-02 03:00 sweep 1", "new", "one"),
            ("2027-03-02 03:00 sweep 1", "new", "two"),
            ("2027-03-03 03:00 sweep 2", "fixed (open -> removed)", "two"),
            ("2027-03-03 03:00 sweep 2", "new", "three"),
            ("2027-03-03 03:00 sweep 2", "spread to shop/app", "one"),
        ]
        assert [line.split()[3] for line in lines] == ["2", "2", "2", "1", "1"]

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (["--sweep", "1"], ["new one", "new two"]),
            (["--sweep", "2", "--band", "critical"], ["spread one"]),
            (["--sweep", "3"], []),
            (["--state", "removed"], ["fixed two", "new two"]),
            (["--repository", "shop/*", "--kind", "password"], ["new three"]),
        ],
    )
    def test_which(self, capfd: Said, options: Sequence[str], told: list[str]) -> None:
        """Of a sweep, or of findings as they are now."""
        changes = objects(capfd, "history", *options)
        names = [f"{each['change']} {each['is']['summary'].removeprefix('GitHub token of ')}" for each in changes]
        assert sorted(names) == told

    def test_of_one(self, capfd: Said) -> None:
        """All that became of it, in one document."""
        document = json.loads(run(capfd, "history", secret("two").fingerprint(), "--format", "json"))
        assert [each["change"] for each in document["history"]] == ["fixed", "new"]


class TestMark:
    """What people decide."""

    def test_accepted_and_opened_again(self, where: Path, capfd: Said) -> None:
        """It is said what it is now; it counts no more, until somebody opens it again."""
        name = id_of(capfd, "one")
        said = run(capfd, "mark", name[:9], "--as", "accepted", "--reason", " a demo ")
        assert said == (
            f"critical 90  GitHub token of one  {secret('one').mask()}  acme/web: src/settings.ini:3:9  {name}\n"
            "it is accepted, first seen 2027-03-02, last seen 2027-03-03; a demo"
            f" ({getpass.getuser()})\n"
        )
        assert summaries(capfd) == ["three"]
        (told,) = objects(capfd, "findings", "--state", "accepted")
        assert told["decision"] == {"state": "accepted", "reason": "a demo", "by": getpass.getuser()}
        assert run(capfd, "mark", name, "--as", "open").endswith(
            "it is reopened, first seen 2027-03-02, last seen 2027-03-03\n"
        )
        assert summaries(capfd) == ["one", "three"]
        changes = [each["change"] for each in objects(capfd, "history", name)]
        assert changes[-2:] == ["spread", "new"]
        assert changes[:-2] == ["reopened", "accepted"]
        with closing(opened(where)) as store:
            news = sweep(store, 400, searched(WEB, found("one", band="critical")), searched(SHOP))
        assert [(e.change, k.summary[-5:]) for e, k in news.changes] == [("fixed", "three")]

    def test_false_positive(self, where: Path, capfd: Said) -> None:
        """By its fingerprint; the next sweep has no news of it, however much it spreads."""
        run(capfd, "mark", secret("one").fingerprint(), "--as", "false-positive", "--reason", "made up")
        assert summaries(capfd, "--state", "false-positive") == ["one"]
        new = remote("acme/new")
        with closing(opened(where)) as store:
            news = sweep(store, 400, *(searched(each, found("one", band="critical")) for each in (WEB, new)))
        assert news.changes == ()

    def test_until_the_end_of_a_day(self, where: Path, capfd: Said) -> None:
        """As in configuration files, the day that is named is the last one on which it holds."""
        today = datetime.now(UTC).date()
        run(capfd, "mark", secret("one").fingerprint(), "--as", "accepted", "--reason", "r", "--expires", f"{today}")
        (told,) = objects(capfd, "findings", "--state", "accepted")
        assert told["decision"]["expires"] == f"{today}T23:59:59+00:00"
        late = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)
        with closing(opened(where, now=late)) as store:
            running = store.begin(["github:acme"], late)
            store.list(running, [WEB, SHOP], [], late)
            news = store.finish(running, (), (), "low", late)
        assert [e.change for e, k in news.changes] == ["reopened"]

    def test_what_is_refused(self, where: Path, capfd: Said) -> None:
        """Nothing is changed."""
        before = where.read_bytes()
        name = id_of(capfd, "one")
        for arguments, says in (
            ([name, "--as", "accepted"], "--reason: say why, for who reads this in a year"),
            ([name, "--as", "accepted", "--reason", " \t"], "--reason: say why, for who reads this in a year"),
            ([name, "--as", "accepted", "--reason", "r", "--expires", "2020-01-01"], "--expires: that is over already"),
            (["0000000000000000", "--as", "open"], "no finding is called 0000000000000000"),
            ([name], "Missing option '--as'"),
            ([name, "--as", "revoked"], "Invalid value for '--as'"),
        ):
            assert says in refusal(capfd, "mark", *arguments)
        assert where.read_bytes() == before

    @pytest.mark.parametrize("error", [KeyError, OSError, ImportError])
    def test_by_nobody(self, where: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
        """A container has users without a name."""

        def nobody() -> str:
            raise error("no such user")

        monkeypatch.setattr(getpass, "getuser", nobody)
        assert run(capfd, "mark", secret("one").fingerprint(), "--as", "accepted", "--reason", "r").endswith("; r\n")

    def test_a_hostile_reason(self, where: Path, capfd: Said) -> None:
        """What is pasted does not act on a terminal, now or later."""
        reason = "\x1b[2J\u202e\r\n\0 fine"
        run_ = ["mark", secret("one").fingerprint(), "--as", "accepted", "--reason", reason]
        for said in (run(capfd, *run_), run(capfd, "findings", "--state", "accepted")):
            assert not re.search(UNSAFE, said.replace("\n", ""))


class TestStatus:
    """How it stands."""

    def test_all_is_well(self, where: Path, capfd: Said) -> None:
        """The exit code is 0."""
        assert run(capfd, "status") == (
            "sweep 2  began 2027-03-03 02:00, ended 2027-03-03 03:00  2 repositories, 2 searched, 0 failed\n"
            "         github:acme\n"
            "sweep 1  began 2027-03-02 02:00, ended 2027-03-02 03:00  2 repositories, 2 searched, 0 failed\n"
            "         github:acme\n"
            "findings 2 to do something about (1 critical, 1 low)\n"
            "         2 open, 1 removed\n"
            "known    2 repositories, 0 failing, 0 gone\n"
        )
        document = json.loads(run(capfd, "status", "--format", "json"))
        assert (document["schema"], document["findings"]["states"]["open"], document["failing"]) == (1, 2, [])

    def test_something_fails(self, where: Path, capfd: Said) -> None:
        """The exit code is 2, and it is said what; names do not act on a terminal."""
        with closing(opened(where)) as store:
            sweep(store, 3, searched(WEB), failed(HOSTILE, "gone\x1b[2J"), unlisted=[Unlisted("github:acme", "500\n")])
        said = run(capfd, "status", code=2)
        assert "failing  acme/\\x1b[2J\\u202e<!channel> since 2027-03-04 (1 sweeps): gone\\x1b[2J\n" in said
        assert "         not listed: github:acme: 500\\x0a\n" in said
        assert not re.search(UNSAFE, said.replace("\n", ""))
        assert not re.search(UNSAFE, run(capfd, "status", "--format", "json", code=2).replace("\n", ""))

    def test_one_that_has_not_ended(self, where: Path, capfd: Said) -> None:
        """Nor has anything of it become news."""
        with closing(opened(where)) as store:
            store.begin(["github:acme"], night(3))
        assert run(capfd, "status", code=2).startswith(
            "sweep 3  began 2027-03-04 02:00, NOT ENDED: run it again  \n         github:acme\n"
        )

    def test_a_message_that_may_have_arrived(self, where: Path, capfd: Said) -> None:
        """It is told as long as the store lives, and is no failure of the sweep."""
        with closing(opened(where)) as store:
            sweep(store, 3, searched(WEB, found("four")), searched(SHOP), hooks=["slack:NEWS"])
            (delivery,) = store.deliveries()
            store.sending(delivery.id)
        assert run(capfd, "status").endswith("message  of sweep 3 to slack:NEWS: may have arrived\n")


@pytest.mark.usefixtures("where")
class TestForget:
    """A target that is swept no more."""

    def test_what_would_go_is_said_first(self, capfd: Said) -> None:
        """And nothing is done."""
        said = run(capfd, "forget", "github:acme")
        assert said == ("would be forgotten: 2 repositories, 3 findings that are nowhere else; with --yes they are\n")
        assert summaries(capfd) == ["one", "three"]

    def test_it_is_gone_with_its_clones(self, capfd: Said, tmp_path: Path) -> None:
        """Those of others stay."""
        clones = tmp_path / "clones"
        for each in (WEB.id, "another"):
            (clones / name_of(each) / "repo.git").mkdir(parents=True)
        clones.chmod(0o700)
        said = run(capfd, "forget", "github:acme", "--yes", "--clones", str(clones))
        assert said == "forgotten: 2 repositories, 3 findings that are nowhere else\n"
        assert [each.name for each in clones.iterdir() if each.is_dir()] == [name_of("another")]
        assert summaries(capfd, "--state", "open", "--state", "removed") == []
        assert run(capfd, "history") == ""

    def test_one_that_the_store_does_not_know(self, capfd: Said) -> None:
        """It is said which it knows; a folder is told by its whole name."""
        said = refusal(capfd, "forget", "github:acne", "--yes")
        assert "no repository was listed by github:acne; the store has those of: github:acme" in said
        assert f"listed by {Path('here').resolve()};" in refusal(capfd, "forget", "here", "--yes")

    def test_not_under_a_sweep(self, where: Path, capfd: Said) -> None:
        """That would put back half of it."""
        with closing(opened(where)) as store, store.locked("ann"):
            assert "is being swept into by" in refusal(capfd, "forget", "github:acme", "--yes")
        assert summaries(capfd) == ["one", "three"]


COMMANDS = [["status"], ["findings"], ["history"], ["mark", "0123", "--as", "open"], ["forget", "github:acme", "--yes"]]


@pytest.mark.parametrize("command", COMMANDS)
class TestStores:
    """A command that only reads makes no store."""

    def test_there_is_none(
        self, command: list[str], capfd: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is said where it was looked for, and nothing is made there."""
        monkeypatch.setenv("OAKUM_STORE_KEY", base64.b64encode(KEY).decode())
        assert str(tmp_path / "none.db") in refusal(capfd, *command, "--store", str(tmp_path / "none.db"))
        assert list(tmp_path.iterdir()) == []

    def test_it_is_none(self, command: list[str], capfd: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file of another kind is left as it is."""
        monkeypatch.setenv("OAKUM_STORE_KEY", base64.b64encode(KEY).decode())
        (tmp_path / "notes").write_bytes(b"no store\n" * 100)
        assert "notes" in refusal(capfd, *command, "--store", str(tmp_path / "notes"))
        assert (tmp_path / "notes").read_bytes() == b"no store\n" * 100

    def test_another_key(self, command: list[str], where: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch) -> None:
        """With it a fingerprint would be nobody's; the key is not told."""
        monkeypatch.setenv("OAKUM_STORE_KEY", base64.b64encode(KEY[::-1]).decode())
        said = refusal(capfd, *command)
        assert "key" in said
        assert base64.b64encode(KEY[::-1]).decode() not in said
