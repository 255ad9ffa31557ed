"""The command line. Only here is the environment read, the clock asked, something printed, and the process ended."""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Run the command line; every way out of the process goes through here."""
    if sys.argv[1:2] == ["push"] and len(sys.argv) == 4:  # as git calls it, whatever a remote is called
        try:
            import gc

            sys.setswitchinterval(0.0005)  # while modules are imported, a thread reads what git says
            gc.set_threshold(100_000)  # what is imported stays; to look through it again and again takes 10 ms
            from .hooked import answer

            code = answer("pre-push", *sys.argv[2:])
        except KeyboardInterrupt:
            code = 1  # before a search could begin, or while it was ended
        os._exit(code)  # at once: to take apart what is in memory takes as long as to search a small push
    code = run(sys.argv[1:])
    if "obstore" in sys.modules:
        # Its threads cannot be ended. One that wants to give back an object while Python ends aborts the process
        # (https://github.com/python/cpython/issues/87135).
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # nobody reads on
                stream.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code. No exception leaves: what failed is said in a message."""
    import traceback

    import click

    from ..errors import OakumError
    from .commands import cli

    try:
        outcome = cli.main(arguments, prog_name="oakum", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as e:
        e.show()
        return 2
    except OakumError as e:
        click.echo(f"oakum: {e}", err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("oakum: stopped", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: that is no error
        return 0
    except Exception as e:
        if os.environ.get("OAKUM_DEBUG"):
            raise
        frame = traceback.extract_tb(e.__traceback__)[-1]
        place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        click.echo(
            f"oakum: an error in oakum itself: {type(e).__name__} at {place}. Please report it; OAKUM_DEBUG=1 shows "
            "the traceback, which can hold secrets.",
            err=True,
        )
        return 2
    return outcome if isinstance(outcome, int) else 0
