"""The XML of Azure Blob Storage: List Blobs and List Containers.

Sources: https://learn.microsoft.com/rest/api/storageservices/list-blobs, list-containers2.
"""

from __future__ import annotations

import re

from .xml import XmlKind
from .xml_dialect import PREFIX, Dialect

AZURE_XML = XmlKind(
    Dialect(
        name="azure-xml",
        title="List Blobs or List Containers of Azure Storage",
        sign=b"EnumerationResults",
        roots={b"EnumerationResults": {b"Blob": "object", b"BlobPrefix": "folder", b"Container": "container"}},
        fields={
            b"Name": "key",
            b"Content-Length": "size",
            b"Last-Modified": "day",
            b"Etag": "etag",
            b"VersionId": "version",
            b"Snapshot": "version",
            b"PublicAccess": "access",
        },
        harmless=frozenset(
            b"Deleted Version IsCurrentVersion Creation-Time Content-Type Content-Encoding Content-Language "
            b"Content-MD5 Content-CRC64 x-ms-blob-sequence-number BlobType AccessTier AccessTierInferred "
            b"AccessTierChangeTime ArchiveStatus RehydratePriority LeaseStatus LeaseState LeaseDuration "
            b"ServerEncrypted CustomerProvidedKeySha256 EncryptionScope DefaultEncryptionScope "
            b"DenyEncryptionScopeOverride DeletedTime RemainingRetentionDays CopyId CopyStatus CopyProgress "
            b"CopyCompletionTime IncrementalCopy CopyDestinationSnapshot LastAccessTime TagCount Sealed LegalHold "
            b"ImmutabilityPolicyUntilDate ImmutabilityPolicyMode HasImmutabilityPolicy HasLegalHold "
            b"HasVersionLevelImmutability ImmutableStorageWithVersioningEnabled ResourceType Placeholder Owner Group "
            b"Permissions Acl Creation-Time Expiry-Time".split()
        ),
        pairs=frozenset({b"Metadata", b"Tags", b"OrMetadata"}),
        named_by=re.compile(
            rb"""<%sEnumerationResults\s[^<>]*?(?<=\s)ContainerName\s*+=\s*+"""
            rb"""["'](?:[^"'<>]*/)?([^"'<>/]{1,256})["']""" % PREFIX
        ),
        goes_on=re.compile(rb"NextMarker\s*+>\s*+[^<\s]"),
        access={b"container": "list", b"blob": "read"},
    )
)
