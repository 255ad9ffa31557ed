"""The rules of other scanners, and what of oakum means the same."""

from __future__ import annotations

import pytest
from oakum.scanner import catalog
from oakum.scanner.foreign import rules

DETECTORS = {d.id: d for d in catalog.load()}
PROVIDERS = {d.provider for d in DETECTORS.values()}


def test_every_detector_and_provider_that_is_named_is_there() -> None:
    """A detector that is renamed is renamed in the table, too."""
    named = {detector for listed in rules._DETECTORS.values() for detector in listed.split()}
    assert named - DETECTORS.keys() == set()
    assert set(rules._CALLED.values()) - PROVIDERS == {""}


@pytest.mark.parametrize(
    ("rule", "detectors"),
    [
        ("github-pat", ["github-pat"]),
        ("slack-webhook-url", ["slack-webhook"]),
        ("aws-access-token", ["aws-access-key-id"]),
        ("private-key", ["privatekey-openssh", "privatekey-pem", "privatekey-pem-encrypted", "privatekey-pgp"]),
        ("openai-api-key", ["openai-legacy-key", "openai-project-key", "openai-service-account-key"]),
        ("datadog-access-token", []),
        ("our-own-rule", []),
    ],
)
def test_a_rule_means_detectors_only_where_that_is_clear(rule: str, detectors: list[str]) -> None:
    """The same name is clear, unless another thing is called so."""
    assert rules.detectors_of(rule, DETECTORS) == detectors


@pytest.mark.parametrize(
    ("rule", "provider"),
    [
        ("aws-access-token", "aws"),
        ("new-relic-user-api-key", "newrelic"),
        ("gcp-api-key", "google"),
        ("kingfisher.github.1", "github"),
        ("betterleaks.private-key", "privatekey"),
        ("GitHub Token", "github"),
        ("JSON Web Token", "jwt"),
        ("SlackWebhook", "slack"),
        ("AWS", "aws"),
        ("generic-api-key", "generic"),
        ("Hex High Entropy String", ""),
        ("Secret Keyword", ""),
        ("linearity", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_rule_begins_with_its_provider(rule: str, provider: str) -> None:
    """Whole words of it, in the spelling of any scanner."""
    assert rules.provider_of(rule, PROVIDERS) == provider
