"""`--engine`, `--no-cache`, and a cache folder that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner import __version__, cli
from oakum.scanner.engine import vectorised
from oakum.scanner.pipeline import workers
from scanning import Fresh, places, scan

needs_hyperscan = pytest.mark.skipif(not vectorised.available(), reason="needs the package hyperscan")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "oakum"


@pytest.fixture
def leaky(tmp_path: Path, fresh: Fresh) -> str:
    """A file with a secret."""
    (tmp_path / "a.env").write_bytes(b"TOKEN=" + fresh() + b"\n")
    return str(tmp_path / "a.env")


def matcher(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """The matcher that a report names, and why it was taken."""
    summary = json.loads(capfd.readouterr().out)["summary"]
    return summary["matcher"], summary["matcher_why"]


@needs_hyperscan
class TestEngine:
    def test_both_find_the_same_in_a_repository(self, repo: GitRepository, fresh: Fresh) -> None:
        """Work tree, history, messages."""
        repo.commit({"a.txt": fresh() + b"\n", "b.txt": b'password = "%s"\n' % fresh("human_password")}, "one")
        repo.commit({"a.txt": b"gone\n"}, fresh().decode())
        one, other = (places(scan(repo.path, engine=engine)) for engine in ("vector", "aho-corasick"))
        assert one == other
        assert len(one) == 3

    def test_a_small_scan_takes_what_starts_at_once(self, leaky: str, capfd: pytest.CaptureFixture[str]) -> None:
        cli.run(["scan", leaky, "--format", "json", "--stats"])
        assert matcher(capfd) == ("aho-corasick", "little to search")

    def test_a_large_one_takes_what_is_faster(
        self, leaky: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "WORTHWHILE", 10)
        cli.run(["scan", leaky, "--format", "json", "--stats"])
        assert matcher(capfd) == ("vector", "much to search")

    def test_it_can_be_chosen(self, leaky: str, capfd: pytest.CaptureFixture[str]) -> None:
        cli.run(["scan", leaky, "--format", "json", "--stats", "--engine", "vector"])
        assert matcher(capfd) == ("vector", "asked for")


def test_where_the_library_is_missing(
    leaky: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` does without; who asks for it is told."""
    monkeypatch.setattr(vectorised, "available", lambda: False)
    monkeypatch.setattr(workers, "WORTHWHILE", 10)
    assert cli.run(["scan", leaky, "--format", "json", "--stats"]) == 1
    assert matcher(capfd) == ("aho-corasick", "no hyperscan here")
    assert cli.run(["scan", leaky, "--engine", "vector"]) == 2
    assert "--engine vector needs the package hyperscan" in capfd.readouterr().err


class TestCache:
    def test_what_is_kept_is_the_detectors(self, leaky: str, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Nothing of what was scanned; and the second scan reports the same."""
        reports = []
        for _ in range(2):
            assert cli.run(["scan", leaky, "--format", "jsonl"]) == 1
            reports.append(capfd.readouterr().out)
        assert reports[0] == reports[1]
        (name,) = os.listdir(cache)
        assert name.startswith("catalog-")
        assert Path(leaky).read_bytes()[6:-1] not in (cache / name).read_bytes()

    def test_no_cache(self, leaky: str, cache: Path) -> None:
        assert cli.run(["scan", leaky, "--no-cache"]) == 1
        assert not cache.exists()

    def test_a_detector_file_of_the_user_is_a_part_of_what_is_kept(
        self, tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A change of it is heeded at once, a mistake in it is told each time."""
        (tmp_path / "x.txt").write_text("acme_8305917264\n")
        own = tmp_path / "acme.toml"
        text = (
            '[[detector]]\nid = "acme-token"\nname = "Acme"\nkind = "token"\nseverity = "high"\n'
            "pattern = '''(?P<secret>acme_[0-9]{N})'''\nkeywords = [\"acme_\"]\nexamples = [\"{secret}\"]\n"
        )
        arguments = ["scan", str(tmp_path / "x.txt"), "--format", "jsonl", "--detectors", str(own)]
        for length, code in (("10", 1), ("11", 0), ("10", 1), ("1,", 2), ("1,", 2)):
            own.write_text(text.replace("{N}", "{" + length + "}"))
            assert cli.run(arguments) == code, length
        assert "acme.toml: acme-token: pattern: every repeat must be bounded" in capfd.readouterr().err
        assert len(os.listdir(cache)) == 2

    def test_a_damaged_catalog(self, leaky: str, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Read anew from the detector files, and replaced."""
        cli.run(["scan", leaky])
        (name,) = os.listdir(cache)
        sound = (cache / name).read_bytes()
        (cache / name).write_bytes(sound[:-100])
        assert cli.run(["scan", leaky]) == 1
        assert (cache / name).read_bytes() == sound
        assert "oakum:" not in capfd.readouterr().err

    @pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
    def test_a_folder_that_is_not_used_is_told_and_the_scan_goes_on(
        self, leaky: str, cache: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        cache.mkdir(parents=True)
        cache.chmod(0o777)
        assert cli.run(["scan", leaky]) == 1
        assert f"oakum: the cache folder {cache} can be written by others" in capfd.readouterr().err
        assert os.listdir(cache) == []


def test_the_version_is_that_of_the_distribution() -> None:
    """It stands in two places, as asking the installed one takes 50 ms."""
    import tomllib

    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    assert tomllib.loads(text)["project"]["version"] == __version__
