"""What a hook lets pass, and who decides that: the user, not what is pushed, nor what the target says of itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.cli import hooked
from pushing import OAKUM, Pushing
from scanning import Fresh


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    return Pushing.create(tmp_path)


def leak(pushing: Pushing, fresh: Fresh, name: str = "app.env", padding: bytes = b"") -> None:
    pushing.work.commit({name: b"TOKEN=%b\n%b" % (fresh(), padding)}, "leak")


def guarded(pushing: Pushing) -> None:
    """The remote refuses what has secrets."""
    hook = pushing.remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m oakum.scanner hook run pre-receive\n")
    hook.chmod(0o755)


def test_a_server_lets_nothing_pass_that_was_not_searched(pushing: Pushing, fresh: Fresh) -> None:
    """Unless its own configuration says so: whoever pushes can send more than there is time for."""
    guarded(pushing)
    leak(pushing, fresh)
    pushing.configure("push.budget = 0.001\n")
    done = pushing.push("--no-verify", "origin", "main")
    assert done.code == 1
    assert "the push is stopped (on-incomplete = block)" in done.said
    pushing.configure('push.budget = 0.001\npush.on-incomplete = "warn"\n')
    done = pushing.push("--no-verify", "origin", "main")
    assert done.code == 0
    assert "the push goes on (on-incomplete = warn)" in done.said


def test_what_is_too_large_is_told(pushing: Pushing, fresh: Fresh) -> None:
    """A server takes it for what was not searched."""
    pushing.configure('max-size = "1k"\n')
    leak(pushing, fresh, padding=b"0" * 2000)
    done = pushing.hook()
    assert (done.returncode, "1 object larger than max-size NOT searched (1,024 bytes)" in done.stderr) == (0, True)
    guarded(pushing)
    done = subprocess.run(
        ["git", "push", "--quiet", "--no-verify", "origin", "main"],
        cwd=pushing.work.path,
        env=pushing.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"1 objects are larger than max-size, and were not searched" in done.stderr


def test_a_push_from_a_shallow_clone_is_searched_on_a_server_that_takes_it(
    pushing: Pushing, fresh: Fresh, tmp_path: Path
) -> None:
    """Git tells the hook of a file with the new boundary."""
    pushing.remote.git("config", "receive.shallowUpdate", "true")
    empty = GitRepository.create(tmp_path / "empty.git", "--bare")
    empty.git("config", "receive.shallowUpdate", "true")
    pushing.work.commit({"more.txt": b"more\n"})
    shallow = tmp_path / "shallow"
    pushing.work.git("clone", "--quiet", "--depth=1", f"file://{pushing.work.path}", str(shallow))
    clone = GitRepository(shallow)
    clone.commit({"app.env": b"TOKEN=" + fresh() + b"\n"})
    guarded(Pushing(pushing.work, empty, pushing.variables))
    command = ["git", "push", "--quiet", f"file://{empty.path}", "HEAD:refs/heads/main"]
    done = subprocess.run(command, cwd=shallow, env=pushing.environment, capture_output=True, check=False)
    assert b"the push is refused: it brings 1 secret" in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("own", "target"),
    [
        ('push.on-incomplete = "block"', 'push.on-incomplete = "warn"\npush.budget = 0.001'),
        ('push.min-band = "low"', 'push.min-band = "critical"'),
        ("push.budget = 60", "push.budget = 0.001"),
    ],
)
def test_a_target_makes_nothing_looser_that_the_user_set(pushing: Pushing, fresh: Fresh, own: str, target: str) -> None:
    """Only stricter."""
    pushing.configure(own)
    word = "api" + "_secret"
    pushing.work.commit(
        {".oakum.toml": target.encode(), "tests/test.py": f'{word} = "{fresh("hex:40").decode()}"\n'.encode()}
    )
    leak(pushing, fresh)
    assert pushing.hook().returncode == 1


def test_whatever_goes_wrong_once_something_was_found_stops_the_push(
    pushing: Pushing, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it is can then not be told."""
    leak(pushing, fresh)
    given = pushing.told()
    monkeypatch.chdir(pushing.work.path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
    monkeypatch.setattr("oakum.scanner.prove.prove", lambda _: 1 // 0)
    assert hooked.answer("pre-push", "origin", "../remote.git") == 1
    assert "1 secret found, which cannot be shown here" in capfd.readouterr().err


def test_what_is_accepted_by_its_path_is_not_where_not_all_paths_are_known(
    pushing: Pushing, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file stands in a folder that nobody named, too."""
    token = b"TOKEN=" + fresh() + b"\n"
    config = b'[[allow]]\npath = "a_tests/**"\nreason = "made up"\n'
    pushing.work.commit({".oakum.toml": config, "a_tests/x.env": token})
    assert pushing.hook().returncode == 0
    pushing.work.commit({"prod/x.env": token})
    assert pushing.hook().returncode == 1
    given = pushing.told()
    monkeypatch.chdir(pushing.work.path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
    monkeypatch.setattr("oakum.scanner.pipeline.push._Judge._attribute", lambda *_: 1 // 0)
    assert hooked.answer("pre-push", "origin", "../remote.git") == 1


def test_a_file_that_is_renamed_stops_no_commit(pushing: Pushing, fresh: Fresh) -> None:
    """Nor does what a merge brings in."""
    leak(pushing, fresh)
    pushing.work.git("mv", "app.env", "other.env")
    done = subprocess.run(
        [*OAKUM, "hook", "run", "pre-commit"],
        cwd=pushing.work.path,
        env=pushing.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 secret of this commit is in HEAD already" in done.stderr
    pushing.work.write({"new.env": b"TOKEN=" + fresh() + b"\n"})
    pushing.work.git("add", "new.env")
    done = subprocess.run(done.args, cwd=pushing.work.path, env=pushing.environment, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"new.env:1" in done.stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://bob:pa/ss@host.test/r.git", "https://host.test/r.git"),
        ("https://host.test/r?private_token=abc#x", "https://host.test/r"),
        ("git@host.test:o/r.git", "git@host.test:o/r.git"),
    ],
)
def test_an_address_is_recorded_without_what_opens_it(pushing: Pushing, url: str, shown: str) -> None:
    """Wherever in it that stands."""
    assert pushing.hook(remote=(url, url), OAKUM_SKIP="a drill").returncode == 0
    (line,) = (Path(pushing.variables["XDG_STATE_HOME"]) / "oakum" / "skips.jsonl").read_text().splitlines()
    assert json.loads(line)["remote"] == shown


def test_what_the_framework_tells_counts_only_where_git_says_nothing(pushing: Pushing, fresh: Fresh) -> None:
    """A hook of its may push by itself; and a name that is none is no push of nothing."""
    leak(pushing, fresh)
    outer = {"PRE_COMMIT_REMOTE_NAME": "origin", "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/nosuch"}
    assert pushing.hook(**outer).returncode == 1
    done = pushing.hook(given=b"", **outer)
    assert done.returncode == 0
    assert done.stderr.startswith("oakum: WARNING: refs/heads/nosuch names no commit, so that nothing was searched\n")
