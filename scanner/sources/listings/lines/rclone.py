"""What rclone prints: `rclone ls` (size and path) and `rclone lsl` (size, time and path); with `--human-readable` too.

Sources: https://rclone.org/commands/rclone_ls/, https://rclone.org/commands/rclone_lsl/, https://rclone.org/overview/:
control characters in names are shown as the symbols of Unicode for them (U+2400 and on), as rclone itself takes them.
"""

from __future__ import annotations

from . import LineKind, form

_SIZE = rb"(?=[- \d.KMGTPE]{8}[\di]) *(?P<size>-1|\d{1,20}|\d{1,4}(?:\.\d{1,3})?[KMGTPE]i)"

RCLONE_LSL = LineKind(
    "rclone-lsl",
    "output of rclone lsl",
    (form("object", _SIZE + rb" (?P<day>\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\.\d{9} (?P<key>.+)"),),
)

RCLONE_LS = LineKind("rclone-ls", "output of rclone ls", (form("object", _SIZE + rb" (?P<key>.+)"),))
