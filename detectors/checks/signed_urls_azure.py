"""Shared access signatures of Azure's messaging, IoT and API services, and the signed URLs of its workflows.

Those of Azure Storage have a module of their own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote

from . import signed_urls as common

Pairs = list[tuple[str, str]]

_BUS = {
    "servicebus": "Azure Service Bus or Event Hubs",
    "azure-devices": "Azure IoT Hub",
    "azure-devices-provisioning": "Azure IoT Hub Device Provisioning Service",
}
_BUS_HOST = re.compile(
    r"[a-z0-9-]{1,63}\.(servicebus|azure-devices-provisioning|azure-devices)"
    r"\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de|net|cn|us)\Z"
)
_POLICIES = {
    "rootmanagesharedaccesskey": "full",
    "defaultfullsharedaccesssignature": "full",
    "defaultlistensharedaccesssignature": "read",
    "iothubowner": "full",
    "provisioningserviceowner": "full",
    "registryread": "read",
    "registryreadwrite": "write",
    "enrollmentread": "read",
}
"""What the policies allow that the services make themselves."""
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|\+00:00)?\Z", re.ASCII)
_AMERICAN = re.compile(r"\d{1,2}/\d{1,2}/\d{4}[ +]\d{1,2}:\d\d:\d\d[ +][AP]M\Z", re.ASCII)


def azure_service_bus_sas(value: bytes) -> Pairs | None:
    """`SharedAccessSignature sr=…&sig=…&se=…&skn=…`, in any order: Service Bus, Event Hubs, Relay, IoT Hub.

    None where `sr` or `se` is missing or the signature is not base64 of 32 bytes. Sources:
    https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas#generate-a-shared-access-signature-token,
    https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas
    """
    query, problems = common.parameters(_behind_scheme(value))
    until, policy = common.epoch_time(query.get("se", "")), query.get("skn", "")
    if not query.get("sr") or until is None or common.base64_size(query.get("sig", "")) != 32:
        return None
    host, path = _split(unquote(query["sr"]))
    known = _BUS_HOST.match(common.name_of(host))
    if known and known[1] == "servicebus" and not policy:
        problems.append("no policy (skn)")
    service = _BUS[known[1]] if known else ""
    is_device = re.match(r"(?:devices|registrations)/[^/]", path) is not None
    return common.told(
        [
            ("type", f"{service or 'Azure'} {'device token' if is_device and not policy else 'SAS'}"),
            ("service", service),
            ("host", host),
            ("resource", path),
            ("scope", "object" if is_device else "container" if path else "account"),
            ("policy", policy),
            ("privilege", _POLICIES.get(policy.lower(), "")),
            ("expires", common.iso(until)),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def azure_apim_sas(value: bytes) -> Pairs | None:
    """A token of API Management's own REST API (`uid=…&ex=…&sn=…`, `integration&202…&…`) or of a gateway of its.

    None where the time is none or the signature is not base64 of 64 bytes (HMAC-SHA512). Sources:
    https://learn.microsoft.com/rest/api/apimanagement/apimanagementrest/azure-api-management-rest-api-authentication,
    https://learn.microsoft.com/azure/api-management/self-hosted-gateway-settings-reference
    """
    body = _behind_scheme(value)
    query, problems = common.parameters(body)
    if "sn" in query:
        user, until, signature = query.get("uid", ""), _iso_time(query.get("ex", "")), query["sn"]
    else:
        parts = unquote(body.decode("utf-8", "replace")).split("&")
        if len(parts) != 3:
            return None
        user, until, signature = (
            parts[0],
            common.iso(common.compact_time(f"{parts[1][:8]}T{parts[1][8:]}00Z")),
            parts[2],
        )
    if not user or not until or common.base64_size(signature) != 64:
        return None
    is_gateway = value.startswith(b"GatewayKey")
    return common.told(
        [
            ("type", f"Azure API Management {'gateway token' if is_gateway else 'access token'}"),
            ("service", "API Management"),
            ("name" if is_gateway else "user", user),
            ("scope", "" if is_gateway else "account"),
            ("privilege", "read" if is_gateway else "full" if user == "integration" else ""),
            ("expires", until),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def azure_event_grid_sas(value: bytes) -> Pairs | None:
    """`r=…&e=…&s=…`, in any order: whoever has it publishes events to an Event Grid topic or domain.

    None where one is missing or the signature is not base64 of 32 bytes. Source:
    https://learn.microsoft.com/azure/event-grid/authenticate-with-access-keys-shared-access-signatures
    """
    query, problems = common.parameters(value)
    if not query.get("r") or not query.get("e") or common.base64_size(query.get("s", "")) != 32:
        return None
    host, path = _split(unquote(query["r"]))
    until = _iso_time(query["e"]) or _american_time(query["e"])
    if not until:
        problems.append(f"e={query['e'][:40]} is no time that is known here")
    return common.told(
        [
            ("type", "Azure Event Grid SAS"),
            ("service", "Event Grid"),
            ("host", host),
            ("resource", path.partition("?")[0]),
            ("scope", "container"),
            ("allows", "publish events"),
            ("privilege", "write"),
            ("expires", until),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def azure_trigger_url(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """The URL of a trigger of Logic Apps or Power Automate: whoever has it runs the workflow.

    None where the signature is not base64 (URL-safe) of 32 bytes, or `sp`, what it permits, is missing. Source:
    https://learn.microsoft.com/azure/logic-apps/logic-apps-securing-a-logic-app#sas
    """
    address, _, rest = value.partition(b"?")
    query, problems = common.parameters(rest)
    signature = query.get("sig", "").replace("-", "+").replace("_", "/")
    if not query.get("sp") or common.base64_size(signature + "=" * (-len(signature) % 4)) != 32:
        return None
    host, path = _split(address.decode("utf-8", "replace"))
    workflow = re.search(r"(?:workflows|\Aapi)/([^/]{1,100})/triggers/", path)
    environment = re.match(r"(default)?([0-9a-f]{30})\.([0-9a-f]{2})\.environment\.", host)
    identity = _guid(environment[2] + environment[3]) if environment else ""
    powered = "powerplatform" in host
    action = unquote(query["sp"])
    return common.told(
        [
            ("type", "URL of a trigger"),
            ("service", "Power Automate" if powered else "Logic Apps or Power Automate"),
            ("host", facts.get("host", "")),
            ("workspace", identity),
            ("tenant", identity if environment and environment[1] else ""),
            ("resource", workflow[1] if workflow else path),
            ("scope", "object"),
            ("permissions", action),
            ("allows", "run the workflow" if action.endswith("/run") else ""),
            ("privilege", "write"),
            ("expires", _iso_time(query.get("se", ""))),
            ("version", query.get("sv", "")),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def _behind_scheme(value: bytes) -> bytes:
    """What stands behind the name of an HTTP authentication scheme, if there is one."""
    found = re.match(rb"(?:SharedAccessSignature|GatewayKey)(?:\s|\+|%20)+", value)
    return value[found.end() :] if found else value


def _split(address: str) -> tuple[str, str]:
    """(host, path) of an address with or without a scheme; a path that names no host stays one."""
    text = address.partition("://")[2] or address
    host, _, path = text.partition("/")
    path = path.strip("/")
    if "." not in host:
        return "", "/".join(filter(None, (host, path)))
    return host.removesuffix(":443"), path


def _iso_time(text: str) -> str:
    found = _ISO.match(text)
    try:
        return common.iso(datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)) if found else ""
    except ValueError:
        return ""


def _american_time(text: str) -> str:
    if not _AMERICAN.match(text):
        return ""
    try:
        return common.iso(datetime.strptime(text.replace("+", " "), "%m/%d/%Y %I:%M:%S %p"))
    except ValueError:
        return ""


def _guid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
