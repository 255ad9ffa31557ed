"""Azure Storage shared access signatures: what one opens, read from its query, and whether a key made it.

A SAS is the query of a URL. What it allows stands in it in clear, under a signature: HMAC-SHA256, with a key of the
account or a user delegation key, over a text made from it (`string to sign`). Sources, all below
https://learn.microsoft.com/rest/api/storageservices/: create-account-sas, create-service-sas,
create-user-delegation-sas.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

Pairs = list[tuple[str, str]]

EMULATOR = "devstoreaccount1"
"""The account of the storage emulators (Azurite). Its key is public:
https://learn.microsoft.com/azure/storage/common/storage-connect-azurite#connection-strings"""
EMULATOR_KEY = bytes.fromhex(
    "11bcbcbdd334db134e72a165a94c093cb96612d9420d7275394cc54f9d2e4916"
    "7a205b2e16ad94544ac2cf823ab6afcad526453d33adaff2811c17a4b2818c1b"
)

_SERVICES = {"b": "blob", "f": "file", "q": "queue", "t": "table"}
_RESOURCES = {
    "b": ("blob", "object"),
    "bv": ("blob", "object"),
    "bs": ("blob", "object"),
    "c": ("blob", "container"),
    "d": ("blob", "container"),
    "f": ("file", "object"),
    "s": ("file", "container"),
}
"""By `sr`: the service and how much it opens."""
_TYPES = {"s": "service", "c": "container", "o": "object"}
_ALLOWS = {
    "r": "read",
    "a": "add",
    "c": "create",
    "w": "write",
    "d": "delete",
    "x": "delete versions",
    "y": "delete for good",
    "l": "list",
    "t": "tags",
    "f": "find by tags",
    "m": "move",
    "e": "execute",
    "o": "change owners",
    "p": "change permissions",
    "i": "set immutability",
    "u": "update",
}
_HOST = re.compile(
    r"(?P<account>[a-z0-9-]{3,63}?)(?:-(?:secondary|internetrouting|microsoftrouting|ipv6|dualstack)){0,3}"
    r"\.(?:z\d{1,2}\.)?(?:privatelink\.)?"
    r"(?P<service>blob|file|queue|table|dfs|web)\.(?:localhost|storage\.azure\.net|"
    r"core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de))(?::\d{1,5})?",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_BY_PATH = re.compile(r"(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
"""Hosts without names of accounts, as emulators have them: there the account is the first part of the path."""
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?:(:\d\d)(?:\.\d{1,9})?)?\s?(?:([Zz])|([+-]\d\d):?(\d\d))?)?\Z", re.ASCII
)
_VERSION = re.compile(r"20\d\d-\d\d-\d\d\Z", re.ASCII)
_LONGEST = 200
_DISTINCT = 18
"""Different characters that a signature has at least: random ones have about 32 of 64, made-up ones few."""


def azure_sas(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """An Azure Storage SAS, decoded: what it opens, for whom, until when, and how it can be revoked.

    None where the service itself would refuse it: a signature that is not 32 bytes, a parameter missing that its kind
    must have. What only contradicts itself is told under `problems`. `facts` may hold the URL's host and path.
    """
    parameters, problems = _parsed(value)
    get = parameters.get
    if not _is_signature(get("sig", "")) or not _is_complete(parameters):
        return None
    account, service, path = _place(parameters, facts)
    out: Pairs = [("type", _type(parameters)), ("account", account), ("host", facts.get("host", ""))]
    out += [("service", service), *_opened(parameters, path), *_permitted(parameters, service)]
    times = [("starts", "st"), ("expires", "se"), ("key_expires", "ske")]
    read = {name: _time(get(key, "")) for name, key in times}
    problems += [f"{key}={get(key, '')[:40]} is no date" for name, key in times if get(key) and not read[name]]
    if read["starts"] and read["expires"] and read["starts"] >= read["expires"]:
        problems.append("it ends before it begins")
    out += read.items()
    out += [("ip", get("sip") or "any"), ("protocol", get("spr") or "https,http"), ("version", get("sv", ""))]
    out += [("signed_by", get("skoid", "")), ("tenant", get("sktid", "")), ("policy", get("si", ""))]
    out += [("encryption_scope", get("ses", "")), ("revocation", _revocation(parameters))]
    out.append(("problems", "; ".join(problems)))
    return [(name, text[:_LONGEST]) for name, text in out]


def azure_sas_parameters(value: bytes) -> dict[str, str]:
    """The parameters of a query, decoded; of one that stands twice the first."""
    return _parsed(value)[0]


def _parsed(value: bytes) -> tuple[dict[str, str], list[str]]:
    """The parameters, and what is wrong with them. A `+` is a plus sign here: signatures are seldom encoded twice."""
    parameters: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for pair in value.decode("utf-8", "replace").split("&"):
        name, equals, text = pair.partition("=")
        if equals:
            seen[name] += 1
            parameters.setdefault(name, unquote(text))
    problems = [f"{name} stands {count} times" for name, count in seen.items() if count > 1]
    if "ss" in parameters and "sr" in parameters:
        problems.append("ss (of the account) and sr (of one resource) both stand in it")
    return parameters, problems


def _is_signature(text: str) -> bool:
    """Whether it is base64 of 32 bytes, and not one that somebody made up."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    return len(raw) == 32 and base64.b64encode(raw).decode() == text and len(set(text)) >= _DISTINCT


def _is_complete(parameters: dict[str, str]) -> bool:
    """Whether all stands in it that its kind must have."""
    version, resource = parameters.get("sv"), parameters.get("sr")
    if version is not None and not (_VERSION.match(version) and _time(version)):
        return False
    limited = bool(parameters.get("se") and parameters.get("sp"))
    if version is None:  # before 2012-02-12
        return resource in ("b", "c") and (limited or bool(parameters.get("si")))
    if _is_account_sas(parameters):
        return limited and set(parameters["ss"]) <= set(_SERVICES) and set(parameters["srt"]) <= set(_TYPES)
    signer = [parameters.get(name) for name in ("skoid", "sktid", "ske")]
    if (any(signer) and not (limited and all(signer))) or (resource is not None and resource not in _RESOURCES):
        return False
    of_queue = set(parameters.get("sp", "")) <= set("raup") and not parameters.keys() & {"ss", "srt"}
    return (bool(resource or parameters.get("tn")) or of_queue) and (limited or bool(parameters.get("si")))


def _is_account_sas(parameters: dict[str, str]) -> bool:
    return bool(parameters.get("ss") and parameters.get("srt"))


def _type(parameters: dict[str, str]) -> str:
    kind = "account" if _is_account_sas(parameters) else "user delegation" if parameters.get("skoid") else "service"
    return f"Azure {kind} SAS"


def _revocation(parameters: dict[str, str]) -> str:
    if parameters.get("skoid"):
        return "delegation key"
    return "policy" if parameters.get("si") and not _is_account_sas(parameters) else "account key"


def _place(parameters: dict[str, str], facts: dict[str, str]) -> tuple[str, str, str]:
    """(account, service, path below the account), as far as the URL and the parameters tell."""
    path = unquote(facts.get("resource", "")).lstrip("/")
    host = _HOST.fullmatch(facts.get("host", "").rstrip("."))
    account = host["account"].lower() if host else facts.get("account", "")
    first, _, rest = path.partition("/")
    first = first.removesuffix("-secondary")
    if host and host["service"].lower() == "web" and first != "$web":
        path = f"$web/{path}"
    if not host and (first == EMULATOR or (_BY_PATH.fullmatch(facts.get("host", "")) and _ACCOUNT.fullmatch(first))):
        account, path = first, rest
    if _is_account_sas(parameters):
        letters = dict.fromkeys(parameters["ss"])
        return account, ", ".join(_SERVICES[letter] for letter in letters), path
    named = {"dfs": "blob", "web": "blob"}.get(host["service"].lower(), host["service"].lower()) if host else ""
    if parameters.get("sr") in _RESOURCES:
        named = _RESOURCES[parameters["sr"]][0]
    elif parameters.get("tn"):
        named = "table"
    return account, named or "queue", path


def _opened(parameters: dict[str, str], path: str) -> Pairs:
    """How much it opens, and what that is called."""
    if _is_account_sas(parameters):
        types = ", ".join(_TYPES[letter] for letter in dict.fromkeys(parameters["srt"]))
        return [("scope", "account"), ("scopes", types), ("resource", "")]
    scope = _RESOURCES[parameters["sr"]][1] if parameters.get("sr") in _RESOURCES else "container"
    return [("scope", scope), ("scopes", ""), ("resource", _resource(parameters, path))]


def _resource(parameters: dict[str, str], path: str) -> str:
    """The path of what a service SAS opens: `container`, `container/blob`, `share/path`, a queue's or table's name."""
    if parameters.get("tn"):
        return parameters["tn"]
    parts = [part for part in path.split("/") if part]
    kind = parameters.get("sr", "")
    if kind == "d":
        depth = parameters.get("sdd", "")
        return "/".join(parts[: 1 + int(depth)]) if depth.isascii() and depth.isdigit() and len(depth) < 4 else path
    if kind in ("b", "bv", "bs", "f"):
        return path if "/" in path or not path else f"$root/{path}"
    return parts[0] if parts else ""


def _permitted(parameters: dict[str, str], service: str) -> Pairs:
    """The letters, what they are, and the privilege that they come to. With a stored policy they may not be told."""
    letters = parameters.get("sp", "")
    known = [_allows(letter, parameters, service) for letter in dict.fromkeys(letters) if letter in _ALLOWS]
    unknown = "".join(letter for letter in dict.fromkeys(letters) if letter not in _ALLOWS)
    told = [("unknown", f"permissions {unknown}")] if unknown else []
    return [("permissions", letters), ("allows", ", ".join(known)), ("privilege", _privilege(letters)), *told]


def _allows(letter: str, parameters: dict[str, str], service: str) -> str:
    if letter == "p" and (service == "queue" or _is_account_sas(parameters)):
        return "process messages"
    return _ALLOWS[letter]


def _privilege(letters: str) -> str:
    if not letters:
        return ""
    given = set(letters)
    if "r" in given and "d" in given and given & set("wu"):
        return "full"
    if given & set("acwdxytmoipu"):
        return "write"
    return "list" if given & set("lf") else "read" if given & set("re") else ""


def _time(text: str) -> str:
    """A time in ISO 8601, in UTC and to the second; empty where it is none, or past the year 9999."""
    found = _TIME.match(text)
    if not found:
        return ""
    day, minute, second, _, hours, minutes = found.groups()
    zone = f"{hours}:{minutes}" if hours else "+00:00"
    try:
        at = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at.year >= 1000 else ""


# --- the signature ---------------------------------------------------------------------------------------------------

_SENT_BACK = ("rscc", "rscd", "rsce", "rscl", "rsct")
_DELEGATED = ("skoid", "sktid", "skt", "ske", "sks", "skv")
_SIGNERS = (
    _DELEGATED,
    (*_DELEGATED, "saoid", "suoid", "scid"),
    (*_DELEGATED, "skdutid", "sduoid"),
    (*_DELEGATED, "saoid", "suoid", "scid", "skdutid", "sduoid"),
)
"""What stands for the signer in a user delegation SAS, by version and service."""
_ACCOUNT_KEY = 64
"""Bytes of an account's key; a user delegation key has 32."""
_LIMITS = ("sip", "spr", "sv")
_SNAPSHOTS = {"bs": "snapshot", "bv": "versionid"}
"""By `sr`: what names the snapshot or version in a URL. A blob's or container's signature does not depend on it."""
_RANGE = ("spk", "srk", "epk", "erk")
_ENDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "blob": (
        (*_LIMITS, "sr", " snapshot", "ses", *_SENT_BACK),
        (*_LIMITS, "sr", " snapshot", "ses", " headers", " queries", *_SENT_BACK),
        (*_LIMITS, "sr", " snapshot", *_SENT_BACK),
        (*_LIMITS, *_SENT_BACK),
        ("sv", *_SENT_BACK),
        ("sv",),
        (),
    ),
    "file": ((*_LIMITS, *_SENT_BACK), ("sv", *_SENT_BACK)),
    "queue": (_LIMITS, ("sv",), ()),
    "table": ((*_LIMITS, *_RANGE), ("sv", *_RANGE), _RANGE),
}
"""What stands behind the signer, newest version first; a name with a blank is no parameter of that name."""


def azure_sas_proof(value: bytes, facts: dict[str, str], key: bytes | None) -> bool | None:
    """Whether this key made the signature of a SAS; None where that cannot be told, as what was signed is not known, or
    as an account's key is no user delegation key.

    Without a key, the one that everybody knows is tried: the emulator's. `facts` are those of `azure_sas`. All versions
    of the text that is signed are tried, whatever version it names.
    """
    if key is None:
        key = EMULATOR_KEY if facts.get("account") == EMULATOR else b""
    parameters = azure_sas_parameters(value)
    if parameters.get("skoid") and len(key) == _ACCOUNT_KEY:
        return None
    texts = list(_strings_to_sign(parameters, facts)) if key else []
    if not texts:
        return None
    wanted = parameters.get("sig", "").encode()
    made = (base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)) for text in texts)
    return any(hmac.compare_digest(one, wanted) for one in made)


def _strings_to_sign(parameters: dict[str, str], facts: dict[str, str]) -> Iterator[str]:
    account, resource, service = (facts.get(name, "") for name in ("account", "resource", "service"))

    def values(names: Iterable[str]) -> list[str]:
        return [parameters.get(name, "") for name in names]

    if _is_account_sas(parameters):
        if account:
            fields = [account, *values(("sp", "ss", "srt", "st", "se", *_LIMITS))]
            yield "\n".join([*fields, ""])
            yield "\n".join([*fields, parameters.get("ses", ""), ""])
        return
    if not account or not resource or len(resource) >= _LONGEST:  # a longer one was cut
        return
    if parameters.get("srh") or parameters.get("srq"):  # names of values that are signed, and sent apart
        return
    name = resource.lower() if service == "table" else resource
    kind = parameters.get("sr", "")
    snapshot = parameters.get(_SNAPSHOTS[kind], "") if kind in _SNAPSHOTS else ""
    if kind in _SNAPSHOTS and not snapshot:  # signed, and not always sent in the same URL
        return
    extended = parameters | {" snapshot": snapshot}
    # Azure's documentation signs a directory with a slash at its end, its libraries without.
    end_of_place = ("", "/") if kind == "d" else ("",)
    for place in (f"{prefix}/{account}/{name}{slash}" for prefix in (f"/{service}", "") for slash in end_of_place):
        for signer in _SIGNERS if parameters.get("skoid") else (("si",),):
            for end in _ENDS.get(service, ()):
                yield "\n".join(
                    [*values(("sp", "st", "se")), place, *values(signer), *(extended.get(one, "") for one in end)]
                )
