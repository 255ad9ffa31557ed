"""What stands in an archive: `tar -tvf` (GNU and BSD), `unzip -l` and `-v`, `zipinfo`.

Sources: https://www.gnu.org/software/tar/manual/html_section/verbose.html, unzip(1), zipinfo(1). GNU tar escapes what
it cannot print (`\\n`, `\\377`), as C does; unzip shows control characters as `^J`, which is left so.
"""

from __future__ import annotations

from . import LineKind, form
from .names import unescaped

_GNU = (
    rb"[rwxsStT-]{9}[.+@]? [^\n/]{1,64}/[^\n]{1,64}? +(?P<size>\d{1,20}) (?P<day>\d{4}-\d\d-\d\d) [\d:.]{5,18} (?:\./)?"
)
_BSD = (
    rb"[rwxsStT-]{9}[.+@]? +0 +[^\n]{1,64}? +(?P<size>\d{1,20}) "
    rb"(?P<day>[A-Z][a-z]{2} [ \d]\d {1,2}(?:\d\d:\d\d|\d{4})) (?:\./)?"
)


def _untold(pattern: bytes) -> bytes:
    """The size of a link is none of an object."""
    return pattern.replace(b"?P<size>", b"?:")


TAR_TVF = LineKind(
    "tar-tvf",
    "contents of a tar archive, by tar -tvf",
    (
        form("object", rb"-" + _GNU + rb"(?P<key>.+)"),
        form("object", rb"l" + _untold(_GNU) + rb"(?P<key>.+?) -> .*"),
        form("object", rb"h" + _untold(_GNU) + rb"(?P<key>.+?) link to .*"),
        form("object", rb"-" + _BSD + rb"(?P<key>.+?)(?: link to .*)?"),
        form("object", rb"l" + _untold(_BSD) + rb"(?P<key>.+?) -> .*"),
        form("nothing", rb"[dpcbsDVMNCS][rwxsStT-]{9}[.+@]? .*"),
    ),
    unescape=unescaped,
)

_DAY = rb"(?P<day>\d{2,4}-(?:\d\d|[A-Z][a-z]{2})-\d{2,4})"

UNZIP_L = LineKind(
    "unzip-l",
    "contents of a zip archive, by unzip -l or zipinfo",
    (
        form("nothing", rb" *\d+ +" + _DAY.replace(b"?P<day>", b"?:") + rb" \d\d:\d\d   (?:.*/)?"),
        form("object", rb" *(?P<size>\d{1,20}) +" + _DAY + rb" \d\d:\d\d   (?P<key>.+)"),
        form(
            "object",
            rb" *(?P<size>\d{1,20}) +[A-Z][A-Za-z0-9:# ]{1,9}? +\d+ +-?\d+% +" + _DAY + rb" \d\d:\d\d [0-9a-f]{8}  "
            rb"(?P<key>.*[^/\n])",
        ),
        form(
            "object",
            rb"[-?l][rwxsStT-]{9} +[\d.]{3,5} \w{3} +(?P<size>\d{1,20}) \S\S +(?:\d+ )?\w{4} " + _DAY + rb" \d\d:\d\d "
            rb"(?P<key>.*[^/\n])",
        ),
        form("nothing", rb" *\d+ .*\d\d:\d\d [0-9a-f]{8}  .*/|d[rwxsStT-]{9} .*/"),
        form(
            "nothing",
            rb"Archive: .*| +Length .*|[- ]{20,}| *\d+ .{0,60}\d+ files?(?:, .{1,80})?|Zip file size: .*"
            rb"|\d+ files?, \d+ bytes .*",
        ),
    ),
)
