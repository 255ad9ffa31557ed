"""`oakum scan` as a user meets it: exit codes, options, outputs, and that no secret ever leaves unmasked."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from git_repository import GitRepository
from oakum.detectors import samples
from oakum.scanner import catalog, cli
from oakum.scanner.report import FORMATS, ReportOptions
from oakum.scanner.sources.describe import describe
from scanning import Fresh, scan

OAKUM = [sys.executable, "-m", "oakum.scanner"]


def oakum(*arguments: str | Path, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [*OAKUM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=os.environ | variables,
        check=False,
        timeout=120,
    )


@pytest.fixture
def leaky(tmp_path: Path, fresh: Fresh) -> Path:
    """A folder with one secret."""
    (tmp_path / "leaky").mkdir()
    (tmp_path / "leaky" / "app.cfg").write_bytes(b"token = " + fresh() + b"\n")
    return tmp_path / "leaky"


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A folder without one."""
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "readme.txt").write_bytes(b"nothing to see\n")
    return tmp_path / "clean"


class TestExitCodes:
    """0, 1, 2 and 130."""

    def test_nothing_found(self, clean: Path) -> None:
        """0, and a page that says so."""
        done = oakum("scan", clean)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\n0 findings\n  searched     1 file: 15 bytes" in done.stdout

    def test_found(self, leaky: Path) -> None:
        """1, and a page."""
        done = oakum("scan", leaky)
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"\n1 finding: 1 " in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["scan", "nosuch"], "there is no such file or folder"),
            (["scan", ".", "--nosuch"], "No such option"),
            (["scan", ".", "--format", "xml"], "'xml' is not one of"),
            (["scan", ".", "--min-band", "worst"], "'worst' is not one of"),
            (["scan", ".", "--max-size", "big"], "'big' is no size"),
            (["scan", ".", "--jobs", "0"], "0 is not in the range"),
            (["scan", ".", "--range", "a..b"], "is no git repository"),
            (["scan", ".", "--staged"], "is no git repository"),
            (["scan", ".", "--no-history", "--staged"], "exclude each other"),
            (["scan", ".", "--staged", "--range", "a..b"], "exclude each other"),
            (["scan", "-", "-"], "once only"),
            (["scan", ".", "--output", "nosuch/out.json"], "cannot be written: No such file or directory"),
            (["scan", ".", "--detectors", "nosuch.toml"], "cannot be read as a detector file"),
            (["nosuch"], "No such command"),
            (["detectors", "show", "nosuch"], "no detector is called nosuch"),
        ],
    )
    def test_wrong_usage(
        self,
        arguments: list[str],
        said: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """2, with a message that names what is wrong; nothing on standard output."""
        monkeypatch.chdir(tmp_path)
        assert cli.run(arguments) == 2
        captured = capfd.readouterr()
        assert said in captured.err
        assert captured.out == ""

    def test_error_of_our_own(
        self, clean: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """2, and no traceback, because one can hold what was scanned; with OAKUM_DEBUG it is shown."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError("a secret")

        monkeypatch.setattr("oakum.scanner.pipeline.scan._rank", fail)
        assert cli.run(["scan", str(clean)]) == 2
        said = capfd.readouterr().err
        assert said.startswith("oakum: an error in oakum itself: ZeroDivisionError at test_scan_command.py:")
        assert "a secret" not in said
        assert "Traceback" not in said
        monkeypatch.setenv("OAKUM_DEBUG", "1")
        with pytest.raises(ZeroDivisionError):
            cli.run(["scan", str(clean)])

    def test_error_of_our_own_in_one_unit(
        self, leaky: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """What could not be searched because of it is listed: 2."""

        def fail(*_: object) -> None:
            raise ZeroDivisionError("a secret")

        monkeypatch.setattr("oakum.scanner.pipeline.workers.Searcher._search", fail)
        assert cli.run(["scan", str(leaky), "--format", "json"]) == 2
        captured = capfd.readouterr()
        entry = json.loads(captured.out)["not_scanned"][0]
        assert entry["why"].startswith("an error in oakum (ZeroDivisionError at test_scan_command.py:")
        assert "a secret" not in captured.out + captured.err

    def test_interrupted(self, tmp_path: Path, fresh: Fresh) -> None:
        """130 after Ctrl-C: what was found until then is reported, whole and valid, and nobody is left behind."""
        (tmp_path / "a.txt").write_bytes(fresh() + b"\n")
        tree = tmp_path / "tree"
        tree.mkdir()
        rng = Random(1)
        block = b"".join(b"password = %d; token = %d\n" % (rng.getrandbits(40), n) for n in range(40_000))
        for number in range(150):
            (tree / f"{number}.txt").write_bytes(block)
        command = [*OAKUM, "scan", str(tmp_path / "a.txt"), str(tree), "--format", "json", "--jobs", "2"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as running:
            time.sleep(2.5)
            assert running.poll() is None, "the tree is too small for this test"
            begun = time.monotonic()
            os.killpg(running.pid, signal.SIGINT)
            out, said = running.communicate(timeout=30)
        assert running.returncode == 130, said
        assert time.monotonic() - begun < 10
        document = json.loads(out)
        assert document["complete"] is False
        assert document["summary"]["interrupted"] is True
        assert "github-pat" in [f["detector"] for f in document["findings"]]
        assert b"stopped before its end" in said
        assert b"Traceback" not in said
        with pytest.raises(ProcessLookupError):
            os.killpg(running.pid, 0)

    def test_nobody_reads_on(self, tmp_path: Path, fresh: Fresh) -> None:
        """A closed pipe, as behind `head`, is no error and no traceback."""
        (tmp_path / "many.txt").write_bytes(b"".join(fresh() + b"\n" for _ in range(400)))
        with subprocess.Popen(
            [*OAKUM, "scan", str(tmp_path / "many.txt")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            running.stdout.read(10)
            running.stdout.close()
            said = running.stderr.read()
        assert said == b""
        assert running.returncode in (0, 1)

    def test_full_disk(self, leaky: Path) -> None:
        """2, with a message, when the report cannot be written."""
        if not os.path.exists("/dev/full"):
            pytest.skip("needs /dev/full")
        done = oakum("scan", leaky, "--output", "/dev/full")
        assert done.returncode == 2
        assert b"No space left on device" in done.stderr


class TestOptions:
    """What options do to the report and to the exit code."""

    def test_min_band(self, leaky: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """A finding below the band does not count, and the summary says how many there are."""
        band = json.loads(oakum("scan", leaky, "--format", "json").stdout)["findings"][0]["band"]
        assert band in ("critical", "high")
        (leaky / "app.cfg").rename(leaky / "test_app.cfg")
        (leaky / "test_app.cfg").rename(leaky / "x")
        (leaky / "tests").mkdir()
        (leaky / "x").rename(leaky / "tests" / "test_app.cfg")
        assert cli.run(["scan", str(leaky), "--format", "json", "--min-band", "critical"]) == 0
        document = json.loads(capfd.readouterr().out)
        assert document["findings"] == []
        assert document["summary"]["below_min_band"] == 1
        assert cli.run(["scan", str(leaky), "--min-band", "low"]) == 1

    def test_output(self, leaky: Path, tmp_path: Path) -> None:
        """The report goes to the file, one line about it to standard error, nothing to standard output."""
        there = oakum("scan", leaky, "--format", "jsonl", "--output", tmp_path / "out.jsonl")
        here = oakum("scan", leaky, "--format", "jsonl")
        assert (there.returncode, there.stdout, there.stderr) == (1, b"", b"oakum: 1 finding\n")
        assert (tmp_path / "out.jsonl").read_bytes() == here.stdout

    def test_output_with_secrets_is_for_its_owner(self, leaky: Path, tmp_path: Path, fresh: Fresh) -> None:
        """A file that was there and open to all is closed before the first secret is written."""
        (tmp_path / "out").write_bytes(b"old\n")
        (tmp_path / "out").chmod(0o644)
        assert oakum("scan", leaky, "--show-secrets", "--output", tmp_path / "out").returncode == 1
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
        assert fresh.drawn[0] in (tmp_path / "out").read_bytes()

    @pytest.mark.parametrize("format_", sorted(FORMATS))
    def test_show_secrets(self, leaky: Path, fresh: Fresh, format_: str) -> None:
        """The value stands in every format, when it was asked for."""
        assert fresh.drawn[0] in oakum("scan", leaky, "--show-secrets", "--format", format_).stdout

    def test_standard_input(self, fresh: Fresh) -> None:
        """`-` is what is piped in, binary or not."""
        secret = fresh()
        done = oakum("scan", "-", "--format", "json", stdin=b"\xff\x00\n" + secret + b"\n")
        assert done.returncode == 1
        occurrence = json.loads(done.stdout)["findings"][0]["occurrences"]
        assert occurrence == [
            {"origin": {"type": "stdin"}, "blobs": 1, "line": 2, "column": 1, "end_line": 2, "end_column": 41}
        ]

    def test_two_targets(self, leaky: Path, repo: GitRepository, fresh: Fresh) -> None:
        """Both are searched; each place says in which target it is."""
        repo.commit({"b.txt": fresh() + b"\n"})
        done = oakum("scan", leaky, repo.path, "--format", "json")
        document = json.loads(done.stdout)
        targets = {f["occurrences"][0]["origin"]["target"] for f in document["findings"]}
        assert targets == {str(leaky), str(repo.path)} == set(document["summary"]["targets"])

    def test_no_target_is_the_current_folder(
        self, leaky: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Paths are relative to it."""
        monkeypatch.chdir(leaky)
        assert cli.run(["scan", "--format", "json"]) == 1
        origin = json.loads(capfd.readouterr().out)["findings"][0]["occurrences"][0]["origin"]
        assert (origin["type"], os.path.normpath(origin["path"])) == ("file", "app.cfg")

    def test_markers(self, tmp_path: Path, fresh: Fresh) -> None:
        """An inline marker suppresses, which is counted; --no-markers does not heed it."""
        (tmp_path / "a.txt").write_bytes(b"token = " + fresh() + b"  # oakum:allow\n")
        done = oakum("scan", tmp_path / "a.txt", "--format", "json")
        assert done.returncode == 0
        assert json.loads(done.stdout)["summary"]["suppressed"] == {"marker": 1}
        assert oakum("scan", tmp_path / "a.txt", "--no-markers").returncode == 1

    def test_jobs_change_nothing(self, tmp_path: Path, fresh: Fresh) -> None:
        """One process or three: the same findings in the same order."""
        repo = GitRepository.create(tmp_path / "repo")
        for number in range(6):
            repo.commit({f"{number}.txt": fresh() + b"\n" + os.urandom(400_000).hex().encode()})
        reports = [oakum("scan", repo.path, "--format", "jsonl", "--jobs", jobs).stdout for jobs in "13"]
        assert reports[0] == reports[1]
        assert len(reports[0].splitlines()) == 6

    def test_help_and_version(self) -> None:
        """Both exit with 0."""
        assert oakum("--version").stdout.startswith(b"oakum 0.")
        assert b"Exit codes:" in oakum("--help").stdout


class TestNoSecretLeaves:
    """Without --show-secrets, no format shows a value, wherever it stands."""

    @pytest.mark.long
    def test_every_detector(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fresh samples of every detector in each of its examples; a remote that holds a token."""
        monkeypatch.setattr("oakum.scanner.model.guessable", lambda _: False)  # hundreds of slow fingerprints
        rng = Random("no secret leaves")
        repo = GitRepository.create(tmp_path / "repo")
        drawn = [samples.build("github:ghp", rng)]
        repo.git("remote", "add", "origin", f"https://user:{drawn[0].decode()}@github.com/a/b")
        files: dict[str, bytes] = {}
        for detector in catalog.load():
            for number, example in enumerate(detector.examples):
                drawn.append(samples.draw(detector.sample, detector.regex, rng))
                files[f"{detector.id}-{number}.txt"] = b"x = 1; " + samples.fill(example, drawn[-1], rng)
        repo.commit(files)
        result = scan(repo.path)
        assert len(result.findings) > len(files) * 9 // 10
        for name, format_ in FORMATS.items():
            for color in (False, True):
                options = ReportOptions(color=color, stats=True, heading=tuple(describe(str(repo.path))))
                report = "".join(format_.render(result, options)).encode()
                plain = report.replace(b"\\n", b"\n").replace(b"\\r", b"\r")
                assert [v for v in drawn if len(v) >= 8 and (v in report or v in plain)] == [], name

    def test_a_token_as_the_user_of_a_url(self, tmp_path: Path, fresh: Fresh) -> None:
        """What one detector takes for a user name is another one's secret."""
        secret = fresh()
        (tmp_path / "a.txt").write_bytes(b"git clone https://" + secret + b":x-oauth-basic@github.com/acme/app.git\n")
        for name in FORMATS:
            assert secret not in oakum("scan", tmp_path / "a.txt", "--format", name).stdout

    @pytest.mark.parametrize("format_", sorted(FORMATS))
    def test_many_on_a_line(self, tmp_path: Path, fresh: Fresh, format_: str) -> None:
        """Secrets side by side, cut by the edge of what is shown, suppressed ones too."""
        drawn = [fresh() for _ in range(12)]
        text = b" ".join(drawn) + b" # oakum:allow\n" + b",".join(drawn[:7]) + b"\n"
        (tmp_path / "a.txt").write_bytes(text)
        report = oakum("scan", tmp_path / "a.txt", "--format", format_).stdout
        assert report
        tails = [secret[at : at + 12] for secret in drawn for at in (10, 20, 28)]
        assert [tail for tail in tails if tail in report] == []
