"""Credentials for stores, from the environment that is given and AWS's file, and what the providers' libraries make of
them: signatures, offline.

Nothing here asks an address: neither a machine's metadata nor a token service. The libraries are an extra of oakum.
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html,
https://learn.microsoft.com/rest/api/storageservices/create-account-sas.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ...errors import UsageError
from ...model import clean
from ...net.urls import Url
from . import Access

MISSING = "{} is missing, which signs requests: pip install 'oakum[cloud]', or ask anonymously"


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """An access key of AWS, or of who speaks its language."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def aws_credentials(access: Access) -> AwsCredentials | None:
    """From a named profile, else from the variables, else from the default profile; None where there are none."""
    environment = access.environment
    if access.anonymous:
        return None
    key_id, secret = environment.get("AWS_ACCESS_KEY_ID", ""), environment.get("AWS_SECRET_ACCESS_KEY", "")
    if not access.profile and bool(key_id) != bool(secret):
        absent = "AWS_SECRET_ACCESS_KEY" if key_id else "AWS_ACCESS_KEY_ID"
        raise UsageError(f"{absent} is not set, and the other is: set both, or ask anonymously")
    if key_id and not access.profile:
        return AwsCredentials(key_id, secret, environment.get("AWS_SESSION_TOKEN", ""))
    named = access.profile or environment.get("AWS_PROFILE", "")
    home = environment.get("HOME") or environment.get("USERPROFILE", "")
    file = environment.get("AWS_SHARED_CREDENTIALS_FILE") or (os.path.join(home, ".aws", "credentials") if home else "")
    found = _from_file(file, named or "default") if file and os.path.isfile(file) else None
    if found is None and named:
        raise UsageError(
            f"the profile {clean(named)} has no access key in {clean(file) or 'AWS’s file of credentials'}"
        )
    return found


def _from_file(file: str, profile: str) -> AwsCredentials | None:
    try:
        from botocore.credentials import SharedCredentialProvider
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise UsageError(MISSING.format("botocore")) from error
    try:
        found = SharedCredentialProvider(file, profile).load()
    except (BotoCoreError, OSError, ValueError) as error:
        raise UsageError(f"{clean(file)} cannot be read: {clean(type(error).__name__)}") from error
    return AwsCredentials(found.access_key, found.secret_key, found.token or "") if found else None


def aws_signature(credentials: AwsCredentials, url: Url, region: str) -> Mapping[str, str]:
    """The headers that sign a GET request, version 4."""
    try:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError as error:
        raise UsageError(MISSING.format("botocore")) from error
    request = AWSRequest("GET", url.site + url.target)
    held = Credentials(credentials.key_id, credentials.secret, credentials.token or None)
    S3SigV4Auth(held, "s3", region).add_auth(request)
    return dict(request.headers.items())


def azure_account_sas(account: str, key: str, access: Access) -> str:
    """A signature of an account key for this run, which lists, reads tags, and objects where these are to be read."""
    try:
        from azure.storage.blob import AccountSasPermissions, ResourceTypes, Services, generate_account_sas
    except ImportError as error:
        raise UsageError(MISSING.format("azure-storage-blob")) from error
    try:
        return generate_account_sas(
            account,
            key,
            resource_types=ResourceTypes(service=True, container=True, object=True),
            permission=AccountSasPermissions(read=access.objects, list=True, tag=True),
            start=access.now - timedelta(minutes=15),
            expiry=access.now + timedelta(seconds=access.limits.all) + timedelta(minutes=15),
            services=Services(blob=True),
        )
    except ValueError as error:
        raise UsageError("the key of the storage account is no key: it is 88 characters of base64") from error
