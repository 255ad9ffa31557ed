"""Whatever goes wrong: a push is never blocked by a traceback. It is said what happened, and the policy decides.

oakum runs in a process of its own, as git calls it; it ends with 0 or 1.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from pushing import OAKUM, Pushing, running
from scanning import Fresh

Done = subprocess.CompletedProcess[str]
GOES_ON = "oakum: the push goes on (on-incomplete = warn)\n"
IS_STOPPED = "oakum: the push is stopped (on-incomplete = block)\n"
SECONDS = re.compile(r"[0-9]+\.[0-9]{2} s\)")
A, B = "a" * 40, "b" * 40


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    """A repository with a remote, and a commit without a secret that it does not have."""
    made = Pushing.create(tmp_path)
    made.work.commit({"work.txt": b"work\n"}, "work")
    return made


@pytest.fixture
def leaky(tmp_path: Path, fresh: Fresh) -> Pushing:
    """One with a secret in the first of two commits that the remote does not have."""
    made = Pushing.create(tmp_path)
    made.work.commit({"app.cfg": b"host = here\ntoken = " + fresh() + b"\n"}, "settings")
    made.work.commit({"work.txt": b"work\n" * 10, "folder/more.txt": b"more\n"}, "work")
    return made


def assert_told(pushing: Pushing, run: Callable[[], Done], *problems: str, before: str = "") -> None:
    """What is said as a whole, and that the policy is obeyed, whatever it is."""
    told = before + "".join(f"oakum: WARNING: {problem}\n" for problem in problems)
    for policy, end in (("warn", GOES_ON), ("block", IS_STOPPED)):
        pushing.configure(f'[push]\non-incomplete = "{policy}"\n')
        done = run()
        assert (SECONDS.sub("N s)", done.stderr), done.stdout) == (told + end, "")
        assert done.returncode == (policy == "block")


def assert_stopped(done: Done, *problems: str) -> None:
    """A secret was found; what else is told of, comes after the page."""
    assert done.returncode == 1
    assert done.stderr.startswith("oakum: the push to origin is stopped: it would publish 1 secret\n")
    assert "Traceback" not in done.stderr
    page, _, end = done.stderr.partition('  skip    OAKUM_SKIP="why" git push   (this push alone; it is recorded)\n')
    assert "To go on:\n" in page
    assert end == "".join(f"oakum: WARNING: {problem}\n" for problem in problems)


def searched(commits: int = 1, objects: str = "2 objects") -> str:
    """What is said where nothing is found."""
    return f"oakum: nothing found in {commits} new commit{'s' * (commits != 1)} ({objects}, N s)\n"


def odd(text: str) -> str:
    """What is said of a line."""
    return f"a line on standard input is not what git tells a hook: {text}"


class TestStandardInput:
    """What git tells is told otherwise."""

    def test_nothing(self, pushing: Pushing) -> None:
        """Nothing is pushed."""
        for given in (b"", b"\n", b"\n" * 30_000_000):
            done = pushing.hook(given=given)
            assert (done.returncode, done.stderr) == (0, "")

    def test_other_text(self, pushing: Pushing) -> None:
        """A few lines are shown, cut, with what acts on a terminal escaped; the others are counted."""
        given = b"hello\n" + b"x" * 5_000_000 + b"\n\x1b[2J\xe2\x80\xae\xff\n" + b"again\n" * 5
        problems = odd("hello"), odd("x" * 120), odd("\\x1b[2J\\u202e�"), "so are 5 more"
        assert_told(pushing, lambda: pushing.hook(given=given), *problems)

    @pytest.mark.parametrize("seed", range(5))
    def test_random_bytes(self, pushing: Pushing, seed: int) -> None:
        """They are no text, and no push."""
        done = pushing.hook(given=Random(seed).randbytes(100_000))
        assert done.returncode == 0
        assert all(line.startswith("oakum: ") for line in done.stderr.splitlines())
        assert done.stderr.endswith(GOES_ON)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.stderr)

    def test_a_hundred_million_zeros(self, pushing: Pushing) -> None:
        """No more is read than a push of half a million refs takes."""
        more = "more than 64 MiB on standard input: the rest of the refs was not looked at"
        assert_told(pushing, lambda: pushing.hook(given=bytes(100_000_000)), odd("\\x00" * 120), more)

    @pytest.mark.parametrize("line", [b"a\n", b"a b c d\n", b" \n"])
    def test_millions_of_lines(self, pushing: Pushing, line: bytes) -> None:
        """It is not looked at all of them, and they are not kept."""
        shown = odd(line.decode().rstrip("\n"))
        begun = time.monotonic()
        done = pushing.hook(given=line * 8_000_000, limits={resource.RLIMIT_AS: 1 << 30})
        end = "oakum: WARNING: so are 997 more, and the rest was not looked at\n" + GOES_ON
        assert (done.returncode, done.stderr) == (0, f"oakum: WARNING: {shown}\n{end}")
        assert time.monotonic() - begun < 5

    def test_line_ends_of_windows(self, leaky: Pushing) -> None:
        """They are no part of an id."""
        assert_stopped(leaky.hook(given=leaky.told().replace(b"\n", b"\r\n")))

    def test_no_line_end(self, leaky: Pushing) -> None:
        """The last line counts without one."""
        assert_stopped(leaky.hook(given=leaky.told().removesuffix(b"\n")))

    def test_what_is_pushed_is_searched_beside_what_is_none(self, leaky: Pushing) -> None:
        """Garbage hides nothing."""
        assert_stopped(leaky.hook(given=b"garbage\n" + leaky.told() + b"\0\n"), odd("garbage"), odd("\\x00"))

    def test_odd_names(self, leaky: Pushing) -> None:
        """A name is any expression; what is no ref's name does no harm."""
        new, ref, old = leaky.told().split()[1:]
        for name in (b"HEAD^{/a b}", b"\xff\x00\x1b", b"(delete)", b"-n", b"refs/heads/" + b"n" * 10_000):
            assert_stopped(leaky.hook(given=b" ".join([name, new, ref, old]) + b"\n"))

    @pytest.mark.parametrize("size", [1, 39, 41, 63, 65, 128])
    def test_ids_of_no_length(self, pushing: Pushing, size: int) -> None:
        """Such a line is none."""
        line = f"refs/heads/main {'a' * size} refs/heads/main {A}"
        assert_told(pushing, lambda: pushing.hook(given=line.encode() + b"\n"), odd(line[:120]))

    def test_ids_of_two_lengths_in_a_line(self, pushing: Pushing) -> None:
        """A repository has but one."""
        line = f"refs/heads/main {'a' * 64} refs/heads/main {A}"
        assert_told(pushing, lambda: pushing.hook(given=line.encode() + b"\n"), odd(line[:120]))

    def test_ids_of_another_length_beside_those_of_the_repository(self, leaky: Pushing) -> None:
        """They hide nothing."""
        line = f"refs/heads/x {'a' * 64} refs/heads/x {'0' * 64}\n".encode()
        problem = f"{'a' * 64} is no object id of this repository: nothing of it was searched"
        assert_stopped(leaky.hook(given=line + leaky.told()), problem)

    @pytest.mark.parametrize("size", [40, 64])
    def test_an_id_that_nothing_has(self, pushing: Pushing, size: int) -> None:
        """It is told."""
        line = f"refs/heads/main {'a' * size} refs/heads/main {'0' * size}\n".encode()
        problem = f"{'a' * size} is pushed and not in the object store: it was not searched"
        assert_told(pushing, lambda: pushing.hook(given=line), problem, before=searched(0, "0 objects"))

    def test_ids_that_nothing_has_beside_others(self, leaky: Pushing) -> None:
        """The others are searched; of those, a few are named."""
        lines = b"".join(b"r %040x r %b\n" % (n, A.encode()) for n in range(1, 6))
        problems = [f"{n:040x} is pushed and not in the object store: it was not searched" for n in (1, 2, 3)]
        assert_stopped(leaky.hook(given=lines + leaky.told()), *problems, "so are 2 more")

    def test_an_id_of_the_remote_that_was_never_fetched(self, pushing: Pushing) -> None:
        """Nothing of it is known here: nothing is left out for it."""
        done = pushing.hook(given=pushing.told().rsplit(b" ", 1)[0] + f" {A}\n".encode())
        assert (done.returncode, SECONDS.sub("N s)", done.stderr)) == (0, searched())

    @pytest.mark.parametrize("name", ["main^{tree}", "main:app.cfg"])
    def test_ids_of_trees_and_files(self, leaky: Pushing, name: str) -> None:
        """What they hold is searched; no commit says where it comes from."""
        line = f"refs/tags/t {leaky.work.git('rev-parse', name)} refs/tags/t {'0' * 40}\n".encode()
        done = leaky.hook(given=line)
        assert done.returncode == 1
        assert " where  app.cfg:2:9\n" in done.stderr or " where  git blob " in done.stderr

    def test_an_id_in_capitals(self, pushing: Pushing) -> None:
        """Git writes none."""
        line = f"refs/heads/main {'A' * 40} refs/heads/main {B}"
        assert_told(pushing, lambda: pushing.hook(given=line.encode() + b"\n"), odd(line[:120]))


@pytest.mark.long
class TestDamage:
    """Objects that are pushed are damaged or missing."""

    def damage(self, pushing: Pushing, name: str) -> str:
        """Flip bits of a loose object."""
        blob = pushing.work.blob(name)
        path = pushing.work.object_path(blob)
        content = bytearray(path.read_bytes())
        for at in (len(content) // 2, -1):
            content[at] ^= 0xFF
        path.chmod(0o644)
        path.write_bytes(content)
        return blob

    def test_of_another_file(self, leaky: Pushing) -> None:
        """What was found in the rest is told."""
        told = leaky.told()
        blob = self.damage(leaky, "main:work.txt")
        why = f"git cannot read it: fatal: unable to stream {blob} to stdout; run `git fsck` in the repository"
        assert_stopped(leaky.hook(given=told), f"{blob}: {why}")

    def test_of_the_file_itself(self, leaky: Pushing) -> None:
        """Nothing can be found in it."""
        told = leaky.told()
        blob = self.damage(leaky, "main:app.cfg")
        why = f"git cannot read it: fatal: unable to stream {blob} to stdout; run `git fsck` in the repository"
        assert_told(leaky, lambda: leaky.hook(given=told), f"{blob}: {why}", before=searched(2, "5 objects"))

    @pytest.mark.parametrize("name", ["main^{tree}", "main:folder"])
    def test_of_a_tree(self, leaky: Pushing, name: str) -> None:
        """What the trees of the other commits hold is searched all the same."""
        told = leaky.told()
        self.damage(leaky, name)
        done = leaky.hook(given=told)
        assert done.returncode == 1
        assert done.stderr.startswith("oakum: the push to origin is stopped: it would publish 1 secret\n")
        assert "oakum: WARNING: history: is damaged, so that some of it was not searched (git rev-list: " in done.stderr

    @pytest.mark.parametrize("name", ["main", "main~1"])
    def test_of_a_commit(self, leaky: Pushing, name: str) -> None:
        """Git cannot tell then what is pushed: it will not be able to push it, either."""
        told = leaky.told()
        self.damage(leaky, name)
        done = leaky.hook(given=told)
        assert done.returncode == 0
        assert done.stderr.startswith("oakum: WARNING: nothing was searched: git rev-list: ")
        assert done.stderr.endswith(GOES_ON)
        assert leaky.push("--no-verify").code != 0

    def test_a_file_is_missing(self, leaky: Pushing) -> None:
        """As in a partial clone."""
        told, blob = leaky.told(), leaky.work.blob("main:work.txt")
        leaky.work.object_path(blob).unlink()
        why = "is not in the object store, so that it was not searched (a partial clone? damage? see `git fsck`)"
        assert_stopped(leaky.hook(given=told), f"{blob}: {why}")

    def test_a_tree_is_missing(self, leaky: Pushing) -> None:
        """What the others hold is searched."""
        told, tree = leaky.told(), leaky.work.blob("main^{tree}")
        leaky.work.object_path(tree).unlink()
        done = leaky.hook(given=told)
        assert done.returncode == 1
        assert f"oakum: WARNING: {tree}: is not in the object store, so that it was not searched" in done.stderr

    @pytest.mark.parametrize("part", range(1, 8))
    def test_of_a_pack(self, leaky: Pushing, part: int) -> None:
        """Wherever it is damaged: what git still reads is searched, and it is told that not all was."""
        told = leaky.told()
        leaky.work.git("repack", "-adq")
        pack = next((leaky.work.path / ".git/objects/pack").glob("*.pack"))
        content = bytearray(pack.read_bytes())
        for at in range(len(content) * part // 8, len(content) * part // 8 + 8):
            content[at] ^= 0xFF
        pack.chmod(0o644)
        pack.write_bytes(content)
        done = leaky.hook(given=told)
        assert done.returncode in (0, 1)
        assert "oakum: WARNING: " in done.stderr
        assert "Traceback" not in done.stderr
        found = "oakum: the push to origin is stopped: it would publish 1 secret\n"
        assert done.stderr.startswith(found) if done.returncode else done.stderr.endswith(GOES_ON)

    def test_a_pack_that_was_cut(self, leaky: Pushing) -> None:
        """As by a full disk."""
        told = leaky.told()
        leaky.work.git("repack", "-adq")
        pack = next((leaky.work.path / ".git/objects/pack").glob("*.pack"))
        pack.chmod(0o644)
        os.truncate(pack, pack.stat().st_size // 2)
        tip = told.split()[1].decode()
        problem = f"{tip} is pushed and not in the object store: it was not searched"
        assert_told(leaky, lambda: leaky.hook(given=told), problem, before=searched(0, "0 objects"))


class TestRepository:
    """Where git is called is not what it was."""

    def test_none(self, pushing: Pushing, tmp_path: Path) -> None:
        """It is told."""
        told = pushing.told()
        problem = f"{tmp_path} lies in no git repository: nothing was searched"
        assert_told(pushing, lambda: pushing.hook(given=told, folder=tmp_path), problem)

    def test_the_folder_is_gone(self, pushing: Pushing) -> None:
        """It is told."""
        gone = 'mkdir gone && cd gone && rmdir ../gone && "$@"'
        problem = "the current folder is not there any more: nothing was searched"
        assert_told(pushing, lambda: pushing.hook(shell=gone), problem)

    @pytest.mark.parametrize("kind", ["nothing", "file", "fifo", "socket", "folder"])
    def test_git_dir_names_none(self, pushing: Pushing, tmp_path: Path, kind: str) -> None:
        """It is told, and nothing is waited for."""
        named = tmp_path / "named"
        if kind == "file":
            named.write_bytes(b"gitdir: /nowhere\n")
        elif kind == "fifo":
            os.mkfifo(named)
        elif kind == "folder":
            named.mkdir()
        elif kind == "socket":
            socket.socket(socket.AF_UNIX).bind(os.path.relpath(named))
        told = pushing.told()
        place = "/nowhere" if kind == "file" else f"'{named}'"
        problem = f"nothing was searched: git rev-list: fatal: not a git repository: {place}"
        assert_told(pushing, lambda: pushing.hook(given=told, GIT_DIR=str(named)), problem)

    def test_head_is_damaged(self, leaky: Pushing) -> None:
        """Git takes it for no repository then."""
        told = leaky.told()
        (leaky.work.path / ".git" / "HEAD").write_bytes(b"garbage")
        problem = f"nothing was searched: git rev-list: fatal: not a git repository: '{leaky.work.path}/.git'"
        assert_told(leaky, lambda: leaky.hook(given=told), problem)

    def test_its_configuration_is_damaged(self, leaky: Pushing) -> None:
        """Git reads nothing then."""
        told, path = leaky.told(), leaky.work.path / ".git" / "config"
        path.write_bytes(b"[[[")
        problem = f"nothing was searched: git rev-list: fatal: bad config line 1 in file {path}"
        assert_told(leaky, lambda: leaky.hook(given=told), problem)

    @pytest.mark.parametrize("content", [b"", b"garbage", b"DIRC" + b"\xff" * 100])
    def test_its_index_is_damaged(self, leaky: Pushing, content: bytes) -> None:
        """A push has no use for it."""
        (leaky.work.path / ".git" / "index").write_bytes(content)
        assert_stopped(leaky.hook())

    def test_in_the_middle_of_a_rebase(self, pushing: Pushing) -> None:
        """What is pushed is searched as ever."""
        pushing.work.commit({"more.txt": b"more\n"}, "more")
        pushing.bash("git rebase -i HEAD~1", GIT_SEQUENCE_EDITOR="sed -i s/^pick/edit/")
        assert (pushing.work.path / ".git" / "rebase-merge").is_dir()
        pushed = pushing.push("origin", "HEAD:main")
        assert (pushed.code, SECONDS.sub("N s)", pushed.said)) == (0, searched(2, "4 objects"))

    def test_in_the_middle_of_a_merge(self, leaky: Pushing) -> None:
        """There too."""
        leaky.work.git("switch", "--quiet", "--create", "topic", "HEAD~1")
        leaky.work.commit({"work.txt": b"other\n"}, "other")
        leaky.work.git("switch", "--quiet", "main")
        assert leaky.bash("git merge topic").returncode == 1
        assert_stopped(leaky.hook())


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """A PATH on which git is a script, and the true git what it calls `true-git`."""

    def make(script: str) -> str:
        folder = tmp_path / "programs"
        folder.mkdir()
        for name, text in (("git", script), ("true-git", f"#!/bin/sh\nPATH='{os.environ['PATH']}' exec git \"$@\"\n")):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    return make


@pytest.mark.long
class TestGit:
    """Git is not what it was."""

    @pytest.mark.parametrize("path", ["", "/nowhere", ".:bin", "\0".join(["/"] * 1)])
    def test_it_is_not_on_the_path(self, pushing: Pushing, path: str) -> None:
        """It is told."""
        told = pushing.told()
        problem = "nothing was searched: git was not found: install it (https://git-scm.com) or put it on PATH"
        assert_told(pushing, lambda: pushing.hook(given=told, PATH=path), problem)

    def test_it_is_no_program(self, pushing: Pushing, program: Callable[[str], str]) -> None:
        """It is told."""
        told, path = pushing.told(), program("\0\0\0")
        problem = f"it could not be searched: Exec format error ({path.partition(':')[0]}/git)"
        assert_told(pushing, lambda: pushing.hook(given=told, PATH=path), problem)

    def test_it_fails(self, pushing: Pushing, program: Callable[[str], str]) -> None:
        """It is told in its words."""
        told, path = pushing.told(), program("#!/bin/sh\necho 'fatal: \033[31mno' >&2\nexit 3\n")
        problem = "nothing was searched: git rev-list: fatal: \\x1b[31mno"
        assert_told(pushing, lambda: pushing.hook(given=told, PATH=path), problem)

    @pytest.mark.parametrize("what", ["/dev/urandom", "/dev/zero"])
    def test_it_babbles(self, pushing: Pushing, program: Callable[[str], str], what: str) -> None:
        """It is told."""
        done = pushing.hook(given=pushing.told(), PATH=program(f"#!/bin/sh\nhead -c 3000000 {what}\n"))
        assert done.returncode == 0
        assert done.stderr.endswith(GOES_ON)
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("call", ["config", "rev-list", "cat-file"])
    def test_it_hangs(self, pushing: Pushing, program: Callable[[str], str], call: str) -> None:
        """The budget ends it, and what it has started."""
        path = program(f'#!/bin/sh\ncase "$*" in *" {call} "*) sleep 7777; esac\nexec true-git "$@"\n')
        pushing.work.write({".oakum.toml": b"[push]\nbudget = 1\n"})
        told, begun = pushing.told(), time.monotonic()
        done = pushing.hook(given=told, PATH=path)
        assert time.monotonic() - begun < 2.5
        assert done.returncode == 0
        assert "the time for it (1 s) was up" in done.stderr
        assert done.stderr.endswith(GOES_ON)
        assert running("sleep 7777") == []

    @pytest.mark.parametrize("call", ["diff-tree", "ls-tree", "symbolic-ref", "for-each-ref"])
    def test_it_hangs_when_something_was_found(self, leaky: Pushing, program: Callable[[str], str], call: str) -> None:
        """That is told all the same."""
        path = program(f'#!/bin/sh\ncase "$*" in *" {call} "*) sleep 6666; esac\nexec true-git "$@"\n')
        leaky.work.write({".oakum.toml": b"[push]\nbudget = 1\n"})
        told, begun = leaky.told(), time.monotonic()
        done = leaky.hook(given=told, PATH=path)
        assert time.monotonic() - begun < 2.5
        assert done.returncode == 1
        assert done.stderr.startswith("oakum: the push to origin is stopped: it would publish 1 secret\n")
        assert running("sleep 6666") == []

    def test_the_page_where_git_told_nothing_of_commits(self, leaky: Pushing, program: Callable[[str], str]) -> None:
        """It says how to come by them."""
        path = program('#!/bin/sh\ncase "$*" in *" diff-tree "*) sleep 6666; esac\nexec true-git "$@"\n')
        leaky.work.write({".oakum.toml": b"[push]\nbudget = 1\n"})
        said = leaky.hook(given=leaky.told(), PATH=path).stderr
        blob = leaky.work.blob("main:app.cfg")[:12]
        command = f"git log --all --oneline --find-object={blob}"
        assert f"  remove  {command}   (names the commits)\n          take what was found out of the commits" in said
        assert leaky.bash(command).stdout.endswith(" settings\n")

    def test_the_user_has_enough(self, pushing: Pushing, program: Callable[[str], str], tmp_path: Path) -> None:
        """Ctrl-C ends it at once, and what it has started."""
        path = program(f"#!/bin/sh\ntouch '{tmp_path}/begun'\nsleep 5555\n")
        told = pushing.told()
        with subprocess.Popen(
            [*OAKUM, "push", "origin", "../remote.git"],
            cwd=pushing.work.path,
            env=pushing.environment | {"PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(told)
            process.stdin.close()
            process.stdin = None
            while not (tmp_path / "begun").exists():
                time.sleep(0.01)
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=10) == (b"", b"oakum: stopped by Ctrl-C\n")
        assert process.returncode == 1
        assert running("sleep 5555") == []

    @pytest.mark.parametrize("after", [0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1])
    def test_the_user_has_enough_at_any_time(self, leaky: Pushing, after: float) -> None:
        """Never a traceback."""
        told = leaky.told()
        program = "import sys; from oakum.scanner import cli; print('ready', flush=True); cli.main()"
        with subprocess.Popen(
            [sys.executable, "-c", program, "push", "origin", "../remote.git"],
            cwd=leaky.work.path,
            env=leaky.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(told)
            process.stdin.close()
            process.stdin = None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(after)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=10)[1]
        assert process.returncode == 1
        assert b"Traceback" not in said


@pytest.mark.long
class TestMachine:
    """Disks, memory, files and streams are not what they were."""

    def test_the_disk_is_full(self, leaky: Pushing, tmp_path: Path) -> None:
        """No file of some size can be written: the cache is done without."""
        empty = str(tmp_path / "empty")
        assert_stopped(leaky.hook(limits={resource.RLIMIT_FSIZE: 4096}, XDG_CACHE_HOME=empty))

    def test_no_file_can_be_written_at_all(self, pushing: Pushing) -> None:
        """What git is told goes through one."""
        told, limits = pushing.told(), {resource.RLIMIT_FSIZE: 0}
        assert_told(
            pushing, lambda: pushing.hook(given=told, limits=limits), "it could not be searched: File too large"
        )

    def test_the_cache_cannot_be_written(self, pushing: Pushing) -> None:
        """It is said, and what it costs is time."""
        note = "; set XDG_CACHE_HOME to another, or use --no-cache\n"
        for cache, why in (
            ("/proc/1", "cannot be made (No such file or directory)"),
            (__file__, "cannot be made (Not a directory)"),
        ):
            done = pushing.hook(XDG_CACHE_HOME=cache)
            assert done.returncode == 0
            said = f"{searched()}oakum: the cache folder {cache}/oakum {why}{note}"
            assert SECONDS.sub("N s)", done.stderr) == said

    def test_the_cache_is_damaged(self, leaky: Pushing, tmp_path: Path) -> None:
        """It is not believed."""
        cache = tmp_path / "cache"
        leaky.hook(XDG_CACHE_HOME=str(cache))
        files = [path for path in cache.rglob("*") if path.is_file()]
        assert files
        for content in (b"", b"\0" * 1000, b"garbage", None):
            for path in files:
                if content is None:
                    path.unlink(missing_ok=True)
                    os.mkfifo(path)
                else:
                    path.write_bytes(content)
            assert_stopped(leaky.hook(XDG_CACHE_HOME=str(cache)))

    @pytest.mark.parametrize("home", [None, "", "relative", "/nowhere", "/dev/null"])
    def test_the_home_is_none(self, leaky: Pushing, home: str | None) -> None:
        """Nothing in it is needed."""
        folders = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
        shell = f'unset {" ".join(folders)}; {"" if home is None else f"export HOME={home}; "}"$@"'
        assert_stopped(leaky.hook(shell=shell))

    @pytest.mark.parametrize("megabytes", [3000, 400, 200, 100, 60])
    def test_there_is_little_memory(self, leaky: Pushing, megabytes: int) -> None:
        """3 GB are plenty; with too little the policy decides."""
        done = leaky.hook(limits={resource.RLIMIT_AS: megabytes << 20})
        if megabytes == 3000:
            assert_stopped(done)
        assert done.returncode in (0, 1)
        assert "Traceback" not in done.stderr
        assert done.returncode or done.stderr.endswith(GOES_ON)

    @pytest.mark.parametrize("files", [64, 20, 14, 10])
    def test_few_files_may_be_open(self, leaky: Pushing, files: int) -> None:
        """There too."""
        done = leaky.hook(limits={resource.RLIMIT_NOFILE: files})
        assert done.returncode in (0, 1)
        assert "Traceback" not in done.stderr
        assert done.returncode or done.stderr.endswith(GOES_ON)

    def test_nobody_can_be_told(self, leaky: Pushing) -> None:
        """What was found stops the push all the same."""
        for shell in ('"$@" 2>/dev/full', '"$@" 2>&-', '"$@" >&- 2>&-', '"$@" 2>&- | :; exit 1'):
            done = leaky.hook(shell=shell)
            assert (done.returncode, done.stdout, done.stderr) == (1, "", "")

    def test_nobody_can_be_told_of_what_is_no_reason_to_stop(self, pushing: Pushing) -> None:
        """And then it goes on."""
        for shell in ('"$@" 2>/dev/full', '"$@" 2>&-', '"$@" >&- 2>&-'):
            done = pushing.hook(shell=shell)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_standard_input_is_closed(self, pushing: Pushing) -> None:
        """Then nothing is known."""
        problem = "standard input is closed, on which git tells what it does: nothing was searched"
        assert_told(pushing, lambda: pushing.hook(shell='"$@" <&-'), problem)

    def test_arguments_that_are_no_text(self, leaky: Pushing) -> None:
        """They are shown escaped."""
        done = leaky.hook(remote=(b"or\xffigin\x1b[2J\n", b"\xff"))
        assert done.returncode == 1
        assert done.stderr.startswith("oakum: the push to or\\udcffigin\\x1b[2J\\x0a is stopped: it would publish 1 ")

    @pytest.mark.parametrize("locale", ["C", "POSIX", "nosuch", "tr_TR.ISO-8859-9"])
    def test_any_locale(self, leaky: Pushing, locale: str) -> None:
        """The page is written in each, escaped where it must be."""
        leaky.work.commit({"ü☃.cfg": b"nothing\n"})
        for encoding in ("", "ascii", "latin-1"):
            assert_stopped(leaky.hook(LC_ALL=locale, PYTHONIOENCODING=encoding))


class TestConfiguration:
    """Configuration that is none."""

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"][", "is not valid TOML: Invalid statement (at line 1, column 1)"),
            (b"\xff\xfe", "is not UTF-8 (byte 0); TOML is"),
            (b"[push]\nbugdet = 3\n", "push.bugdet: there is no such setting; did you mean push.budget?"),
            (b"[push]\nbudget = -1\n", "push.budget: -1 is not allowed: expected more than 0 and at most 3600 "),
            (b"push = 3\n", "push: is a table"),
            (b"x = " + b"[" * 5000 + b"\n", "is not valid TOML: maximum recursion depth exceeded"),
            (b" " * (2 << 20), "is larger than 1 MiB"),
        ],
        ids=ascii,
    )  # fmt: skip
    def test_of_the_repository(self, pushing: Pushing, content: bytes, why: str) -> None:
        """It is told, and the user's own holds."""
        path = pushing.work.path / ".oakum.toml"
        path.write_bytes(content)
        for policy, end in (("warn", GOES_ON), ("block", IS_STOPPED)):
            pushing.configure(f'[push]\non-incomplete = "{policy}"\n')
            done = pushing.hook()
            begin = f"{searched()}oakum: WARNING: the configuration is not obeyed: {path}: {why}"
            assert SECONDS.sub("N s)", done.stderr)[: len(begin)] == begin
            assert done.stderr.endswith(end)
            assert done.returncode == (policy == "block")

    @pytest.mark.parametrize("kind", ["link", "fifo", "folder", "device"])
    def test_no_file(self, leaky: Pushing, kind: str) -> None:
        """It is told; nothing is read, and nothing waited for."""
        path = leaky.work.path / ".oakum.toml"
        if kind == "link":
            path.symlink_to("/etc/passwd")
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero")
        done = leaky.hook()
        assert done.returncode == 1
        assert done.stderr.startswith("oakum: the push to origin is stopped: it would publish 1 secret\n")
        assert re.search(r"it is recorded\)\noakum: WARNING: the configuration is not obeyed: [^\n]+\n\Z", done.stderr)
        assert "nologin" not in done.stderr

    def test_of_the_user(self, pushing: Pushing) -> None:
        """It is told, and that of the repository holds."""
        pushing.work.write({".oakum.toml": b'[push]\non-incomplete = "block"\n'})
        pushing.configure("][")
        path = Path(pushing.variables["XDG_CONFIG_HOME"]) / "oakum" / "config.toml"
        done = pushing.hook()
        problem = f"{path}: is not valid TOML: Invalid statement (at line 1, column 1)"
        told = f"oakum: WARNING: the configuration is not obeyed: {problem}\n"
        assert (done.returncode, SECONDS.sub("N s)", done.stderr)) == (1, searched() + told + IS_STOPPED)

    def test_of_both(self, leaky: Pushing) -> None:
        """Both are told, and the defaults hold."""
        leaky.work.write({".oakum.toml": b"]["})
        leaky.configure("][")
        paths = Path(leaky.variables["XDG_CONFIG_HOME"]) / "oakum" / "config.toml", leaky.work.path / ".oakum.toml"
        why = "is not valid TOML: Invalid statement (at line 1, column 1)"
        problems = {f"the configuration is not obeyed: {path}: {why}" for path in paths}
        done = leaky.hook()
        assert done.returncode == 1
        assert {line.removeprefix("oakum: WARNING: ") for line in done.stderr.splitlines()[-2:]} == problems

    def test_a_detector_file_of_the_user_that_is_not_there(self, pushing: Pushing) -> None:
        """It is told."""
        done = pushing.hook()
        pushing.configure('detectors = ["nosuch.toml"]\n')
        done = pushing.hook()
        assert done.returncode == 0
        assert done.stderr.startswith("oakum: WARNING: nothing was searched: ")
        assert "nosuch.toml" in done.stderr
        assert done.stderr.endswith(GOES_ON)


class TestSkip:
    """`OAKUM_SKIP`: a push without a search, with a reason."""

    def recorded(self, pushing: Pushing) -> list[dict[str, object]]:
        """What the record holds."""
        path = Path(pushing.variables["XDG_STATE_HOME"]) / "oakum" / "skips.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def test_with_a_reason(self, leaky: Pushing) -> None:
        """It is said and recorded."""
        told = leaky.told()
        done = leaky.hook(given=told, OAKUM_SKIP="  a test\x1b[2J token, not a real one ")
        reason = "a test\\x1b[2J token, not a real one"
        assert (done.returncode, done.stderr) == (0, f"oakum: skipped, nothing was searched: {reason}\n")
        (entry,) = self.recorded(leaky)
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", str(entry.pop("at")))
        assert entry == {
            "repository": str(leaky.work.path),
            "remote": "origin",
            "refs": [f"refs/heads/main {told.split()[1].decode()}"],
            "reason": reason,
        }
        path = Path(leaky.variables["XDG_STATE_HOME"]) / "oakum" / "skips.jsonl"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("reason", ["", " ", "1", "0", "true", "YES", "No", "on", "off"])
    def test_without_one(self, leaky: Pushing, reason: str) -> None:
        """It counts for nothing."""
        done = leaky.hook(OAKUM_SKIP=reason)
        assert done.returncode == 1
        wanted = 'oakum: OAKUM_SKIP wants a reason, which is recorded: OAKUM_SKIP="why" git push …\n'
        assert done.stderr.startswith(f"{wanted}oakum: the push to origin is stopped: it would publish 1 secret\n")
        assert self.recorded(leaky) == []

    def test_one_line_for_each(self, leaky: Pushing) -> None:
        """Many at once do not get in each other's way."""
        command = 'for n in 1 2 3 4 5 6 7 8; do OAKUM_SKIP="reason $n" "$@" </dev/null & done; wait'
        assert leaky.hook(shell=command).returncode == 0
        assert sorted(str(entry["reason"]) for entry in self.recorded(leaky)) == [f"reason {n}" for n in range(1, 9)]

    def test_a_url_is_recorded_without_its_password(self, leaky: Pushing, fresh: Fresh) -> None:
        """It would be a leak of its own."""
        password = fresh().decode()
        url = f"https://me:{password}@host.test/x.git"
        assert leaky.hook(remote=(url, url), OAKUM_SKIP="why").returncode == 0
        (entry,) = self.recorded(leaky)
        assert entry["remote"] == "https://host.test/x.git"

    def test_what_is_no_text(self, leaky: Pushing) -> None:
        """It is recorded as escapes."""
        done = leaky.hook(shell="OAKUM_SKIP=$(printf 'why \\377') \"$@\"", remote=(b"\xfe", b"\xfe"))
        assert done.returncode == 0
        (entry,) = self.recorded(leaky)
        assert (entry["reason"], entry["remote"]) == ("why \udcff", "\udcfe")

    @pytest.mark.parametrize("kind", ["no folder", "fifo", "link", "full"])
    def test_it_cannot_be_recorded(self, leaky: Pushing, tmp_path: Path, kind: str) -> None:
        """That is said; the push is not held up for it."""
        state = tmp_path / "state" / "oakum"
        limits = {resource.RLIMIT_FSIZE: 0} if kind == "full" else {}
        if kind == "no folder":
            (tmp_path / "state").write_bytes(b"")
        else:
            state.mkdir(parents=True)
        if kind == "fifo":
            os.mkfifo(state / "skips.jsonl")
        elif kind == "link":
            (state / "skips.jsonl").symlink_to(tmp_path / "elsewhere")
        why = {
            "no folder": "Not a directory",
            "fifo": "No such device or address",
            "link": "Too many levels of symbolic links",
            "full": "File too large",
        }[kind]
        done = leaky.hook(limits=limits, OAKUM_SKIP="why")
        said = f"oakum: skipped, nothing was searched: why\noakum: that could not be recorded in {state}: {why}\n"
        assert (done.returncode, done.stderr) == (0, said)
        assert not (tmp_path / "elsewhere").exists()

    def test_garbage_is_skipped_too(self, leaky: Pushing) -> None:
        """No refs are known then."""
        assert leaky.hook(given=b"garbage\n", OAKUM_SKIP="why").returncode == 0
        (entry,) = self.recorded(leaky)
        assert entry["refs"] == []
