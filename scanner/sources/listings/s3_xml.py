"""The XML of Amazon S3 and of those who speak its language: ListObjects (1 and 2), ListObjectVersions, ListBuckets.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, API_ListObjects.html,
API_ListObjectVersions.html, API_ListBuckets.html; https://cloud.google.com/storage/docs/xml-api/get-bucket-list;
https://www.alibabacloud.com/help/oss/developer-reference/listobjectsv2.
"""

from __future__ import annotations

import re

from .xml import XmlKind
from .xml_dialect import ATTRIBUTES, PREFIX, Dialect, Role

_OBJECTS: dict[bytes, Role] = {b"Contents": "object", b"CommonPrefixes": "folder"}
_VERSIONS: dict[bytes, Role] = {b"Version": "object", b"DeleteMarker": "deleted", b"CommonPrefixes": "folder"}

S3_XML = XmlKind(
    Dialect(
        name="s3-xml",
        title="object listing in the XML of S3",
        sign=b"Result",
        roots={
            b"ListBucketResult": _OBJECTS,
            b"ListVersionsResult": _VERSIONS,
            b"ListAllMyBucketsResult": {b"Bucket": "container"},
        },
        fields={
            b"Key": "key",
            b"Name": "key",
            b"Prefix": "key",
            b"Size": "size",
            b"LastModified": "day",
            b"CreationDate": "day",
            b"ETag": "etag",
            b"VersionId": "version",
            b"Generation": "version",
        },
        harmless=frozenset(
            b"StorageClass Type ID DisplayName IsLatest ChecksumAlgorithm ChecksumType MetaGeneration RestoreStatus "
            b"IsRestoreInProgress RestoreExpiryDate Location ExtranetEndpoint IntranetEndpoint Region BucketRegion "
            b"Owner Initiator TransitionTime ResourceGroupId BucketArn Comment".split()
        ),
        pairs=frozenset({b"UserMetadata", b"UserTags", b"TagSet"}),
        named_by=re.compile(rb"<%s(?:Name|BucketName)%s>([^<]{1,2048}+)</" % (PREFIX, ATTRIBUTES)),
        goes_on=re.compile(
            rb"(?:IsTruncated%s>\s*+true\s*+</|(?:NextMarker|NextContinuationToken|NextKeyMarker)%s>\s*+[^<\s])"
            % (ATTRIBUTES, ATTRIBUTES)
        ),
        named_behind=True,
    )
)
