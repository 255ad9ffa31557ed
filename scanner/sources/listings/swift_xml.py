"""The XML of OpenStack Swift: the objects of a container, the containers of an account.

Source: https://docs.openstack.org/api-ref/object-store/#show-container-details-and-list-objects.
"""

from __future__ import annotations

import re

from .xml import XmlKind
from .xml_dialect import PREFIX, Dialect

SWIFT_XML = XmlKind(
    Dialect(
        name="swift-xml",
        title="container or account of OpenStack Swift in XML",
        sign=b"",
        roots={
            b"container": {b"object": "object", b"subdir": "folder"},
            b"account": {b"container": "container"},
        },
        fields={b"name": "key", b"bytes": "size", b"last_modified": "day", b"hash": "etag"},
        harmless=frozenset(b"count content_type".split()),
        named_by=re.compile(
            rb"""<%scontainer\s(?:[^<>"']|"[^"<]*+"|'[^'<]*+')*?(?<=\s)name\s*+=\s*+"""
            rb"""(?:"([^"<]{1,1024})"|'([^'<]{1,1024})')""" % PREFIX
        ),
        goes_on=re.compile(rb"(?!)"),
    )
)
