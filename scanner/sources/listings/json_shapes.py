"""What stores and tools write in JSON for an object, a folder, a container: which of its members says what.

Object storage: Google Cloud Storage (https://cloud.google.com/storage/docs/json_api/v1/objects and /v1/buckets),
`gcloud storage ls --json` and `gcloud storage objects list --format=json`
(https://cloud.google.com/sdk/gcloud/reference/storage/ls), `az storage blob list`, `container list` and `fs file list`
(https://learn.microsoft.com/cli/azure/storage/blob), `aws s3api list-objects`, `list-objects-v2`,
`list-object-versions` and `list-buckets` (https://docs.aws.amazon.com/cli/latest/reference/s3api/), OpenStack Swift
(https://docs.openstack.org/api-ref/object-store/), `mc ls --json`
(https://min.io/docs/minio/linux/reference/minio-mc/mc-ls.html), `azcopy list --output-type=json`
(https://github.com/Azure/azure-storage-azcopy/wiki/azcopy_list). Any storage: `rclone lsjson`
(https://rclone.org/commands/rclone_lsjson/). Web servers: nginx's `autoindex_format json`
(https://nginx.org/en/docs/http/ngx_http_autoindex_module.html), Caddy's `file_server browse`
(https://caddyserver.com/docs/caddyfile/directives/file_server).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["object", "folder", "container", "nothing", "error", "more"]
"""What an item is: `nothing` names nothing that can be read (a delete marker, a folder whose content is listed too, a
sum); `error` says that something could not be listed, `more` that the listing goes on elsewhere."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Items of one form: they have all members of `has`, and stand in one of `lists`, if any are given.

    Of several members for a value the first counts that an item has. The members of the one called `within` are taken
    as the item's own. `roles` has members that say the role, by their values; `role` is that of the others.
    """

    name: str
    has: frozenset[str]
    key: Sequence[str] = ()
    size: Sequence[str] = ()
    day: Sequence[str] = ()
    etag: Sequence[str] = ()
    version: Sequence[str] = ()
    container: Sequence[str] = ()
    role: Role = "object"
    roles: Mapping[str, Mapping[object, Role]] = field(default_factory=dict)
    lists: frozenset[bytes] = frozenset()
    within: str = ""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GCS = {
    "key": ("name",),
    "size": ("size",),
    "day": ("updated", "update_time", "timeCreated", "creation_time"),
    "etag": ("etag",),
    "version": ("generation",),
    "container": ("bucket",),
    "roles": {"kind": {"storage#bucket": "container", "storage#objects": "nothing", "storage#buckets": "nothing"}},
}
_S3 = {"key": ("Key",), "size": ("Size",), "day": ("LastModified",), "etag": ("ETag",), "version": ("VersionId",)}
_SWIFT = {
    "key": ("name",),
    "size": ("bytes",),
    "day": ("last_modified",),
    "etag": ("hash",),
    "version": ("version_id",),
}

SHAPES = (
    Shape("azcopy-line", _names("TimeStamp MessageType MessageContent"), role="nothing"),
    Shape(
        "azcopy",
        _names("Path ContentLength"),
        ("Path",),
        ("ContentLength",),
        ("LastModifiedTime",),
        version=("VersionId",),
    ),
    Shape("az-more", _names("nextMarker"), role="more"),
    Shape("s3-marker", frozenset(), role="nothing", lists=frozenset((b"DeleteMarkers",))),
    Shape("s3-folder", _names("Prefix"), ("Prefix",), role="folder", lists=frozenset((b"CommonPrefixes",))),
    Shape("s3-bucket", _names("Name CreationDate"), ("Name",), day=("CreationDate",), role="container"),
    Shape("s3", _names("Key"), **_S3, lists=frozenset((b"Contents", b"Versions"))),  # type: ignore[arg-type]
    Shape("s3", _names("Key LastModified"), **_S3),  # type: ignore[arg-type]
    Shape("s3", _names("Key Size"), **_S3),  # type: ignore[arg-type]
    Shape(
        "rclone",
        _names("Path Name Size"),
        ("Path",),
        ("Size",),
        ("ModTime",),
        version=("ID",),
        roles={"IsDir": {True: "nothing"}},
    ),
    Shape("mc-error", _names("status error"), role="error"),
    Shape(
        "mc",
        _names("key type lastModified"),
        ("key",),
        ("size",),
        ("lastModified",),
        ("etag",),
        ("versionId",),
        roles={"type": {"folder": "folder"}, "isDeleteMarker": {True: "nothing"}},
    ),
    Shape(
        "gcloud",
        _names("url type"),
        ("name", "Key", "url"),
        ("size", "Size"),
        ("updated", "timeCreated", "LastModified"),
        ("etag", "ETag"),
        ("generation", "VersionId"),
        ("bucket",),
        roles={"type": {"prefix": "folder", "cloud_bucket": "container"}},
        within="metadata",
    ),
    Shape(
        "az",
        _names("name container properties"),
        ("name",),
        ("contentLength",),
        ("lastModified",),
        ("etag",),
        ("versionId", "snapshot"),
        ("container",),
        within="properties",
    ),
    Shape(
        "az-container",
        _names("name properties metadata"),
        ("name",),
        day=("lastModified",),
        role="container",
        within="properties",
    ),
    Shape(
        "az-file",
        _names("name contentLength lastModified"),
        ("name",),
        ("contentLength",),
        ("lastModified",),
        ("etag",),
        roles={"isDirectory": {True: "nothing"}},
    ),
    Shape("gcs", _names("name bucket"), **_GCS),  # type: ignore[arg-type]
    Shape("gcs", _names("kind name"), **_GCS),  # type: ignore[arg-type]
    Shape("gcs", _names("name generation"), **_GCS),  # type: ignore[arg-type]
    Shape("gcloud-bucket", _names("name storage_url"), ("name",), day=("creation_time",), role="container"),
    Shape("swift-folder", _names("subdir"), ("subdir",), role="folder"),
    Shape("swift-container", _names("name count bytes"), ("name",), day=("last_modified",), role="container"),
    Shape("swift", _names("name bytes hash"), **_SWIFT),  # type: ignore[arg-type]
    Shape(
        "nginx",
        _names("name type mtime"),
        ("name",),
        ("size",),
        ("mtime",),
        roles={"type": {"directory": "folder"}},
    ),
    Shape(
        "caddy",
        _names("name size mod_time is_dir"),
        ("name",),
        ("size",),
        ("mod_time",),
        roles={"is_dir": {True: "folder"}},
    ),
    Shape("gcs", _names("name"), **_GCS, lists=frozenset((b"items",))),  # type: ignore[arg-type]
)
"""Particular ones first."""

_GCS_NAMES = _names(
    "kind id selfLink mediaLink name bucket generation metageneration contentType storageClass size md5Hash crc32c "
    "etag timeCreated updated timeStorageClassUpdated metadata cacheControl contentDisposition contentEncoding owner "
    "acl"
)


def shape_of(names: Sequence[str], held_in: bytes) -> Shape | None:
    """The shape of an item with these members, which stands in the list of that name."""
    there = frozenset(names)
    for shape in SHAPES:
        if shape.has <= there and (not shape.lists or held_in in shape.lists):
            if shape.lists == {b"items"} and not there <= _GCS_NAMES:
                continue  # many other services call their lists so
            return shape
    return None


PAIRS = _names("metadata Metadata custom_fields custom_contexts contexts labels tags Tags TagSet userMetadata userTags")
"""Members whose own members are named by users."""

LINKS = _names("mediaLink selfLink url storage_url")
"""Members that hold a link to the object itself."""

HARMLESS = _names(
    # hashes, versions, ids
    "etag ETag eTag md5Hash md5_hash crc32c crc32c_hash contentMd5 ContentMD5 hash slo_etag Hashes ID OrigID id "
    "generation metageneration VersionId versionId version_id snapshot IsLatest isLatest versionOrdinal "
    "encryptionKeySha256 customerEncryption kmsKeyName kms_key encryptionScope ChecksumAlgorithm ChecksumType "
    # kinds and classes
    "kind type MimeType contentType content_type ContentType contentEncoding content_encoding ContentEncoding "
    "contentLanguage content_language cacheControl cache_control storageClass storage_class StorageClass Tier "
    "storage_class_update_time blobType BlobType blobTier BlobAccessTier tier status location locationType "
    "location_type default_storage_class rpo scheme Name "
    # times
    "timeCreated updated timeStorageClassUpdated timeDeleted timeFinalized softDeleteTime hardDeleteTime updateTime "
    "retentionExpirationTime creation_time update_time creationTime lastModified LastModified lastAccessedOn "
    "blobTierChangeTime deletedTime expiresOn x-timestamp "
    # owners, leases, permissions
    "owner Owner acl acls default_acl projectNumber project_number group permissions lease LeaseState LeaseStatus "
    "LeaseDuration leaseState leaseStatus leaseDuration ArchiveStatus RestoreStatus immutabilityPolicy "
    "iamConfiguration publicAccess public_access_prevention retentionPolicy softDeletePolicy soft_delete_policy "
    "BucketRegion"
)
"""Members whose values hold no credential: stores make them, or they are one of few words."""
