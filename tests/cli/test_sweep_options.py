"""What `oakum sweep run` makes of its flags, of variables and of the user's own configuration."""

from __future__ import annotations

import importlib.util
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from oakum.scanner import catalog
from oakum.scanner.cli import folders, storing, sweep, sweeping
from oakum.scanner.cli.reporting import replaced
from oakum.scanner.cli.verifying import options_of
from oakum.scanner.cli.worker import executor_of
from oakum.scanner.config import load
from oakum.scanner.errors import UsageError
from oakum.scanner.model import Suppression
from oakum.scanner.sources.hosts import Selection
from oakum.scanner.sweep import Settings
from oakum.scanner.swept import Change, Event, Kept, News, Suppressed, Unlisted

NOW = datetime(2027, 1, 1, tzinfo=UTC)
WORD = "word"


def flags(*arguments: str) -> dict[str, Any]:
    """The flags of a command line."""
    with sweep.sweep_run.make_context(
        "run", ["github:acme", *arguments], help_option_names=["-h", "--help"]
    ) as context:
        return context.params


class TestSettings:
    """What workers are told."""

    def test_defaults(self, caches: Path) -> None:
        """Clones and caches are where the user's cache is; nothing of a scanned repository is obeyed."""
        settings = sweeping.settings_of(flags("--jobs", "3"), load(""), NOW)
        assert (settings.clones, settings.cache) == (str(caches / "oakum" / "clones"), str(caches / "oakum"))
        assert (settings.clones_limit, settings.seconds, settings.max_size) == (20 << 30, 3600, 64 << 20)
        assert (settings.markers, settings.verify, settings.jobs, settings.min_band) == (False, False, 3, "low")

    def test_paths_are_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker may stand elsewhere."""
        monkeypatch.chdir(tmp_path)
        given = flags("--clones", "c", "--detectors", "d.toml", "--ca-file", "ca.pem")
        settings = sweeping.settings_of(given, load(""), NOW)
        assert (settings.clones, settings.detectors, settings.certificates) == (
            str(tmp_path / "c"),
            (str(tmp_path / "d.toml"),),
            str(tmp_path / "ca.pem"),
        )

    def test_the_users_own_configuration(self, tmp_path: Path) -> None:
        """What it accepts by fingerprint the store is told; the rest are workers, before flags."""
        (tmp_path / "config.toml").write_text(
            """min-band = "high"
max-size = "1M"
detectors = ["own.toml"]
[[allow]]
fingerprint = "abcdefghijklmnopqrstuvwxyz"
reason = "a demo"
by = "Ada"
expires = 2027-06-30
[[allow]]
path = "tests/**"
detector = "github-pat"
reason = "made up"
"""
        )
        own = load(str(tmp_path))
        settings = sweeping.settings_of(flags(), own, NOW)
        assert (settings.max_size, settings.detectors) == (1 << 20, (str(tmp_path / "own.toml"),))
        assert sweeping.settings_of(flags("--max-size", "2M"), own, NOW).max_size == 2 << 20
        assert [(s.path, s.detector) for s in settings.suppressions] == [("tests/**", "github-pat")]
        assert all(isinstance(s, Suppression) for s in settings.suppressions)
        assert sweeping.accepted_of(own) == (
            Suppressed("abcdefghijklmnopqrstuvwxyz", "a demo", "Ada", date(2027, 6, 30)),
        )
        assert settings.min_band == "low", "the store has what is below, too"

    def test_which_repositories(self) -> None:
        """All, where nothing is said."""
        assert sweeping.selection_of(flags()) == Selection()
        given = ["--include", "a/*", "--include", "b/*", "--exclude", "a/x", "--visibility", "public", "--no-archived"]
        assert sweeping.selection_of(flags(*given, "--no-forks", "--pushed-since", "2026-12-24")) == Selection(
            include=("a/*", "b/*"),
            exclude=("a/x",),
            readers=frozenset({"public"}),
            archived=False,
            forks=False,
            pushed_since=datetime(2026, 12, 24, tzinfo=UTC),
        )

    def test_no_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no folder for clones, one must be named."""
        monkeypatch.setattr(folders, "cache_folder", str)
        with pytest.raises(UsageError, match="--clones"):
            sweeping.settings_of(flags(), load(""), NOW)
        assert sweeping.settings_of(flags("--clones", "/c"), load(""), NOW).clones == os.path.abspath("/c")

    @pytest.mark.parametrize("wrong", [["--pushed-since", "yesterday"], ["--clones-limit", "lots"], ["--jobs", "0"]])
    def test_what_is_none(self, wrong: list[str]) -> None:
        """A message at once."""
        with pytest.raises(click.BadParameter):
            flags(*wrong)


class TestAnnouncing:
    """Before the first request people can read where secrets may go."""

    def announced(self, capfd: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
        """The hosts that are named."""
        given = flags("--verify", *arguments)
        settings = sweeping.settings_of(given, load(""), NOW)
        sweeping.announce(settings, options_of(given, environment={}, now=NOW, cache=""))
        return capfd.readouterr().err.strip().rpartition(": ")[2].split(", ")

    def test_all_that_detectors_name(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Each once, in order."""
        hosts = {host for one in catalog.load() if one.verify for host in one.verify.hosts}
        assert self.announced(capfd) == sorted(hosts)

    def test_those_of_some_and_those_that_are_named(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A host in place of the provider's own is said in its place."""
        assert self.announced(capfd, "--verify-only", "github", "--verify-host", "git.example.test:8443") == [
            "api.github.com",
            "git.example.test:8443",
        ]

    def test_a_name_that_is_none(self) -> None:
        """Nothing is sent by mistake."""
        given = flags("--verify", "--verify-only", "gitbub")
        settings = sweeping.settings_of(given, load(""), NOW)
        with pytest.raises(UsageError, match="gitbub"):
            sweeping.announce(settings, options_of(given, environment={}, now=NOW, cache=""))


def news(*changes: Change, failed: bool = False, unlisted: bool = False) -> News:
    """News of such changes."""
    kept = Kept("f", "d", "p", "k", "n", "s", "x", "high", 1, "open", {}, NOW, NOW, (), (), (), ())
    made = tuple((Event(1, NOW, change, "f"), kept) for change in changes)
    parts = [Unlisted("github:acme", "it answers 500")] if unlisted else []
    return News(1, NOW, NOW, (), made, (("a", "b"),) if failed else (), {}, parts)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (news(), 0),
        (news("new"), 1),
        (news("fixed", "reopened"), 1),
        (news("worse"), 1),
        (news("spread"), 1),
        (news("fixed", "revoked"), 0),
        (news("fixed", failed=True), 2),
        (news(failed=True), 2),
        (news(unlisted=True), 2),
        (news("new", failed=True), 1),
    ],
)
def test_exit_codes(what: News, code: int) -> None:
    """1 for what came and counts; else 2 where something was not looked at; else 0."""
    assert sweep.exit_code(what) == code


class TestWhereTheStoreIs:
    """A flag, a variable, a folder."""

    def test_in_that_order(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A path is whole, a URL as it is."""
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        url = f"postgresql://ada:{WORD}@db.example.test/sweeps"
        assert storing._where("", {}) == str(tmp_path / "oakum" / "sweeps.db")
        assert storing._where("", {"OAKUM_STORE": url}) == url
        assert storing._where("here.db", {"OAKUM_STORE": url}) == str(tmp_path / "here.db")

    @pytest.mark.parametrize(
        "url",
        [f"postgresql://ada:{WORD}@db/sweeps", f"postgresql://db/sweeps?user=ada&password={WORD}", "postgresql://[:w@"],
    )
    def test_no_password_stands_among_arguments(self, url: str) -> None:
        """Others can read them; nor does the message show it."""
        with pytest.raises(UsageError, match="OAKUM_STORE") as error:
            storing._where(url, {})
        assert "word" not in str(error.value).replace("password", "")

    def test_a_url_without_one(self) -> None:
        """As libpq finds it."""
        assert storing._where("postgresql://ada@db/sweeps", {}) == "postgresql://ada@db/sweeps"

    def test_packages_that_are_missing(self) -> None:
        """Which extra has them."""
        with pytest.raises(UsageError, match=r"pip install 'oakum\[sweep\]'"):
            storing.require_extra("sweep", "no_such_module_at_all")
        storing.require_extra("sweep", "json")


def test_metrics_are_put_in_their_place_whole(tmp_path: Path) -> None:
    """Whatever lies there; a link is replaced, and not followed."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "oakum.prom").symlink_to(victim)
    sweeping.write_metrics(str(tmp_path / "oakum.prom"), ["oakum_sweep_complete 1\n"])
    assert (tmp_path / "oakum.prom").read_text() == "oakum_sweep_complete 1\n"
    assert victim.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["oakum.prom", "victim"]


def test_a_page_of_the_last_night_stays_where_this_one_fails(tmp_path: Path) -> None:
    """Until there is another."""
    page = tmp_path / "news.txt"
    page.write_text("last night")
    with pytest.raises(KeyError), replaced(str(page), "--output") as output:  # noqa: PT012
        output.write("half of it")
        raise KeyError
    assert page.read_text() == "last night"
    with pytest.raises(UsageError, match="--output"), replaced(str(tmp_path / "no" / "news"), "--output"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["news.txt"]


def test_a_cluster_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the message says which."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "distributed" else find(name))
    with pytest.raises(UsageError, match=r"oakum\[distributed\]"):
        executor_of(Settings(datetime(2027, 1, 1, tzinfo=UTC), "p"), "tcp://127.0.0.1:1", print)
