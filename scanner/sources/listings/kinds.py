"""All kinds of listings, and which of them a stream is."""

from __future__ import annotations

from . import Kind, inventory
from .azure_xml import AZURE_XML
from .html import HTML_INDEX
from .json_listing import JsonKind
from .lines import archives, azure, google, ls, paths, rclone, s3, tree
from .s3_xml import S3_XML
from .swift_xml import SWIFT_XML

_KINDS: tuple[Kind, ...] = (
    S3_XML,
    AZURE_XML,
    SWIFT_XML,
    JsonKind(),
    HTML_INDEX,
    *inventory.KINDS,
    s3.AWS_S3_LS,
    s3.S3CMD_LS,
    s3.MC_LS,
    google.GSUTIL_LS,
    azure.AZCOPY_LIST,
    azure.AZ_TABLE,
    azure.AZ_TSV,
    archives.TAR_TVF,
    archives.UNZIP_L,
    paths.FIND_LS,
    ls.LS_LR,
    tree.TREE,
    rclone.RCLONE_LSL,
    rclone.RCLONE_LS,
    paths.DU_A,
    paths.FIND_PRINT0,
    paths.FIND,
    paths.PLAIN,
)
KINDS = {kind.name: kind for kind in _KINDS}
"""By name; in the order in which they are asked whether they recognise a stream, the more particular ones first."""


def recognise(head: bytes) -> Kind | None:
    """The kind of a listing that begins so; None where it is none that is known."""
    return next((kind for kind in KINDS.values() if kind.recognises(head)), None)
