"""Repositories made up for measuring: `git fast-import` is told what to make, the same each time for the same seed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from random import Random
from tempfile import TemporaryFile

from .git import ENVIRONMENT, GitError, command, git

BEGUN = 1_600_000_000
"""Date of the first commit, in seconds since 1970; each commit is a minute after the one before."""
WORDS = """
    account action address base body buffer cache call change client code column config content context count cursor
    data date default depth digest entry error event field file filter flag format group handler header height index
    item key kind label length level limit line list map mark message method mode model name node number object offset
    option order origin owner page parent part path pattern place point pool position prefix query queue range reader
    record region request response result role root row rule scale scope section server session shape size slot source
    stack stage start state step stream style table target task text time title total tree type unit user value version
    view weight width window word worker writer
""".split()


def line(random: Random) -> bytes:
    """A line that looks like source, with its newline: about 50 bytes."""
    one, two, three, four = random.choices(WORDS, k=4)
    number = random.randrange(10_000)
    form = random.randrange(8)
    if form == 0:
        text = f"def {one}_{two}_{number}({three}, {four}=None):"
    elif form == 1:
        text = f"    if {one}.{two} > {number} and not {three}_{four}:"
    elif form == 2:
        text = f"        return {one}.{two}({three}, {number})"
    elif form == 3:
        text = f"    # the {one} of a {two} decides on the {three}, and its {four} is told"
    elif form == 4:
        text = f'    {one}["{two}_{three}"] = "{four} {number}"'
    else:
        text = f"    {one}_{two} = {three}.{four}({one}[{number}], {two}=self.{three})"
    return text.encode() + b"\n"


def commit(ref: str, number: int, message: bytes, who: bytes = b"A Writer <writer@made-up.test>") -> bytes:
    """The head of a commit for `git fast-import`: the changes follow, then an empty line."""
    return b"commit %s\ncommitter %s %d +0000\n" % (ref.encode(), who, BEGUN + 60 * number) + data(message)


def data(content: bytes | bytearray) -> bytes:
    """Content for `git fast-import`."""
    return b"data %d\n%s\n" % (len(content), content)


def build(folder: Path, stream: Iterable[bytes], *, depth: int, branch: str = "main") -> None:
    """Make a bare repository of what `git fast-import` is told; chains of deltas have at most `depth` links. `branch`
    is its default one."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--template=", "--initial-branch", branch, ".")
    with TemporaryFile() as errors:
        words = command(folder, "fast-import", "--quiet", f"--depth={depth}")
        process = subprocess.Popen(words, env=ENVIRONMENT, stdin=subprocess.PIPE, stderr=errors)
        try:
            assert process.stdin is not None
            for part in stream:
                process.stdin.write(part)
            process.stdin.close()
            process.wait()
        finally:
            process.kill()
        if process.returncode:
            errors.seek(0)
            raise GitError(f"git fast-import in {folder}: {errors.read().decode('utf-8', 'replace').strip()}")


def cut(source: Path, ref: str, folder: Path) -> None:
    """A bare repository of what one ref reaches, in one pack; deltas are kept where their base is in it."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", ".")
    words = ("pack-objects", "--revs", "--delta-base-offset", "-q", str(folder / "objects" / "pack" / "pack"))
    git(source, *words, stdin=f"{ref}\n".encode())
    git(folder, "update-ref", "refs/heads/main", git(source, "rev-parse", ref).decode().strip())
