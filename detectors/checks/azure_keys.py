"""Azure's keys that name themselves: a mark of the service in their base64, and a checksum behind it.

The checksum is Marvin32 with a seed that says what kind of key it is, so that a key tells its role offline. Sources:
https://github.com/microsoft/security-utilities (`IdentifiableMetadata`, `IdentifiableSecrets`, `AdoLegacyPat`) and
https://github.com/Azure/azure-functions-host (`SecretGenerator`).

A wrong checksum drops a value only where keys in public repositories prove the arithmetic and the list of seeds is
whole, as far as the sources and those keys tell: `_Kind.proved` and `_Service.proved`. Elsewhere it drops nothing: a
service may have seeds that nobody has published.
"""

from __future__ import annotations

import base64
import binascii
import string
import zlib
from dataclasses import dataclass

Pairs = list[tuple[str, str]]
Role = tuple[tuple[str, str], ...]
"""The facts that a seed stands for."""

_WORD = 0xFFFFFFFF
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_ENTRA = string.ascii_lowercase + string.ascii_uppercase + "1234567890.-_~"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A mark: the service, its keys' size in bytes, the role each seed stands for, and whether the list is proved."""

    service: str
    size: int
    roles: dict[str, Role]
    proved: bool


@dataclass(frozen=True, slots=True)
class _Service:
    """A service by its mark in a common annotated key: what is known of its keys, and how they are checked."""

    name: str
    facts: Role = ()
    seed: str = "Default0"
    proved: bool = True


_OWN = ("scope", "account")
_ALL = ("privilege", "full")
_MESSAGING: dict[str, Role] = {
    "Manage00": (("type", "key of a policy that may manage"), _ALL),
    "Send0000": (("type", "key of a policy that may send"), ("privilege", "write")),
    "Listen00": (("type", "key of a policy that may listen"), ("privilege", "read")),
    "System00": (("type", "key of the service itself"),),
    "Unknown0": (("type", "key of a policy"),),
}
KINDS = {
    "+ASt": _Kind("Storage", 64, {"Default0": (("type", "account key"), _ALL, _OWN)}, proved=True),
    "+ASb": _Kind("Service Bus", 32, _MESSAGING, proved=True),
    "+AEh": _Kind("Event Hubs", 32, _MESSAGING, proved=True),
    "+ARm": _Kind("Relay", 32, _MESSAGING, proved=False),
    "+ABa": _Kind("Batch", 64, {"AbAcct00": (("type", "account key"), _ALL, _OWN)}, proved=False),
    "AzFu": _Kind(
        "Functions",
        40,
        {
            "Master00": (("type", "master key"), ("privilege", "admin"), _OWN),
            "System00": (("type", "system key"), ("allows", "call an extension's endpoint")),
            "Functi00": (("type", "function or host key"), ("allows", "call functions")),
        },
        proved=True,
    ),
    "ACDb": _Kind(
        "Cosmos DB",
        64,
        {
            "MastRW00": (("type", "read-write account key"), _ALL, _OWN),
            "MastRO00": (("type", "read-only account key"), ("privilege", "read"), _OWN),
            "SystRW00": (("type", "read-write system key"),),
            "SystRO00": (("type", "read-only system key"), ("privilege", "read")),
            "SysAll00": (("type", "system key"),),
            "Resour00": (("type", "resource key"),),
            "Encryp00": (("type", "data encryption key"),),
        },
        proved=False,
    ),
    "AzCa": _Kind("Cache for Redis", 32, {"Access00": (("type", "access key"), _ALL, _OWN)}, proved=True),
    "AzSe": _Kind(
        "AI Search",
        39,
        {
            "PAdmin00": (("type", "admin key"), ("privilege", "admin"), _OWN),
            "Query000": (("type", "query key"), ("privilege", "read"), _OWN),
        },
        proved=True,
    ),
    "+AMC": _Kind("Machine Learning Studio (classic)", 64, {"Classic0": (("type", "web service key"),)}, proved=False),
    "+ACR": _Kind("Container Registry", 39, {"ACRDflt0": (("type", "password"),)}, proved=True),
    "AIoT": _Kind(
        "IoT",
        32,
        {
            "IoTHub00": (("type", "key of an IoT Hub policy"),),
            "DpsKey00": (("type", "key of a Device Provisioning Service"),),
            "Device00": (("type", "key of a device"),),
        },
        proved=False,
    ),
    "APIM": _Kind(
        "API Management",
        64,
        {
            "Tenant00": (("type", "direct management key"), ("privilege", "admin"), _OWN),
            "IoTHub00": (("type", "subscription key"),),
            "Gatewy00": (("type", "gateway key"),),
            "GitKey00": (("type", "key of the configuration repository"),),
        },
        proved=False,
    ),
}
"""Marks that stand in front of the last 32 bits, and the seeds of each."""

SERVICES = {
    "ACOG": _Service("AI services", (_ALL, _OWN)),
    "AWPS": _Service("Web PubSub", (_ALL, _OWN)),
    "AZAC": _Service("App Configuration", (_OWN,), proved=False),
    "AZCR": _Service("Container Registry", (("type", "password"),), "ACRDflt0"),
    "AZCS": _Service("Communication Services", (_ALL, _OWN)),
    "AZDO": _Service("Azure DevOps", (("type", "personal access token"),)),
    "AZEG": _Service("Event Grid", (("privilege", "write"),)),
    "AZFR": _Service("Fluid Relay", (_ALL, _OWN), proved=False),
    "AZMP": _Service("Azure Maps", (_OWN,)),
    "AZMR": _Service("Mixed Reality", proved=False),
    "msql": _Service("SQL", proved=False),
}
"""Marks at character 76 of a common annotated key."""
_UNKNOWN = _Service("", proved=False)

_AI_SERVICES = (
    "AI services, OpenAI, Anomaly Detector EE, Anomaly Detector, Cognitive Services, Computer Vision, Content "
    "Moderator, Content Safety, Custom Vision prediction, Custom Vision training, Face, Form Recognizer, Health "
    "Decision Support, Health Insights, Immersive Reader, internal AI services, Knowledge, LUIS authoring, LUIS, "
    "Metrics Advisor, Personalizer, QnA Maker, QnA Maker v2, Speaker Recognition, Speech, Speech Translation, "
    "Text Analytics, Text Translation, Dummy, Transcription Intelligence, Video Intelligence, Bing Autosuggest, "
    "Bing Autosuggest v7, Bing Custom Search, Bing Custom Visual Search, Bing Entity Search, Bing Search, Bing "
    "Search v7, Bing Speech, Bing Spell Check, Bing Spell Check v7"
).split(", ")
"""By the last of the four characters that the AI services have for themselves."""


def marvin32(data: bytes, seed: int) -> int:
    """Marvin32 of `data`, its 64 bits folded to 32.

    Source: https://github.com/microsoft/security-utilities, `Marvin`
    """
    low, high = seed & _WORD, seed >> 32
    padded = data + b"\x80" + bytes(-(len(data) + 1) % 4)
    words = [int.from_bytes(padded[at : at + 4], "little") for at in range(0, len(padded), 4)]
    for word in [*words, 0]:
        low = low + word & _WORD
        high ^= low
        low = _turned(low, 20) + high & _WORD
        high = _turned(high, 9) ^ low
        low = _turned(low, 27) + high & _WORD
        high = _turned(high, 19)
    return low ^ high


def azure_key(value: bytes) -> Pairs | None:
    """An Azure key with the mark of its service: the service, what kind of key it is, what it allows.

    Proved with keys in public repositories: Storage (8 of 8), Service Bus (5) and Event Hubs (3), Functions (6, and the
    source of its host), Redis (4), AI Search (7, both seeds), Container Registry (1); for these a wrong checksum drops
    the value. Keys that fit were found for Cosmos DB (2, read-write only) and IoT Hub (2) too, none for Relay, Batch,
    API Management and Machine Learning: there it drops nothing. A key without a mark says nothing.
    Source: https://github.com/microsoft/security-utilities, `IdentifiableMetadata`
    """
    if value[52:57] == b"JQQJ9":
        return common_annotated_key(value)
    text = value.replace(b"%3D", b"=").replace(b"%3d", b"=").replace(b"-", b"+").replace(b"_", b"/")
    mark = text.rstrip(b"=")[-10:-6].decode("latin-1")
    kind = KINDS.get(mark)
    raw = _decoded(text)
    if kind is None or raw is None or len(raw) < 28:
        return []
    service = ("service", kind.service)
    for seed, role in kind.roles.items():
        if text in _spellings(raw[:-4], seed, mark):
            return [service, *role, ("checksum", "valid")]
    return None if kind.proved and len(raw) == kind.size else [service]


def common_annotated_key(value: bytes) -> Pairs | None:
    """A common annotated security key, of 84 or 88 characters: the service, the month it was made in, the checksum.

    52 random characters, `JQQJ9`, `9` (or `D`, derived from another key), year and month, 12 characters of the
    platform, 4 of the service, its mark, the checksum in base64 or base62. Proved with keys in public repositories:
    AI services (14), Azure DevOps (33), Azure Maps (5), Communication Services (3), Web PubSub (2), Event Grid (1),
    Container Registry (1, with a seed of its own); for these a wrong checksum drops the value. The seed of Fluid
    Relay is not known (none of 3 fits) and of others no key was at hand: there it drops nothing. `created` is the
    first of the month.
    Source: https://github.com/microsoft/security-utilities, `LegacyCommonAnnotatedSecurityKey`
    """
    carried = _decoded(value[80:])
    raw = _decoded(value[:80])
    if carried is None or raw is None or len(raw) != 60 or len(carried) not in (3, 4):
        return None
    text = value.decode("latin-1")
    service = SERVICES.get(text[76:80], _UNKNOWN)
    valid = carried in _sums(raw, service.seed, len(carried))
    if service.proved and not valid:
        return None
    facts = [("service", _service_name(text, service)), *service.facts] if service.name else []
    if text[57] == "D":
        facts.append(("type", "key derived from another"))
    facts += _created(text[58], text[59])
    return [*dict(facts).items(), *([("checksum", "valid")] if valid else [])]


def azure_client_secret(value: bytes) -> Pairs | None:
    """An Entra client secret: of `8Q~`, the last three characters are the first of a Marvin32 over those before them.

    Proved with 7 of 7 secrets in public repositories: a wrong checksum drops an `8Q~`. The older `7Q~` has none, and of
    other digits nothing is known. Source: https://github.com/microsoft/security-utilities
    """
    if value[3:6] != b"8Q~":
        return []
    return [("checksum", "valid")] if value[-3:] == entra_checksum(value[:-3]) else None


def azure_devops_old_pat(value: bytes) -> Pairs:
    """An Azure DevOps token before 2024: base32, four of its bytes are a CRC-32 of the others and say for whom it is.

    One of three tokens in public repositories fits; whether the others were altered is not known: a failure drops
    nothing. Source: https://github.com/microsoft/security-utilities, `AdoLegacyPat`
    """
    try:
        raw = base64.b32decode(value.upper() + b"====")
    except binascii.Error:
        return []
    if len(raw) != 32:
        return []
    body = raw[:2] + raw[3:7] + raw[9:22] + raw[23:]
    carried = int.from_bytes(bytes((raw[2], raw[7], raw[8], raw[22])), "big")
    holder = {0xE0B9692D: "user", 0x1019F92E: "application"}.get(zlib.crc32(body) ^ carried)
    return [("type", f"personal access token of a {holder}"), ("checksum", "valid")] if holder else []


def entra_checksum(text: bytes) -> bytes:
    """What a client secret of Entra ends with, given what stands before: three characters."""
    number, out = int.from_bytes(key_checksum(text, "AadPwd00"), "little"), ""
    while number:
        number, digit = divmod(number, len(_ENTRA))
        out = _ENTRA[digit] + out
    return out.rjust(6, _ENTRA[0])[:3].encode()


def common_checksum(text: bytes, *, short: bool, base62: bool) -> bytes:
    """What a common annotated key ends with, given its 80 characters before: in base64 or in base62."""
    service = SERVICES.get(text[76:].decode("latin-1"), _UNKNOWN)
    return base64.b64encode(_sums(base64.b64decode(text), service.seed, 3 if short else 4)[base62])


def key_checksum(body: bytes, seed: str) -> bytes:
    """The four bytes that a key with a mark ends with, given those before; eight characters are the seed's number."""
    return marvin32(body, int.from_bytes(seed.encode(), "big")).to_bytes(4, "little")


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _WORD


def _decoded(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _spellings(body: bytes, seed: str, mark: str) -> tuple[bytes, ...]:
    """The key with this body as it should read; Redis puts letters in place of the two signs of its checksum."""
    text = base64.b64encode(body + key_checksum(body, seed))
    return (text, text.replace(b"+", b"P").replace(b"/", b"F")) if mark == "AzCa" else (text,)


def _sums(raw: bytes, seed: str, size: int) -> tuple[bytes, bytes]:
    """The bytes of a common annotated key's checksum: plain, and those whose base64 is the checksum in base62."""
    check = key_checksum(raw, seed)
    return check[:size], base64.b64decode(_base62(check) + "==")[:size]


def _base62(check: bytes) -> str:
    """Six digits: a zero for each zero byte in front, the number, zeros behind."""
    number, digits = int.from_bytes(check, "big"), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    zeros = len(check) - len(check.lstrip(b"\0"))
    return ("0" * zeros + digits).ljust(6, "0")


def _service_name(text: str, service: _Service) -> str:
    number = _BASE64.index(text[75])
    if text[72:80] == f"AAA{text[75]}ACOG" and number < len(_AI_SERVICES):
        return _AI_SERVICES[number]
    return service.name


def _created(year: str, month: str) -> Pairs:
    """The two characters that count the years since 2024 and the months, as a time."""
    if month not in "ABCDEFGHIJKL":
        return []
    return [("created", f"{2024 + _BASE64.index(year)}-{_BASE64.index(month) + 1:02}-01T00:00:00Z")]
