"""What the commands that verify share: their options, and the word before anything is sent."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..model import clean

if TYPE_CHECKING:
    from ..verify import Plan, VerifyOptions

Command = TypeVar("Command", bound=Callable[..., Any])
SHOWN = 8
"""Hosts that are named one by one, of those that are not asked."""

_OPTIONS = (
    click.option(
        "--verify-only",
        default="",
        metavar="NAME,...",
        help="Ask about these providers or detectors only (aws,github).",
    ),
    click.option(
        "--verify-host",
        "verify_hosts",
        multiple=True,
        metavar="[PROVIDER=]HOST[:PORT]",
        help="Ask this host, too, where it came out of the data; or in place of the provider's own.",
    ),
    click.option(
        "--verify-seconds",
        type=click.FloatRange(1),
        default=600,
        metavar="N",
        help="Time for all of it.",
        show_default=True,
    ),
    click.option("--ca-file", default="", metavar="FILE", help="Certificates to trust besides the usual ones."),
)


def verify_options(command: Command) -> Command:
    """The options of a command that asks providers."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_of(
    flags: Mapping[str, Any], *, environment: Mapping[str, str], now: datetime, cache: str, fresh: bool = False
) -> VerifyOptions:
    """How to ask, by the flags. UsageError for a host or a file of certificates that is none."""
    from ..net import Outbound
    from ..verify import Named, VerifyOptions

    if flags["ca_file"]:
        from ..net.http import trust

        trust(flags["ca_file"])
    return VerifyOptions(
        now=now,
        outbound=Outbound(environment, flags["ca_file"]),
        named=Named.read(flags["verify_hosts"]),
        only=frozenset(filter(None, (name.strip() for name in flags["verify_only"].split(",")))),
        seconds=flags["verify_seconds"],
        announce=announce,
        cache=cache,
        fresh=fresh,
    )


def announce(plan: Plan) -> None:
    """Say to which hosts secrets will go, to all of them, before the first one does. OSError where nobody hears it."""
    if plan.questions and sys.stderr is None:
        raise OSError(errno.EBADF, "standard error is closed")
    try:
        _announce(plan)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # the exit code stays that of the report
        raise


def _announce(plan: Plan) -> None:
    hosts = plan.hosts()
    if hosts:
        listed = ", ".join(f"{clean(host)} ({count:,})" for host, count in hosts)
        secrets = f"{len(plan.questions):,} secret{'' if len(plan.questions) == 1 else 's'}"
        click.echo(f"oakum: verifying {secrets} with the hosts {listed}", err=True)
    if plan.unnamed:
        named = ", ".join(map(clean, plan.unnamed[:SHOWN]))
        more = f" and {len(plan.unnamed) - SHOWN:,} more" if len(plan.unnamed) > SHOWN else ""
        click.echo(f"oakum: not asked, as they come out of the data: {named}{more} (--verify-host HOST)", err=True)
