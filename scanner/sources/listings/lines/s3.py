"""What clients of S3 print: `aws s3 ls`, `s3cmd ls`, `mc ls`.

Sources: https://docs.aws.amazon.com/cli/latest/reference/s3/ls.html, https://s3tools.org/usage,
https://min.io/docs/minio/linux/reference/minio-mc/mc-ls.html. Without `--recursive` aws and mc print the names of
entries only, without the prefix that was asked for.
"""

from __future__ import annotations

from . import LineKind, State, form
from .found import Found

_TIME = rb"\d\d:\d\d:\d\d"
_DAY = rb"(?P<day>\d{4}-\d\d-\d\d)"
_CLASS = (
    rb"(?:STANDARD|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|REDUCED_REDUNDANCY|GLACIER|GLACIER_IR|DEEP_ARCHIVE"
    rb"|EXPRESS_ONEZONE)"
)


class _AwsS3Ls(LineKind):
    """Sizes are bytes, or with `--human-readable` two words (`1.2 KiB`), in all lines or in none."""

    _plain = form("object", _DAY + rb" " + _TIME + rb" {1,20}(?P<size>\d{1,20}) (?P<key>.+)")
    _human = form(
        "object", _DAY + rb" " + _TIME + rb" {1,20}(?P<size>\d{1,4}(?:\.\d)? (?:Bytes?|[KMGTPE]iB)) (?P<key>.+)"
    )
    _others = (
        form("folder", rb" {10,40}PRE (?P<key>.+)"),
        form("container", _DAY + rb" " + _TIME + rb" (?P<key>[a-zA-Z0-9][a-zA-Z0-9._-]{1,254})"),
        form("nothing", rb" *Total (?:Objects|Size): .{1,40}"),
        form("nothing", _DAY + rb" " + _TIME + rb" {1,20}(?:0|0 Bytes) "),  # the folder itself, as a marker
    )

    def take(self, data: bytes, state: State, found: Found) -> None:
        """By the form that takes more lines; a key may begin with `Bytes `, but not all of them."""
        human = len(self._human.pattern.findall(data)) if b" Bytes " in data or b"iB " in data else 0
        objects = self._human if human and human >= len(self._plain.pattern.findall(data)) else self._plain
        self.by_forms(data, (objects, *self._others), found)


AWS_S3_LS = _AwsS3Ls("aws-s3-ls", "output of aws s3 ls")

S3CMD_LS = LineKind(
    "s3cmd-ls",
    "output of s3cmd ls",
    (
        form(
            "object",
            _DAY + rb" \d\d:\d\d {1,20}(?P<size>\d{1,20}[kKMGTP]?)(?: {1,20}[0-9a-f]{32}(?:-\d{1,6})?)?"
            rb"(?: {1,20}" + _CLASS + rb")? {1,20}s3://(?P<container>[^/\n]{1,255})/(?P<key>.+)",
        ),
        form("folder", rb" {1,80}DIR {1,60}s3://(?P<container>[^/\n]{1,255})/(?P<key>.+)"),
        form("container", _DAY + rb" \d\d:\d\d {1,4}s3://(?P<key>[^/\n]{1,255})/?"),
    ),
)

_MC = rb"\[(?P<day>\d{4}-\d\d-\d\d) " + _TIME + rb" [A-Za-z0-9+:-]{1,8}\] {1,20}"

MC_LS = LineKind(
    "mc-ls",
    "output of mc ls (MinIO)",
    (
        form("folder", _MC + rb"0B (?P<key>.+)/"),
        form("object", _MC + rb"(?P<size>[\d.]{1,10} ?[KMGTPE]?i?B?) (?:" + _CLASS + rb" )?(?P<key>.+)"),
        form("nothing", rb"Total (?:Size|Objects): .{1,40}"),
    ),
)
