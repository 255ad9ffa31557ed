"""Offline checks: pure functions by family. Each takes a value and returns what it learned of it, or None if it fails.

What it learned is a list of plain (name, value) pairs; the names are those of `FACT_NAMES` in the scanner's model.
A detector names a check as `base64_length:64`: the function and its one argument, both looked up in `CHECKS`. Those in
`CONTEXTUAL` are also given, behind the value, what the pattern tells of it (its named groups: a host, say) as a dict.
"""

from __future__ import annotations

from collections.abc import Callable

from . import (
    aws,
    azure_keys,
    azure_sas,
    chat_tokens,
    encodings,
    hashes,
    json_web_tokens,
    keys,
    logins,
    proofs,
    provider_tokens,
    signed_urls,
    signed_urls_aws,
    signed_urls_azure,
    tokens,
)

Pairs = list[tuple[str, str]]

CHECKS: dict[str, Callable[..., Pairs | None]] = {
    "alibaba_signed_url": signed_urls.alibaba_signed_url,
    "atlassian_checksum": tokens.atlassian_checksum,
    "aws_access_key_id": aws.aws_access_key_id,
    "aws_cloudfront_signed": signed_urls_aws.aws_cloudfront_signed,
    "aws_key_pair": aws.aws_key_pair,
    "aws_presigned_url": signed_urls_aws.aws_presigned_url,
    "aws_presigned_url_v2": signed_urls_aws.aws_presigned_url_v2,
    "azure_apim_sas": signed_urls_azure.azure_apim_sas,
    "azure_client_secret": azure_keys.azure_client_secret,
    "azure_devops_old_pat": azure_keys.azure_devops_old_pat,
    "azure_event_grid_sas": signed_urls_azure.azure_event_grid_sas,
    "azure_key": azure_keys.azure_key,
    "azure_sas": azure_sas.azure_sas,
    "azure_service_bus_sas": signed_urls_azure.azure_service_bus_sas,
    "azure_trigger_url": signed_urls_azure.azure_trigger_url,
    "base64_json": tokens.base64_json,
    "base64_length": encodings.base64_length,
    "bech32": provider_tokens.bech32,
    "confluent_checksum": provider_tokens.confluent_checksum,
    "discord_bot_token": chat_tokens.discord_bot_token,
    "github_checksum": tokens.github_checksum,
    "github_jwt": json_web_tokens.github_jwt,
    "github_user": tokens.github_user,
    "gitlab_checksum": tokens.gitlab_checksum,
    "google_signed_url": signed_urls.google_signed_url,
    "grafana_checksum": tokens.grafana_checksum,
    "grafana_key": tokens.grafana_key,
    "jwt": json_web_tokens.jwt,
    "login": logins.login,
    "macaroon": tokens.macaroon,
    "mapbox_token": provider_tokens.mapbox_token,
    "npm_checksum": tokens.npm_checksum,
    "onepassword_token": provider_tokens.onepassword_token,
    "password_hash": hashes.password_hash,
    "password_text": hashes.password_text,
    "private_key": keys.private_key,
    "private_key_base64": keys.private_key_base64,
    "sentry_org_token": provider_tokens.sentry_org_token,
    "service_account": keys.service_account,
    "slack_token": chat_tokens.slack_token,
    "slack_webhook": chat_tokens.slack_webhook,
    "stripe_key": tokens.stripe_key,
    "supabase_role": json_web_tokens.supabase_role,
}

FILTERS = frozenset(
    {
        "aws_access_key_id",
        "aws_key_pair",
        "github_user",
        "login",
        "password_text",
        "slack_token",
        "slack_webhook",
        "stripe_key",
    }
)
"""Checks that only throw out what cannot be a value, or only read what it says: to pass one proves nothing."""

CONTEXTUAL = frozenset(
    {
        "alibaba_signed_url",
        "aws_cloudfront_signed",
        "aws_key_pair",
        "aws_presigned_url",
        "aws_presigned_url_v2",
        "azure_sas",
        "azure_trigger_url",
        "google_signed_url",
        "login",
        "service_account",
    }
)
"""Checks that need to know what stands around the value."""

PROOFS: dict[str, Callable[[bytes, dict[str, str], bytes | None], bool | None]] = {
    "aws_presigned_url": proofs.aws_presigned_url,
    "azure_service_bus": proofs.azure_service_bus,
    "azure_storage": proofs.azure_storage,
}
"""Whether a key that stands elsewhere made a signature, given the value, its facts, and the key (None: the one that is
public, if there is one); None where that cannot be told. A detector names its proof as `proof = "azure_storage"`."""
