"""What clients of Azure Storage print: `azcopy list`, `az storage blob list -o table` and `-o tsv`.

Sources: https://learn.microsoft.com/azure/storage/common/storage-ref-azcopy-list,
https://learn.microsoft.com/cli/azure/storage/blob#az-storage-blob-list,
https://learn.microsoft.com/cli/azure/format-output-azure-cli. A table pads its columns with blanks: those at the end
of a name are not to be told from them. The columns of `-o tsv` are those of a query: a name, and at will its size and
its time, in any order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import LineKind, Meant, Role, form
from .found import Found

_PROPERTY = (
    rb"; {1,2}(?:LastModifiedTime|VersionId|BlobType|BlobAccessTier|ContentType|ContentEncoding|ContentMD5|LeaseState"
    rb"|LeaseDuration|LeaseStatus|ArchiveStatus|Content Length):"
)
_AZCOPY = (
    rb"(?:INFO: )?(?P<key>(?:(?!" + _PROPERTY + rb")[^\n])++)(?:; {1,2}(?!LastModifiedTime|Content Length)[^;\n]*+)*+"
    rb"(?:; {1,2}LastModifiedTime: (?P<day>[^;\n]*+))?+(?:; {1,2}(?!Content Length)[^;\n]*+)*+; {1,2}Content Length: "
    rb"(?P<size>[\d.]{1,20} ?[KMGTPE]?i?B?)"
)


class _AzcopyList(LineKind):
    """A folder is an entry that ends with `/`."""

    def _columns(
        self, role: Role, columns: dict[str, Sequence[bytes]], found: Found, folder: bytes, meant: Meant | None
    ) -> None:
        keys = columns["key"]
        found.add_folders([key for key in keys if key.endswith(b"/")])
        kept = [n for n, key in enumerate(keys) if not key.endswith(b"/")]
        super()._columns(
            role, {name: [column[n] for n in kept] for name, column in columns.items()}, found, folder, meant
        )


AZCOPY_LIST = _AzcopyList(
    "azcopy-list",
    "output of azcopy list",
    (
        form("object", _AZCOPY),
        form("nothing", rb"(?:INFO: )?(?:File count|Total file size): .{1,40}"),
        form("nothing", rb"INFO: (?:Autologin|Authenticat|azcopy|Any empty folders|List is using).{0,400}"),
    ),
)

AZ_TABLE = LineKind(
    "az-table",
    "table of az storage blob list",
    (
        form(
            "object",
            rb"(?P<key>\S|\S.{0,2048}\S) {1,4096}(?:Block|Page|Append)Blob +(?:[A-Z][A-Za-z]{1,20} +)?"
            rb"(?P<size>\d{1,20}) {2}[^\n]{0,300}?(?P<day>\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d[^ \n]{0,20} *"
            rb"(?P<version>\d{4}-[\dT:.Z+-]{6,40})? *",
        ),
        form("container", rb"(?P<key>[$a-z0-9][a-z0-9-]{2,62}) {2,}[^\n]{0,80}(?P<day>\d{4}-\d\d-\d\d)T[\d:+]{8,16} *"),
        form("nothing", rb"Name {2,}.{2,400}"),
        form("nothing", rb"-+(?: {2}-+)+"),
    ),
)

_SIZE = rb"(?P<size>\d{1,20})"
_TIME = rb"(?P<day>\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d[^\t\n]{0,20}"
_NAME = rb"(?P<key>[^\t\n]{1,4096})"


class _AzTsv(LineKind):
    """Other tables have a text and a number too: most names must look like those of files."""

    def recognises(self, head: bytes) -> bool:
        """Where most lines have a time, or a name with a folder or an ending."""
        likely = len(_LIKELY.findall(head))
        return super().recognises(head) and 2 * likely >= head.count(b"\n")


_LIKELY = re.compile(rb"^[^\t\n]{0,4096}(?:/|\.\w{1,8}\t)|^[^\n]{0,4096}\d{4}-\d\d-\d\dT", re.MULTILINE)

AZ_TSV = _AzTsv(
    "az-tsv",
    "az storage blob list -o tsv, with a query of name, size, time",
    tuple(
        form("object", rb"\t".join(columns))
        for columns in (
            (_NAME, _SIZE),
            (_NAME, _SIZE, _TIME),
            (_NAME, _TIME, _SIZE),
            (_NAME, _TIME),
            (_TIME, _SIZE, _NAME),
            (_TIME, _NAME, _SIZE),
            (_TIME, _NAME),
            (_SIZE, _TIME, _NAME),
            (_SIZE, _NAME, _TIME),
        )
    ),
)
