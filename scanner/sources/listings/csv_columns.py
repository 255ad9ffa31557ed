"""What the columns of inventories are: of those of S3, Azure and GCS, and of any table with a header in plain words.

S3 Inventory's CSV has no header: its columns are told by `fileSchema` in the manifest.json beside it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html). Without that: the first two
are bucket and key, those of versions follow where they were asked for, and size, date and ETag are known by their
looks (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html). Azure
(https://learn.microsoft.com/azure/storage/blobs/blob-inventory) and GCS
(https://cloud.google.com/storage/docs/insights/storage-insights) write a header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Roles = tuple[bytes, ...]
"""What each column says: `key`, `path` (the container, `/`, the key), `bucket` (what is listed is a container),
`container`, `size`, `day`, `etag`, `version`, `marker` (true where there is nothing to read), `access`; `=name` for a
text that could hold a credential; empty for one that says nothing of these."""

_WORDS = {
    b"key": "key objectkey objectname blobname fullpath filepath path name filename file object blob",
    b"size": "size contentlength length bytes filesize sizebytes sizeinbytes objectsize",
    b"day": "lastmodified lastmodifieddate lastmodifiedtime updated modified modifiedtime modtime mtime timecreated "
    "creationtime createdtime created date time timestamp",
    b"container": "bucket bucketname container containername",
    b"etag": "etag",
    b"version": "versionid generation snapshot version",
    b"marker": "isdeletemarker hdiisfolder isdir isdirectory isfolder",
    b"access": "publicaccess",
}
"""What columns are called, without what separates the words of their names; of several the first in this order."""
_ROLES = {word: (role, place) for role, words in _WORDS.items() for place, word in enumerate(words.split())}
_HARMLESS = frozenset(
    "islatest storageclass ismultipartuploaded replicationstatus encryptionstatus objectlockretainuntildate "
    "objectlockmode objectlocklegalholdstatus intelligenttieringaccesstier bucketkeystatus checksumalgorithm "
    "objectaccesscontrollist objectowner lifecycleexpirationdate contentmd5 contentcrc64 blobtype accesstier "
    "accesstierchangetime accesstierinferred expirytime owner group permissions acl iscurrentversion lastaccesstime "
    "contenttype contentencoding contentlanguage cachecontrol leasestatus leasestate leaseduration serverencrypted "
    "deleted deletionid deletedtime remainingretentiondays immutabilitypolicyuntildate immutabilitypolicymode "
    "legalhold copyid copystatus copyprogress copycompletiontime customerprovidedkeysha256 rehydratepriority "
    "archivestatus xmsblobsequencenumber encryptionscope incrementalcopy tagcount hasimmutabilitypolicy haslegalhold "
    "defaultencryptionscope denyencryptionscopeoverride immutablestoragewithversioningenabled project location md5hash "
    "crc32c metageneration timedeleted timestorageclassupdated retentionexpirationtime eventbasedhold temporaryhold "
    "softdeletetime harddeletetime md5 sha1 sha256 checksum hash mimetype".split()
)
_NOT_WORD = re.compile(r"[^a-z0-9]")


def word_of(name: str) -> str:
    """A column's name without what separates its words: `Content-Length` and `content_length` are `contentlength`."""
    return _NOT_WORD.sub("", name.lower())


def roles_of(names: Sequence[str]) -> Roles:
    """What the columns of a table with these names say; each is said by one column, except for `marker` and texts."""
    words = [word_of(name) for name in names]
    best: dict[bytes, tuple[int, int]] = {}
    for n, word in enumerate(words):
        if word in _ROLES:
            role, place = _ROLES[word]
            best[role] = min(best.get(role, (place, n)), (place, n))
    roles: list[bytes] = []
    for n, (word, name) in enumerate(zip(words, names, strict=True)):
        role, place = _ROLES.get(word, (b"=" + name.strip().encode("utf-8", "surrogateescape"), 0))
        said = word not in _HARMLESS if role.startswith(b"=") else role == b"marker" or best[role] == (place, n)
        roles.append(role if said else b"")
    if is_azure(names) and b"key" in roles:
        roles[roles.index(b"key")] = b"path" if {"publicaccess", "haslegalhold"}.isdisjoint(words) else b"bucket"
    return tuple(roles)


_AZURE = frozenset("contentlength blobtype accesstier creationtime contentmd5 publicaccess haslegalhold".split())
_GCS = frozenset(
    "size updated timecreated md5hash crc32c generation metageneration storageclass etag contenttype location "
    "project timedeleted".split()
)


def is_azure(names: Sequence[str]) -> bool:
    """Whether these are columns of an Azure inventory, in which the name begins with the container's."""
    words = {word_of(name) for name in names}
    return "Name" in names and "container" not in words and len(words & _AZURE) > 0


def is_gcs(names: Sequence[str]) -> bool:
    """Whether these are columns of an inventory of GCS."""
    words = {word_of(name) for name in names}
    return words >= {"bucket", "name"} and len(words & _GCS) > 0


def is_table(names: Sequence[str]) -> bool:
    """Whether these are columns of objects or files: with a name, and a size or a date."""
    roles = roles_of(names)
    return not {b"key", b"path", b"bucket"}.isdisjoint(roles) and (b"size" in roles or b"day" in roles)


# --- S3 --------------------------------------------------------------------------------------------------------------

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LOOKS = (
    (b"size", re.compile(r"\d{1,19}")),
    (b"day", re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?")),
    (b"etag", re.compile(r'"?[0-9a-f]{32}(?:-\d+)?"?')),
)
_BOOLEAN = re.compile(r"true|false|", re.IGNORECASE)


def is_s3(sample: Sequence[Sequence[str]]) -> bool:
    """Whether these rows are from an inventory of S3: of one bucket, with as many columns each."""
    first = sample[0] if sample else []
    if len(first) < 2 or not _BUCKET.fullmatch(first[0]):
        return False
    if any(len(row) != len(first) or row[0] != first[0] or not row[1] for row in sample):
        return False
    return len(first) == 2 or not {b"size", b"day", b"etag", b"version"}.isdisjoint(s3_roles(sample))


def s3_roles(sample: Sequence[Sequence[str]]) -> Roles:
    """What the columns of such rows say, by their looks."""
    roles = [b"container", b"key", *[b""] * (len(sample[0]) - 2)]
    columns = list(zip(*sample, strict=True))
    first = 2
    if len(columns) > 4 and all(_BOOLEAN.fullmatch(v) for column in columns[3:5] for v in column) and any(columns[3]):
        roles[2], roles[4], first = b"version", b"marker", 5
    for role, looks in _LOOKS:
        for n in range(first, len(columns)):
            told = [v for v in columns[n] if v]
            if not roles[n] and told and all(looks.fullmatch(v) for v in told):
                roles[n] = role
                break
    return tuple(roles)


def s3_schema(schema: str) -> Roles:
    """What the columns say by a manifest's `fileSchema`, such as `Bucket, Key, Size`."""
    return tuple(b"" if role.startswith(b"=") else role for role in roles_of(schema.split(",")))
