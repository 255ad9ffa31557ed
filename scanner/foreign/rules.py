"""The rules of other scanners, and what of oakum means the same. Only where that is clear; the rest has no answer."""

from __future__ import annotations

import re
from collections.abc import Collection

_GENERIC = (
    "generic-password generic-password-inline generic-password-unquoted "
    "generic-secret generic-secret-inline generic-secret-unquoted"
)
_DETECTORS = {
    "airtable-personnal-access-token": "airtable-pat",
    "alibaba-secret-key": "alibaba-access-key-secret alibaba-access-key-pair",
    "anthropic-admin-api-key": "anthropic-admin-key",
    "atlassian-api-token": "atlassian-api-token atlassian-old-api-token",
    "aws-access-token": "aws-access-key-id",
    "aws-secret-access-key": "aws-secret-access-key aws-access-key-pair",
    "azure-ad-client-secret": "azure-client-secret",
    "clojars-api-token": "clojars-deploy-token",
    "cohere-api-token": "cohere-api-key",
    "curl-auth-user": "httpauth-curl-user",
    "databricks-api-token": "databricks-token",
    "datadog-access-token": "",
    "digitalocean-access-token": "digitalocean-oauth-token",
    "digitalocean-pat": "digitalocean-personal-access-token",
    "discord-api-token": "discord-bot-token",
    "dockerhub-organization-access-token": "docker-organization-access-token",
    "dockerhub-personal-access-token": "docker-personal-access-token",
    "duffel-api-token": "duffel-live-token duffel-test-token",
    "easypost-api-token": "easypost-api-key",
    "easypost-test-api-token": "easypost-test-key",
    "facebook-access-token": "facebook-app-access-token",
    "flyio-access-token": "flyio-token flyio-token-old",
    "gcp-api-key": "google-api-key",
    "gcp-service-account": "google-service-account-key",
    "generic-api-key": _GENERIC,
    "github-app-token": "github-user-to-server-token github-server-to-server-token",
    "github-oauth": "github-oauth-token",
    "gitlab-cicd-job-token": "gitlab-ci-job-token",
    "gitlab-kubernetes-agent-token": "gitlab-agent-token",
    "gitlab-oauth-app-secret": "gitlab-oauth-secret",
    "gitlab-pat-routable": "gitlab-routable-token",
    "gitlab-ptt": "gitlab-trigger-token",
    "gitlab-rrt": "gitlab-runner-registration-token",
    "gitlab-runner-authentication-token": "gitlab-runner-token",
    "grafana-cloud-api-token": "grafana-cloud-token",
    "hashicorp-tf-api-token": "hashicorp-terraform-token",
    "heroku-api-key": "heroku-old-api-key",
    "heroku-api-key-v2": "heroku-api-key",
    "huggingface-access-token": "huggingface-user-token",
    "huggingface-organization-api-token": "huggingface-organization-token",
    "launchdarkly-access-token": "launchdarkly-api-token",
    "mailgun-private-api-token": "mailgun-old-api-key",
    "microsoft-teams-webhook": "microsoftteams-webhook",
    "new-relic-browser-api-token": "newrelic-browser-key",
    "new-relic-insert-key": "newrelic-insert-key",
    "new-relic-user-api-key": "newrelic-user-key",
    "notion-api-token": "notion-token",
    "nuget-config-password": "nuget-source-password",
    "okta-access-token": "okta-api-token",
    "openai-api-key": "openai-legacy-key openai-project-key openai-service-account-key",
    "planetscale-api-token": "planetscale-service-token",
    "postman-api-token": "postman-api-key",
    "private-key": "privatekey-openssh privatekey-pem privatekey-pem-encrypted privatekey-pgp",
    "pulumi-api-token": "pulumi-access-token",
    "pypi-upload-token": "pypi-api-token",
    "readme-api-token": "readme-api-key",
    "rubygems-api-token": "rubygems-api-key",
    "sendgrid-api-token": "sendgrid-api-key",
    "sendinblue-api-token": "brevo-api-key",
    "shippo-api-token": "shippo-live-token shippo-test-token",
    "shopify-custom-access-token": "shopify-custom-app-token",
    "shopify-private-app-access-token": "shopify-private-app-password",
    "slack-legacy-bot-token": "slack-bot-token",
    "slack-legacy-workspace-token": "slack-workspace-token",
    "slack-webhook-url": "slack-webhook",
    "stripe-access-token": "stripe-live-secret-key stripe-live-restricted-key stripe-test-key",
    "telegram-bot-api-token": "telegram-bot-token",
    "typeform-api-token": "typeform-pat",
    "vault-batch-token": "hashicorp-vault-batch-token",
    "vault-service-token": "hashicorp-vault-service-token",
}
"""Of a rule of gitleaks or betterleaks the detectors that find the same, where it is not the one of its name."""

_CALLED = {
    "artifactory": "jfrog",
    "base64high": "",
    "bitbucket": "atlassian",
    "crates": "cratesio",
    "curl": "",
    "dockerhub": "docker",
    "gcp": "google",
    "hexhigh": "",
    "jira": "atlassian",
    "jsonweb": "jwt",
    "mongodbconnection": "database",
    "opsgenie": "atlassian",
    "sendinblue": "brevo",
    "sonar": "sonarqube",
    "trello": "atlassian",
    "vault": "hashicorp",
}
"""Of the first words of a rule's name the provider, where that has another name here (empty: any)."""


def detectors_of(rule: str, detectors: Collection[str]) -> list[str]:
    """The detectors, of those there are, that find what a rule of gitleaks finds; empty where that is not clear."""
    named = _DETECTORS.get(rule, rule).split()
    return [detector for detector in named if detector in detectors]


def provider_of(rule: str, providers: Collection[str]) -> str:
    """The provider, of those there are, that the name of a rule of any scanner begins with; empty where there is none.

    kingfisher has the collection that a rule is from before it: `betterleaks.github-pat`, `kingfisher.aws.1`.
    """
    name = re.sub(r"\A(?:kingfisher|betterleaks|veles)\.", "", rule)
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", name)
    joined = ("".join(words[:many]).lower() for many in range(min(len(words), 4), 0, -1))
    for begin in joined:
        if begin in _CALLED or begin in providers:
            return _CALLED.get(begin, begin)
    return ""
