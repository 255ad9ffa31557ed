"""Checks on JSON Web Tokens (RFC 7519): who made one, for whom, what it opens and until when."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from .decoding import from_base64, json_object, moment, pairs_of, said

_SIGNATURES = {
    "HS256": (32,),
    "HS384": (48,),
    "HS512": (64,),
    "ES256": (64,),
    "ES256K": (64,),
    "ES384": (96,),
    "ES512": (132,),
    "EdDSA": (64, 114),
    "Ed25519": (64,),
    "Ed448": (114,),
}
"""Bytes of a signature: RFC 7518, sections 3.2 and 3.4; RFC 8812; RFC 8037 and RFC 9864 with RFC 8032."""
_RSA = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
_CLAIMS = (
    ("iss", "issuer"),
    ("aud", "audience"),
    ("sub", "subject"),
    ("preferred_username", "user"),
    ("upn", "user"),
    ("username", "user"),
    ("email", "email"),
    ("tid", "tenant"),
    ("azp", "client_id"),
    ("appid", "client_id"),
    ("client_id", "client_id"),
    ("role", "role"),
    ("roles", "role"),
    ("scope", "scopes"),
    ("scp", "scopes"),
    ("permissions", "permissions"),
)
_MAKERS = (
    (r"https://token\.actions\.githubusercontent\.com(?:/.*)?", "GitHub Actions workflow identity", "repository"),
    (r"https://securetoken\.google\.com/.+", "Firebase user's ID token", "aud"),
    (r"https://(?:login\.microsoftonline\.com|sts\.windows\.net)/.+", "Microsoft Entra token", ""),
    (r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/.+", "Amazon Cognito token", ""),
    (r"(?:https://)?accounts\.google\.com", "Google ID token", ""),
    (r"https://[a-z0-9]+\.supabase\.co/auth/v1", "Supabase user session", ""),
)
"""By issuer: what it is, and the claim that names the project.
Sources: docs.github.com/actions/reference/security/oidc;
firebase.google.com/docs/auth/admin/verify-id-tokens; learn.microsoft.com/entra/identity-platform/access-tokens;
docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html;
developers.google.com/identity/openid-connect/openid-connect; supabase.com/docs/guides/auth/jwt-fields"""
_FIREBASE_CUSTOM = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
"""Source: https://firebase.google.com/docs/auth/admin/create-custom-tokens"""
_EXAMPLE_SECRETS = (
    b"your-256-bit-secret",
    b"a-string-secret-at-least-256-bits-long",
    b"super-secret-jwt-token-with-at-least-32-characters-long",
)
"""Secrets that everybody knows: those of the first page of jwt.io, old and new, and of Supabase's local examples
(https://supabase.com/docs/guides/self-hosting/docker)."""
_SUPABASE_ROLES = {"service_role": "admin", "anon": "read"}
"""`service_role` goes past row level security; `anon` is what that lets everybody do."""


def jwt(value: bytes) -> list[tuple[str, str]] | None:
    """A JSON Web Token (RFC 7519): header and claims are JSON objects, the signature has its algorithm's length.

    RFC 7518 fixes the lengths, but for RSA's, so that another is no token (1024 bits are the least taken of RSA). One
    that an example's secret signed (jwt.io, Supabase) has mode `test`.
    Claims: RFC 7519 (4.1), RFC 8693 (4.2: scope), OpenID Connect Core (2, 5.1), Microsoft Entra's and Auth0's.
    """
    head, _, rest = value.partition(b".")
    body, _, signature = rest.partition(b".")
    header, claims = json_object(head), json_object(body)
    if header is None or claims is None or not isinstance(header.get("alg"), str):
        return None
    algorithm = header["alg"]
    if not _fits(algorithm, signature):
        return None
    facts = pairs_of(header, (("alg", "algorithm"), ("kid", "key_id")))
    times = {
        name: moment(claims.get(claim)) for claim, name in (("iat", "created"), ("nbf", "starts"), ("exp", "expires"))
    }
    known = dict(pairs_of(claims, _CLAIMS)) | {name: text for name, text in times.items() if text}
    known |= _maker(claims)
    if algorithm == "HS256" and _is_example(value.rpartition(b".")[0], signature):
        known["mode"] = "test"
    problems = [*(["unsigned: algorithm none"] if algorithm.lower() == "none" else []), *_contradictions(times)]
    return [*facts, *known.items(), *([("problems", "; ".join(problems))] if problems else [])]


def github_jwt(value: bytes) -> list[tuple[str, str]] | None:
    """A GitHub App installation token since 2026: `ghs_`, the number of the app, a JSON Web Token.

    Source: https://github.blog/changelog/2026-04-24-notice-about-upcoming-new-format-for-github-app-installation-tokens/
    """
    app, _, token = value.removeprefix(b"ghs_").partition(b"_")
    facts = jwt(token)
    if facts is None:
        return None
    return [("client_id", app.decode("ascii", "replace")), *(fact for fact in facts if fact[0] != "client_id")]


def supabase_role(value: bytes, role: str = "service_role") -> list[tuple[str, str]] | None:
    """A Supabase project's old key: a JSON Web Token with that role; `other` is any role but `service_role`.

    Source: https://supabase.com/docs/guides/api/api-keys
    """
    facts = jwt(value)
    found = dict(facts or ()).get("role")
    if facts is None or not found or (found == "service_role") != (role == "service_role"):
        return None
    return facts


def _fits(algorithm: str, signature: bytes) -> bool:
    raw = from_base64(signature)
    if raw is None:
        return False
    if algorithm in _RSA:
        return len(raw) >= 128
    return algorithm not in _SIGNATURES or len(raw) in _SIGNATURES[algorithm]


def _is_example(signed: bytes, signature: bytes) -> bool:
    """Whether a secret that everybody knows made the signature."""
    made = from_base64(signature)
    return any(hmac.new(secret, signed, hashlib.sha256).digest() == made for secret in _EXAMPLE_SECRETS)


def _maker(claims: dict[str, Any]) -> dict[str, str]:
    """What is known of the tokens of some makers: what it is, and what it belongs to."""
    issuer, subject, audience = (said(claims.get(claim)) for claim in ("iss", "sub", "aud"))
    if subject.startswith("system:serviceaccount:"):
        return _kubernetes(subject)
    if audience == _FIREBASE_CUSTOM:
        return {"type": "Firebase custom token"}
    if issuer in ("supabase", "supabase-demo"):
        return _supabase(claims)
    for pattern, kind, project in _MAKERS:
        if re.fullmatch(pattern, issuer):
            named = said(claims.get(project)) if project else ""
            return {"type": kind, **({"project": named} if named else {})}
    return {}


def _kubernetes(subject: str) -> dict[str, str]:
    """Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens"""
    namespace, _, name = subject.removeprefix("system:serviceaccount:").partition(":")
    found = {"type": "Kubernetes service account", "project": namespace, "name": name}
    return {key: text for key, text in found.items() if text}


def _supabase(claims: dict[str, Any]) -> dict[str, str]:
    """Source: https://supabase.com/docs/guides/api/api-keys"""
    role, project = said(claims.get("role")), said(claims.get("ref"))
    found = {"type": "Supabase project key", "project": project, "privilege": _SUPABASE_ROLES.get(role, "")}
    return {key: text for key, text in (found | {"scope": "project"}).items() if text}


def _contradictions(times: dict[str, str]) -> list[str]:
    """Times that cannot all be right; in this form they compare as texts."""
    created, starts, expires = times["created"], times["starts"], times["expires"]
    return [
        text
        for text, wrong in (
            ("expires before it was issued", expires and created and expires < created),
            ("expires before it starts", expires and starts and expires < starts),
        )
        if wrong
    ]
