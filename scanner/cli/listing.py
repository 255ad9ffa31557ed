"""`oakum listing`: what lies in a store, from its listing alone, and what of it is worth worrying about."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ..config import load
from ..errors import UsageError
from ..model import BANDS
from ..pipeline.listing import is_store
from ..pipeline.listing import listing as run_listing
from ..pipeline.options import ListingOptions, ScanOptions
from ..pipeline.workers import ENGINES
from ..report import listing_json, listing_text
from ..sources.listings.kinds import KINDS
from ..sources.stores import Access, Limits
from .folders import cache_folder, config_folder
from .machine import cores
from .progress import Bars
from .reporting import Size, exit_code, opened, report_options, say, write

if TYPE_CHECKING:
    from ..pipeline.fetch import FetchBudget

MOST_TARGETS = 4 << 20
"""Bytes of a file of targets."""


@click.command()
@click.argument("targets", nargs=-1, metavar="TARGET...")
@click.option("--targets-from", default="", metavar="FILE", help="Read more TARGETs from FILE, one a line (-: stdin).")
@click.option("--format", "format_", type=click.Choice(["json", "text"]), default="text", help="Report format.")
@click.option("--output", "-o", metavar="FILE", help="Write the report to FILE instead of standard output.")
@click.option("--min-band", type=click.Choice(BANDS[::-1]), help="Report from this band upwards.  [default: low]")
@click.option(
    "--top", type=click.IntRange(0), default=20, help="Objects of the plan that are shown.", show_default=True
)
@click.option(
    "--kind", type=click.Choice(sorted(KINDS)), default=None, help="What kind of listing it is.  [default: by content]"
)
@click.option("--anonymous", is_flag=True, help="Send no credentials, even if there are some.")
@click.option("--ask-anonymous", is_flag=True, help="Ask once without credentials whether anybody can list it.")
@click.option("--profile", default="", metavar="NAME", help="Credentials of this profile of the AWS tools.")
@click.option("--endpoint", default="", metavar="URL", help="Where the store is, if not at its provider.")
@click.option("--region", default="", metavar="NAME", help="Region of the store.")
@click.option("--ca-file", default="", metavar="FILE", help="Certificates to trust besides the usual ones.")
@click.option("--allow-http", is_flag=True, help="Ask other machines without TLS.")
@click.option("--versions", is_flag=True, help="List older versions and snapshots, too.")
@click.option("--max-pages", type=click.IntRange(1), default=100_000, help="Pages asked for.", show_default=True)
@click.option("--fetch", is_flag=True, help="Read objects in the order of the plan, and search them.")
@click.option("--fetch-bytes", type=Size(), default="1G", metavar="SIZE", help="Read at most so much.  [default: 1G]")
@click.option("--fetch-objects", type=click.IntRange(1), default=1000, help="Read at most so many.", show_default=True)
@click.option(
    "--fetch-time", type=click.FloatRange(0), default=600, help="Seconds that it may take.", show_default=True
)
@click.option("--resume", default="", metavar="FILE", help="Keep in FILE what was read, and go on from there.")
@click.option("--no-config", is_flag=True, help="Do not use your own configuration.")
@click.option("--detectors", "detector_files", multiple=True, metavar="FILE", help="Add detectors from a TOML file.")
@click.option("--show-secrets", is_flag=True, help="Show secrets unmasked. Mind who reads the output.")
@click.option("--engine", type=click.Choice(ENGINES), default="auto", help="Matcher.", show_default=True)
@click.option("--no-cache", is_flag=True, help="Keep nothing in the user's cache folder, and read nothing from it.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes to read with.  [default: one a core]")
@click.option("--stats", is_flag=True, help="Add times and counts of each stage to the summary.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colors in text.")
@click.option("--no-progress", is_flag=True, help="No progress bars.")
def listing(targets: tuple[str, ...], **flags: Any) -> int:
    """Read listings of stored objects: what lies there, which names tell of credentials, what to look at first.

    TARGET is a file that holds a listing (what a store answered, an inventory, the output of a tool such as aws s3 ls),
    a folder of such files, or - for standard input. Or it is a store, which is asked for its listing over HTTPS and
    nothing else: s3://BUCKET[/PREFIX], gs://BUCKET, az://ACCOUNT[/CONTAINER], a URL with an Azure SAS, or the https://
    URL of a public container or directory index. Arguments can be read by other users of a machine: a URL that is
    secret is better given by --targets-from.
    """
    targets += tuple(_listed_in(flags["targets_from"])) if flags["targets_from"] else ()
    if not targets:
        raise UsageError("nothing to read: name a listing (a file, a folder of them, - for standard input) or a store")
    if targets.count("-") > 1:
        raise UsageError("standard input can be read once only")
    if flags["fetch"] and not any(map(is_store, targets)):
        raise UsageError("--fetch reads objects: name the store that has them, not a listing of it")
    if flags["resume"] and not flags["fetch"]:
        raise UsageError("--resume FILE is for --fetch")
    with opened(flags["output"], private=flags["show_secrets"]) as output:
        with Bars(shown=bool(sys.stderr and sys.stderr.isatty() and not flags["no_progress"])) as bars:
            result = run_listing(targets, _options(flags, bars), sys.stdin.buffer)
        options = report_options(flags, output)
        parts = (
            listing_json.render(result, options)
            if flags["format_"] == "json"
            else listing_text.render(result, options, top=flags["top"])
        )
        write(parts, output)
    for note in result.scan.coverage.notes:
        click.echo(f"oakum: {note}", err=True)
    if flags["format_"] != "text" or flags["output"]:
        say(result.scan)
    return exit_code(result.scan, more=any(result.named.values()))


def _options(flags: dict[str, Any], bars: Bars) -> ListingOptions:
    own = load("" if flags["no_config"] else config_folder())
    scan = ScanOptions(
        environment=dict(os.environ),
        now=datetime.now(UTC),
        jobs=flags["jobs"] or cores(),
        markers=False,
        detectors=own.detectors + flags["detector_files"],
        engine=flags["engine"],
        cache="" if flags["no_cache"] else cache_folder(),
        min_band=flags["min_band"] or own.min_band,
        max_size=own.max_size,
        suppressions=own.allow,
        progress=bars,
    )
    access = Access(
        environment=dict(os.environ),
        now=scan.now,
        anonymous=flags["anonymous"],
        profile=flags["profile"],
        endpoint=flags["endpoint"],
        region=flags["region"],
        certificates=flags["ca_file"],
        plain_http=flags["allow_http"],
        versions=flags["versions"],
        objects=flags["fetch"],
        limits=Limits(pages=flags["max_pages"]),
    )
    return ListingOptions(
        scan,
        access,
        kind=flags["kind"] or "",
        ask_anonymous=flags["ask_anonymous"],
        fetch=_budget(flags) if flags["fetch"] else None,
        resume=flags["resume"],
    )


def _budget(flags: dict[str, Any]) -> FetchBudget:
    from ..pipeline.fetch import FetchBudget  # what opens connections takes its time to import

    return FetchBudget(flags["fetch_bytes"], flags["fetch_objects"], flags["fetch_time"])


def _listed_in(path: str) -> Iterator[str]:
    """The targets in a file, one a line; `-` is standard input."""
    try:
        with click.open_file(path, "rb") as file:
            text = file.read(MOST_TARGETS + 1)
    except OSError as e:
        raise UsageError(f"--targets-from {path}: cannot be read: {e.strerror}") from e
    if len(text) > MOST_TARGETS:
        raise UsageError(f"--targets-from {path}: more than {MOST_TARGETS >> 20} MiB; is it a listing itself?")
    return (line for line in map(str.strip, os.fsdecode(text).splitlines()) if line and not line.startswith("#"))
