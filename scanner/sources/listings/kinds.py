"""All kinds of listings, and which of them a stream is."""

from __future__ import annotations

from . import Kind
from .azure_xml import AZURE_XML
from .s3_xml import S3_XML
from .swift_xml import SWIFT_XML

KINDS: dict[str, Kind] = {kind.name: kind for kind in (S3_XML, AZURE_XML, SWIFT_XML)}
"""By name; in the order in which they are asked whether they recognise a stream, the more particular ones first."""


def recognise(head: bytes) -> Kind | None:
    """The kind of a listing that begins so; None where it is none that is known."""
    return next((kind for kind in KINDS.values() if kind.recognises(head)), None)
