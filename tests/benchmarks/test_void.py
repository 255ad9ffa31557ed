"""A run that did not do its work counts for nothing; each tool says so in its own way, as real runs of them did."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import bench, void
from benchmarks.bench import Bench, Target
from benchmarks.measure import Run, run
from benchmarks.tools import Tool, environment
from benchmarks.void import Scope, VoidError

GITLEAKS = (
    "\x1b[90m11:46PM\x1b[0m \x1b[32mINF\x1b[0m 3818 commits scanned.\n11:46PM INF scanned ~5579401 bytes (5.58 MB)\n"
)
HISTORY = Scope(blobs=100, commits=3843, bytes=1000)


def kingfisher(blobs: int = 100, scanned: int = 1000, **audit: int) -> dict[str, object]:
    """A report of kingfisher."""
    summary = {"scan_succeeded": 1, "scan_partial": 0, "scan_failed": 0, "pending": 0} | audit
    counted = {"blobs_scanned": blobs, "bytes_scanned": scanned}
    return {"findings": [{}], "audit": {"summary": summary}, "metadata": {"summary": counted}}


def betterleaks(state: str = "complete", scanned: int = 10) -> dict[str, object]:
    """A report of betterleaks."""
    return {"findings": [{}], "scan": {"state": state, "bytes_scanned": scanned}}


def oakum(blobs: int = 100, *, complete: bool = True) -> dict[str, object]:
    """A report of oakum."""
    searched = {"git blobs": blobs}
    return {"complete": complete, "findings": [{}], "not_scanned": [], "summary": {"searched": searched}}


GOOD = [
    (void.gitleaks, [{}], GITLEAKS),
    (void.gitleaks, [{}], GITLEAKS + '11:42PM WRN could not read archive content error="unexpected EOF" path=x.gz\n'),
    (void.kingfisher, kingfisher(), " INFO kingfisher: Launching with 2 concurrent scan jobs.\n"),
    (void.betterleaks, betterleaks(), "11:46PM WRN leaks found: 29\n"),
    (void.oakum, oakum(), "oakum: 1 findings\n"),
    (void.detect_secrets, {"results": {"a": [{}]}}, ""),
    (void.credsweeper, [{}], ""),
]
VOID = [
    (void.gitleaks, [{}], GITLEAKS + '\x1b[31mERR\x1b[0m [git] fatal: unable to read 22bf\n', "unable to read"),
    (void.gitleaks, [{}], GITLEAKS.replace("3818", "1200"), "1,200 of 3,843 commits"),
    (void.gitleaks, [{}], "", "0 of 3,843 commits"),
    (void.gitleaks, [{}], GITLEAKS + "11:42PM WRN skipping file: too large\n", "too large"),
    (void.kingfisher, kingfisher(blobs=0), "", "0 of 100 blobs"),
    (void.kingfisher, kingfisher(blobs=80), "", "80 of 100 blobs"),
    (void.kingfisher, kingfisher(scanned=10), "", "10 of 1,000 bytes"),
    (void.kingfisher, kingfisher(scan_partial=1), "", "its audit"),
    (void.kingfisher, kingfisher(), " WARN kingfisher: skipped 3 blobs\n", "skipped 3"),
    (void.betterleaks, betterleaks("incomplete"), "", "incomplete"),
    (void.betterleaks, betterleaks(scanned=0), "", "0 of 0 bytes"),
    (void.betterleaks, betterleaks(), "11:46PM ERR failed to scan Git repository\n", "failed to scan"),
    (void.oakum, oakum(99), "", "99 of 100 blobs"),
    (void.oakum, oakum(complete=False), "", "not complete"),
    (void.credsweeper, [{}], "Traceback (most recent call last):\n", "Traceback"),
]  # fmt: skip


@pytest.mark.parametrize(("judge", "report", "log"), GOOD)
def test_a_whole_scan_counts(judge: void.Judge, report: object, log: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(report))
    assert judge(tmp_path / "r.json", log, HISTORY) == 1


@pytest.mark.parametrize(("judge", "report", "log", "reason"), VOID)
def test_a_partial_scan_is_void(judge: void.Judge, report: object, log: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(report))
    with pytest.raises(VoidError, match=reason):
        judge(tmp_path / "r.json", log, HISTORY)


@pytest.mark.parametrize("judge", [void.detect_secrets, void.credsweeper])
def test_a_tool_that_counts_nothing_must_find_something_in_a_tree(judge: void.Judge, tmp_path: Path) -> None:
    """detect-secrets scans nothing outside of the folder it is called in, without a word."""
    report = tmp_path / "r.json"
    report.write_text("[]" if judge is void.credsweeper else '{"results": {}}')
    with pytest.raises(VoidError, match="no findings"):
        judge(report, "", Scope(files=1000, bytes=1000))
    assert judge(report, "", Scope(files=1, bytes=10)) == 0


def test_a_report_is_there_and_can_be_parsed(tmp_path: Path) -> None:
    for text in (None, "", '{"findings": ['):
        if text is not None:
            (tmp_path / "r.json").write_text(text)
        with pytest.raises(VoidError, match=r"no report|not JSON"):
            void.document(tmp_path / "r.json")


# --- whole runs of small commands -------------------------------------------------------------------------------------


def fake(tmp_path: Path, script: str, *, limit: float = 20) -> Bench:
    """A bench of one tool, which is this script and scans trees."""
    tool = Tool("fake", "fake", (), ("-c", script, "TARGET", "REPORT"), void.credsweeper, limit=limit)
    return Bench(tmp_path, {tool: Path(sys.executable)}, runs=2)


def results(made: Bench, tmp_path: Path) -> bench.Result:
    """What the one tool took on one small file."""
    (tmp_path / "small.txt").write_text("x")
    (result,) = made.results(Target("small", "small", tmp_path / "small.txt", Scope(files=1, bytes=1)))
    return result


WORK = "import sys; open(sys.argv[2], 'w').write('[1, 2]'); "


def test_runs_are_measured_but_for_the_first(tmp_path: Path) -> None:
    result = results(fake(tmp_path, WORK + "sum(range(3_000_000)); sys.exit(1)"), tmp_path)
    assert (result.void, result.findings) == ("", 2)
    assert [len(figures) for figures in (result.cpu, result.wall, result.peak)] == [2, 2, 2]
    assert 0 < min(result.cpu) < 10


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "no report"),
        (WORK + "sys.exit('cannot open it')  # exit code 1, but without a traceback", ""),
        (WORK + "print('gone wrong', file=sys.stderr); sys.exit(3)", "exit code 3: gone wrong"),
        (WORK + "import os; os.abort()", "exit code -6"),
        (WORK + "print('level=error msg=disk', file=sys.stderr)", "level=error msg=disk"),
        ("import sys; open(sys.argv[2], 'w').write('[1')", "the report is not JSON (2 characters)"),
    ],
)
def test_a_run_that_failed_has_no_figures(script: str, reason: str, tmp_path: Path) -> None:
    result = results(fake(tmp_path, script), tmp_path)
    assert result.void == reason
    assert bool(result.cpu) is not bool(reason)


def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """With all that it has started."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    result = results(fake(tmp_path, child, limit=0.5), tmp_path)
    assert result.void == "over 0 s"


def test_a_stale_report_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    results(fake(tmp_path, WORK), tmp_path)
    assert results(fake(tmp_path, ""), tmp_path).void == "no report"


def test_the_time_of_children_counts_and_their_memory(tmp_path: Path) -> None:
    """Half a second of work and 64 MiB, in a child of the command; what measures is not in it."""
    burn = "import time; x = b'x' * (64 << 20); t = time.process_time()\nwhile time.process_time() - t < 0.5: pass"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"]
    tool = Tool("fake", "", (), (), void.credsweeper)
    taken = run(command, env=environment(tool, tmp_path), folder=tmp_path, limit=60, output=tmp_path / "out")
    assert isinstance(taken, Run)
    assert 0.5 <= taken.cpu < 5
    if Path("/proc/self/smaps_rollup").exists():
        assert 64 << 10 <= taken.peak < 256 << 10
