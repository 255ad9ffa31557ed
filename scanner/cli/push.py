"""`oakum push`: the pre-push hook."""

from __future__ import annotations

import click

from .hooked import answer


@click.command()
@click.argument("remote", default="")
@click.argument("url", default="")
def push(remote: str, url: str) -> int:
    """Search what a git push adds to REMOTE, before it leaves: git's pre-push hook calls this.

    REMOTE and URL are what git tells the hook, which refs are pushed comes on standard input. Exit code 0 lets the push
    go on, 1 stops it.
    """
    return answer("pre-push", remote, url)
