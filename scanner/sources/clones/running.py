"""A program that is run with bounds: what it prints and says, and the time that it takes.

Beside `sources/git.py`, which runs git on what lies here, the only module that runs one. Nothing of it goes on when
this ends, not even where this process is killed; and nothing that it has started and left behind is waited for.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

from ..git import Popen, begun, kill
from .reach import CloneError

LOOK = 0.1
"""Seconds between two looks at what a fetch has brought so far; more where a look takes long."""
LOOKING = 10
"""A look takes at most one of so many parts of the time."""
LAST = 0.5
"""Seconds that the end of what a git said is waited for that has ended: something it started may have its pipes."""
SAID = 64 << 10
"""Bytes that are kept of what git and the host say."""
PRINTED = 256 << 20
"""Bytes that a list of refs may have."""
_GUARD = 'read -r group && { read -r ended || kill -KILL "-$group"; }'
"""What a shell does that is told a group of processes, and then that it has ended. Where whoever tells it is gone
before that, it ends the group."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    inherited: Sequence[int],
    seconds: float,
    watch: Callable[[], None],
    given: bytes = b"",
) -> tuple[int, bytes, bytes]:
    """Exit status, what a program printed, and what it said, each up to a bound. However this ends, it has ended.

    It gets these descriptors, and reads what is `given`: so little that a pipe holds it. `watch` is called a few times
    a second, and ends it by raising. CloneError where it takes longer than so many seconds.
    """
    with contextlib.ExitStack() as stack:
        try:
            guard = stack.enter_context(_guarding())
            process = Popen(
                command,
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=os.path.abspath(os.sep),
                pass_fds=inherited,
                start_new_session=True,
            )
        except OSError as error:
            raise CloneError(f"git could not be started: {error.strerror or error}", passing=True, here=True) from error
        guard(process.pid)
        begun(process)
        return _attended(process, seconds, watch, given)


@contextlib.contextmanager
def _guarding() -> Iterator[Callable[[int], None]]:
    """Takes a group of processes that is to end where this process is killed in the context: git would go on, without
    bounds, and keep others from the clone."""
    if os.name != "posix":
        yield lambda _group: None
        return
    with subprocess.Popen(
        ["/bin/sh", "-c", _GUARD],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        bufsize=0,
        start_new_session=True,  # else it would be killed with us
    ) as shell:

        def tell(line: bytes) -> None:
            assert shell.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # somebody has killed it
                shell.stdin.write(line)

        try:
            yield lambda group: tell(b"%d\n" % group)
        finally:
            tell(b"ended\n" * 2)  # twice: the first one is read in place of a group that could not be started


def _attended(process: Popen, seconds: float, watch: Callable[[], None], given: bytes) -> tuple[int, bytes, bytes]:
    kept: list[_Kept] = []
    until = time.monotonic() + seconds
    pause = LOOK
    try:
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(given)
        printed = _Kept(process.stdout, PRINTED, kept)
        said = _Kept(process.stderr, SAID, kept, last=True)
        while not (printed.ended(pause) and said.ended(pause)) and process.poll() is None:
            began = time.monotonic()
            watch()
            pause = max(LOOK, (time.monotonic() - began) * LOOKING)
            if printed.too_much:
                raise CloneError(f"its list of refs has more than {PRINTED >> 20} MiB, which is the most that is read")
            if time.monotonic() > until:
                raise CloneError(
                    f"it was not fetched within {seconds:g} s: it is tried again; --clone-seconds gives it longer",
                    passing=True,
                )
        code = process.wait(max(1.0, until - time.monotonic()))
        watch()
        said.ended(LAST)
        if not printed.ended(LAST):
            raise CloneError("git has ended, and something that it started has not", passing=True)
    except subprocess.TimeoutExpired as error:
        raise CloneError(f"git did not end within {seconds:g} s, and was stopped", passing=True) from error
    except RuntimeError as error:  # a limit of processes, as containers have
        raise CloneError("there are too many threads: use fewer --jobs", passing=True, here=True) from error
    finally:
        kill(process)
        process.wait()
        for each in kept:
            each.end()
    return code, bytes(printed.content), bytes(said.content)


class _Kept:
    """What comes out of a pipe, read by a thread so that nobody waits: the first bytes of it up to a bound, or the last
    ones. It stands in `kept` from the beginning."""

    def __init__(self, pipe: IO[bytes] | None, most: int, kept: list[_Kept], *, last: bool = False) -> None:
        assert pipe is not None
        self.content = bytearray()
        self.too_much = False
        self._pipe, self._most, self._last = pipe, most, last
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        kept.append(self)

    def ended(self, seconds: float) -> bool:
        """Whether all was read, after waiting for it."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def end(self) -> None:
        """Close the pipe; where something lives on that writes to it, that is the system's to do."""
        if self.ended(LAST):
            self._pipe.close()

    def _read(self) -> None:
        while part := self._pipe.read1(1 << 16):  # type: ignore[attr-defined]
            if self._last:
                self.content += part
                del self.content[: -self._most]
            else:
                left = self._most - len(self.content)
                self.too_much = self.too_much or len(part) > left
                self.content += part[: max(0, left)]
