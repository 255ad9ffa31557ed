"""What the commands that search share: sizes as options, where the report goes, how it looks, and the exit code."""

from __future__ import annotations

import io
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import click

from .. import __version__
from ..config.settings import SIZE
from ..errors import UsageError
from ..model import ScanResult, clean
from ..report import ReportOptions
from .machine import page_width


class Size(click.ParamType[int]):
    """A number of bytes, with k, M or G behind it for powers of 1024."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes of a text such as 64M."""
        size: int | None = SIZE.read(value)
        if size is None:
            self.fail(f"{value!r} is no size: a number, with k, M or G behind it", param, ctx)
        return size


def exit_code(result: ScanResult, *, more: bool = False) -> int:
    """130 when interrupted, 1 with findings (or `more` that counts), 2 when something was not searched, else 0."""
    return 130 if result.interrupted else 1 if result.findings or more else 0 if result.complete else 2


def report_options(flags: dict[str, Any], output: IO[str], heading: Iterable[str] = ()) -> ReportOptions:
    """How the report looks, by the flags and by where it goes."""
    color = flags["color"] == "always" or (
        flags["color"] == "auto" and output.isatty() and not os.environ.get("NO_COLOR")
    )
    return ReportOptions(
        color=color,
        show_secrets=flags["show_secrets"],
        stats=flags["stats"],
        heading=tuple(heading),
        version=__version__,
        width=page_width(),
    )


def write(parts: Iterable[str], output: IO[str]) -> None:
    """Write a report, as far as somebody reads it."""
    try:
        for part in parts:
            output.write(part)
        output.flush()
    except BrokenPipeError:  # nobody reads on: what was found still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def opened(path: str | None, *, private: bool) -> Iterator[IO[str]]:
    """Where the report goes: standard output, or a file that is opened before the scan, so that a mistake shows at
    once. With secrets in it, only its owner may read it."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="replace")
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
        if private and hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    except OSError as e:
        raise UsageError(f"--output {path}: cannot be written: {e.strerror}") from e
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            yield file
    except OSError as e:
        raise UsageError(f"--output {path}: cannot be written: {e.strerror}") from e


@contextmanager
def replaced(path: str | None, option: str) -> Iterator[IO[str]]:
    """Where a page goes: standard output, or a file that takes its place whole when the block ends well; what was there
    stays until then. It is opened at once, so that a mistake shows, under a name that nobody can know before."""
    if path is None or (os.path.exists(path) and not os.path.isfile(path)):
        with opened(path, private=False) as output:
            yield output
        return
    temporary = f"{os.path.abspath(path)}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
    except OSError as e:
        raise UsageError(f"{option} {clean(path)}: cannot be written: {e.strerror}") from e
    page = io.StringIO()
    try:
        yield page
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
                descriptor = -1
                file.write(page.getvalue())
            os.replace(temporary, path)
        except OSError as e:
            raise UsageError(f"{option} {clean(path)}: cannot be written: {e.strerror}") from e
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        with suppress(OSError):
            os.unlink(temporary)


def say(result: ScanResult) -> None:
    """One line on standard error, where the report itself goes elsewhere or to a program."""
    lost = sum(n.count for n in result.not_scanned if not n.policy)
    incomplete = f"; {lost:,} not scanned: the scan is incomplete" if lost else ""
    stopped = "; stopped before its end" if result.interrupted else ""
    count = len(result.findings)
    live = sum(one.finding.verdict.state == "live" for one in result.findings)
    incomplete = (f", {live:,} live" if live else "") + incomplete
    click.echo(f"oakum: {count:,} finding{'' if count == 1 else 's'}{incomplete}{stopped}", err=True)
