"""Offline checks: pure functions by family. Each takes a value and returns what it learned of it, or None if it fails.

What it learned is a list of plain (name, value) pairs; the names are those of `FACT_NAMES` in the scanner's model.
A detector names a check as `base64_length:64`: the function and its one argument, both looked up in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable

from . import encodings, hashes, keys, provider_tokens, tokens

Pairs = list[tuple[str, str]]

CHECKS: dict[str, Callable[..., Pairs | None]] = {
    "base64_json": tokens.base64_json,
    "base64_length": encodings.base64_length,
    "bech32": provider_tokens.bech32,
    "confluent_checksum": provider_tokens.confluent_checksum,
    "github_checksum": tokens.github_checksum,
    "github_jwt": tokens.github_jwt,
    "gitlab_checksum": tokens.gitlab_checksum,
    "grafana_checksum": tokens.grafana_checksum,
    "jwt": tokens.jwt,
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
    "supabase_role": provider_tokens.supabase_role,
}

FILTERS = frozenset({"password_text"})
"""Checks that only throw out what cannot be a value: to pass one proves nothing."""
