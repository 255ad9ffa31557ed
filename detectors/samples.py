"""Fresh, valid, made-up secrets: what detector files name in `sample`, so that no token stands in the repository.

A spec is a function of `BUILDERS` and its arguments: `alnum:20`, `hex:32`, `base64:64`. Without a spec, a value is
drawn from the group `secret` of the detector's pattern. Every builder takes the random source and its arguments as
text, and returns the bytes of one secret.
"""

from __future__ import annotations

import base64
import functools
import hmac
import json
import re
import string
import uuid
import zlib
from collections.abc import Callable
from random import Random
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

from .checks import azure_keys

ALNUM = string.ascii_letters + string.digits
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def _text(rng: Random, alphabet: str, length: int) -> bytes:
    return "".join(rng.choice(alphabet) for _ in range(length)).encode()


def alnum(rng: Random, length: str) -> bytes:
    """Letters and digits."""
    return _text(rng, ALNUM, int(length))


def upper(rng: Random, length: str) -> bytes:
    """Capital letters and digits."""
    return _text(rng, string.ascii_uppercase + string.digits, int(length))


def lower(rng: Random, length: str) -> bytes:
    """Small letters and digits."""
    return _text(rng, string.ascii_lowercase + string.digits, int(length))


def digits(rng: Random, length: str) -> bytes:
    """Digits."""
    return _text(rng, string.digits, int(length))


def hexadecimal(rng: Random, length: str) -> bytes:
    """Small hexadecimal digits."""
    return _text(rng, "0123456789abcdef", int(length))


def base64_bytes(rng: Random, length: str) -> bytes:
    """Base64 (RFC 4648) of that many random bytes, padded."""
    return base64.b64encode(rng.randbytes(int(length)))


def base64url_bytes(rng: Random, length: str) -> bytes:
    """URL-safe base64 (RFC 4648) of that many random bytes, without padding."""
    return base64.urlsafe_b64encode(rng.randbytes(int(length))).rstrip(b"=")


def mixed(rng: Random, length: str) -> bytes:
    """Letters of both cases and digits, three of each at least, the first a letter."""
    body = [rng.choice(s) for s in (string.ascii_lowercase, string.ascii_uppercase, string.digits) for _ in range(3)]
    body += [rng.choice(ALNUM) for _ in range(int(length) - len(body) - 1)]
    rng.shuffle(body)
    return (rng.choice(string.ascii_letters) + "".join(body)).encode()


def mixed_lower(rng: Random, length: str) -> bytes:
    """Small letters and digits, three of each at least."""
    body = [rng.choice(s) for s in (string.ascii_lowercase, string.digits) for _ in range(3)]
    body += [rng.choice(string.ascii_lowercase + string.digits) for _ in range(int(length) - len(body))]
    rng.shuffle(body)
    return "".join(body).encode()


def base64json(rng: Random, *names: str) -> bytes:
    """Base64 of a JSON object with these names, each with 32 random characters, `id` with a number."""
    values = {name: rng.randint(1, 999) if name == "id" else _text(rng, ALNUM, 32).decode() for name in names}
    return base64.b64encode(json.dumps(values, separators=(",", ":")).encode())


def guid(rng: Random) -> bytes:
    """A random UUID (RFC 9562, version 4) in its usual form."""
    return str(uuid.UUID(bytes=rng.randbytes(16), version=4)).encode()


def password(rng: Random, length: str = "14") -> bytes:
    """A password of letters, digits and a few signs, as people are made to choose them."""
    body = [rng.choice(string.ascii_lowercase), rng.choice(string.ascii_uppercase), rng.choice(string.digits)]
    body += [rng.choice(ALNUM + "-_+") for _ in range(int(length) - 3)]
    rng.shuffle(body)
    return "".join(body).encode()


def from_pattern(pattern: str, rng: Random) -> bytes:
    """A random text that the group `secret` of a pattern takes; look-around inside it is left to the caller."""
    tree = sre_parser.parse(pattern.encode("ascii"))
    number = tree.state.groupdict["secret"]
    group = _find(list(tree), number)
    if group is None:
        raise ValueError("the pattern has no group (?P<secret>…)")
    return bytes(_draw(group, rng))


def _find(items: Any, number: int) -> Any:
    for op, av in items:
        if op is sre.SUBPATTERN and av[0] == number:
            return av[3]
        children = [av[3]] if op is sre.SUBPATTERN else av[1] if op is sre.BRANCH else []
        for child in children:
            found = _find(child, number)
            if found is not None:
                return found
    return None


def _draw(items: Any, rng: Random) -> list[int]:
    out: list[int] = []
    for op, av in items:
        if op is sre.LITERAL:
            out.append(av)
        elif op is sre.IN:
            out.append(rng.choice(_taken(tuple(av))))
        elif op in (sre.ANY, sre.NOT_LITERAL):
            out.append(rng.choice([ord(c) for c in ALNUM if op is sre.ANY or ord(c) != av]))
        elif op is sre.SUBPATTERN:
            out += _draw(av[3], rng)
        elif op is sre.ATOMIC_GROUP:
            out += _draw(av, rng)
        elif op is sre.BRANCH:
            out += _draw(rng.choice(av[1]), rng)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            for _ in range(rng.randint(av[0], av[1])):
                out += _draw(av[2], rng)
    return out


@functools.cache
def _taken(members: tuple[Any, ...]) -> list[int]:
    """The printable bytes of a set, or a space."""
    return [b for b in range(33, 127) if _in_set(members, b)] or [32]


def _in_set(members: Any, byte: int) -> bool:
    negated = any(kind is sre.NEGATE for kind, _ in members)
    categories = {sre.CATEGORY_DIGIT: rb"\d", sre.CATEGORY_SPACE: rb"\s", sre.CATEGORY_WORD: rb"\w"}
    categories |= {sre.CATEGORY_NOT_DIGIT: rb"\D", sre.CATEGORY_NOT_SPACE: rb"\S", sre.CATEGORY_NOT_WORD: rb"\W"}
    found = any(
        (kind is sre.LITERAL and value == byte)
        or (kind is sre.RANGE and value[0] <= byte <= value[1])
        or (kind is sre.CATEGORY and re.match(categories[value], bytes([byte])) is not None)
        for kind, value in members
    )
    return found != negated


def crc32_base62(value: bytes, width: int) -> bytes:
    """CRC-32 (ISO-HDLC, as zlib's) of a value in base62, digits first, padded with zeros to `width`."""
    number, out = zlib.crc32(value), ""
    while number:
        number, digit = divmod(number, 62)
        out = BASE62[digit] + out
    return out.rjust(width, "0").encode()


def github(rng: Random, prefix: str) -> bytes:
    """A GitHub token: prefix, 30 letters and digits, their CRC-32 in six base62 digits.

    Source: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body = _text(rng, ALNUM, 30)
    return prefix.encode() + b"_" + body + crc32_base62(body, 6)


def aws_access_key_id(rng: Random) -> bytes:
    """An AWS access key id: AKIA and 16 base32 characters."""
    return b"AKIA" + _text(rng, string.ascii_uppercase + "234567", 16)


def atlassian(rng: Random, prefix: str) -> bytes:
    """A token of Atlassian's: prefix, random text (of `ATTA` hexadecimal, of `ATBB` letters and digits), CRC-32."""
    random = {"ATTA": hexadecimal(rng, "64"), "ATBB": alnum(rng, "24")}.get(prefix)
    head = prefix.encode() + (random or base64url_bytes(rng, "133") + b"=")
    return head + b"%08X" % zlib.crc32(head)


def aws_secret_key(rng: Random) -> bytes:
    """An AWS secret access key: base64 of 30 bytes, with a digit in it as nearly all have."""
    while True:
        value = base64_bytes(rng, "30")
        if re.search(rb"[0-9]", value) and re.search(rb"[g-zG-Z+/]", value):
            return value


def azure_marked_key(rng: Random, mark: str = "+ASt", seed: str = "") -> bytes:
    """An Azure key with the mark of its service, and a checksum behind it: `+ASt` is Azure Storage's, since 2022."""
    kind = azure_keys.KINDS[mark]
    seed = seed or rng.choice(list(kind.roles))
    alphabet = ALNUM if mark in ("AzCa", "AzSe") else ALNUM + "+/"
    while True:
        text = _text(rng, alphabet, (kind.size * 8 + 5) // 6 - 10) + mark.encode()
        body = base64.b64decode(text + b"A" * (-len(text) % 4))[: kind.size - 4]
        value = base64.b64encode(body + azure_keys.key_checksum(body, seed))
        if mark == "AzFu":
            return value.replace(b"+", b"-").replace(b"/", b"_")
        if mark == "AzCa":
            return value.replace(b"+", b"P").replace(b"/", b"F")
        if mark != "AzSe" or value.isalnum():
            return value


def azure_common_key(rng: Random, service: str = "ACOG", form: str = "short") -> bytes:
    """An Azure service key since 2024: 52 characters, `JQQJ99`, year and month, the service, a checksum."""
    made = rng.choice("ABCDE") + rng.choice("ABCDEFGHIJKL")
    text = b"JQQJ9" + rng.choice((b"9", b"9", b"D")) + made.encode() + _text(rng, ALNUM, 12)
    text += b"AAA" + _text(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcd", 1) + service.encode()
    while True:
        text = _text(rng, ALNUM, 52) + text[-28:]
        check = azure_keys.common_checksum(text, short=form == "short", base62=rng.random() < 0.5)
        if check.rstrip(b"=").isalnum():
            return text + check


def azure_client_secret(rng: Random) -> bytes:
    """A client secret of Entra: `8Q~` with the first three characters of its checksum, or the older `7Q~` without."""
    signs = ALNUM + "-_.~"
    if rng.random() < 0.2:
        return _text(rng, signs, 3) + b"7Q~" + _text(rng, signs, 31)
    text = _text(rng, signs, 3) + b"8Q~" + _text(rng, signs, 31)
    return text + azure_keys.entra_checksum(text)


def _signature(rng: Random) -> bytes:
    text = base64.b64encode(rng.randbytes(32))
    return text.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")


def azure_sas(rng: Random, kind: str = "") -> bytes:
    """The query of an Azure Storage SAS: `account`, `service`, `delegation`, `policy`, or one of them."""
    kind = kind or rng.choice(("account", "service", "delegation", "policy"))
    until = f"20{rng.randint(24, 60)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T08%3A30%3A00Z"
    limits = ["st=2020-01-01T00:00:00Z", "se=" + until, "spr=https"]
    pairs = {
        "account": ["ss=bfqt", "srt=sco", "sp=rwdlacup", *limits],
        "service": ["sr=c", "sp=rl", *limits],
        "policy": ["sr=b", "si=readers"],
        "delegation": ["sr=b", "sp=r", *limits, f"skoid={guid(rng).decode()}", f"sktid={guid(rng).decode()}"],
    }[kind]
    if kind == "delegation":
        pairs += ["skt=2020-01-01T00:00:00Z", "ske=" + until, "sks=b", "skv=2022-11-02"]
    pairs += ["sv=2022-11-02", "sig=" + _signature(rng).decode()]
    rng.shuffle(pairs)
    return "&".join(pairs).encode()


def azure_bus_sas(rng: Random) -> bytes:
    """A shared access signature of Service Bus, Event Hubs or IoT Hub, its parameters in any order."""
    place = rng.choice(("acme.servicebus.windows.net%2Fqueue", "acme.azure-devices.net%2Fdevices%2Fpump-7"))
    pairs = ["sr=" + place, "sig=" + _signature(rng).decode(), f"se={rng.randint(1500000000, 1900000000)}"]
    pairs += ["skn=send"] if "servicebus" in place or rng.random() < 0.5 else []
    rng.shuffle(pairs)
    return b"SharedAccessSignature " + "&".join(pairs).encode()


def azure_apim_sas(rng: Random) -> bytes:
    """A token of the management REST API of API Management, in one of its two forms, or of a gateway."""
    when, sign = f"20{rng.randint(20, 60)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}", base64_bytes(rng, "64").decode()
    short = f"{when.replace('-', '')}0830&{sign}"
    forms = (
        f"SharedAccessSignature uid=integration&ex={when}T08:30:00.0000000Z&sn={sign}",
        f"SharedAccessSignature integration&{short}",
        f"GatewayKey acme-gateway&{short}",
    )
    return rng.choice(forms).encode()


def azure_event_grid_sas(rng: Random) -> bytes:
    """A shared access signature of an Event Grid topic, its parameters in any order."""
    when = rng.choice(("6%2F15%2F2030+6%3A20%3A15+PM", "2030-06-15T18%3A20%3A15Z"))
    pairs = ["r=https%3A%2F%2Facme.westus2-1.eventgrid.azure.net%2Fapi%2Fevents", "e=" + when]
    pairs.append("s=" + _signature(rng).decode())
    rng.shuffle(pairs)
    return "&".join(pairs).encode()


def _trigger_query(rng: Random, version: str, trigger: str) -> str:
    pairs = [f"api-version={version}", f"sp=%2Ftriggers%2F{trigger}%2Frun", "sv=1.0"]
    pairs.append("sig=" + base64url_bytes(rng, "32").decode())
    rng.shuffle(pairs)
    return "&".join(pairs)


def azure_power_automate(rng: Random) -> bytes:
    """The URL of a Power Automate trigger, with its signature."""
    start = "https://default" + rng.randbytes(15).hex() + ".0a.environment.api.powerplatform.com:443/powerautomate"
    path = "/automations/direct/workflows/" + rng.randbytes(16).hex() + "/triggers/manual/paths/invoke?"
    return (start + path + _trigger_query(rng, "1", "manual")).encode()


def azure_logic_app(rng: Random) -> bytes:
    """The URL of a Logic Apps trigger, Consumption or Standard, with its signature."""
    name = "When_a_HTTP_request_is_received"
    if rng.random() < 0.5:
        start = f"https://acme.azurewebsites.net:443/api/orders/triggers/{name}/invoke?"
        return (start + _trigger_query(rng, "2022-05-01", name)).encode()
    start = "https://prod-12.westeurope.logic.azure.com:443/workflows/" + rng.randbytes(16).hex()
    return (start + "/triggers/manual/paths/invoke?" + _trigger_query(rng, "2016-10-01", "manual")).encode()


def _percent_encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def _shuffled(rng: Random, pairs: dict[str, str]) -> bytes:
    items = [f"{name}={text}" for name, text in pairs.items()]
    rng.shuffle(items)
    return "&".join(items).encode()


def _day(rng: Random) -> str:
    return f"20{rng.randint(20, 60)}0{rng.randint(1, 9)}1{rng.randint(0, 9)}"


def aws_presigned(rng: Random, store: str = "aws") -> bytes:
    """The query of a pre-signed URL, Signature Version 4 or (`v4a`) 4A, of AWS or of Cloudflare R2 (`r2`)."""
    key, day = aws_access_key_id(rng).decode() if store != "r2" else rng.randbytes(16).hex(), _day(rng)
    region = {"aws": "eu-central-1/", "r2": "auto/", "v4a": ""}[store]
    pairs = {
        "X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256" if store == "v4a" else "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key}/{day}/{region}s3/aws4_request".replace("/", "%2F"),
        "X-Amz-Date": f"{day}T083000Z",
        "X-Amz-Expires": str(rng.randint(1, 604800)),
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": (_ecdsa(rng) if store == "v4a" else rng.randbytes(32)).hex(),
    }
    if store == "v4a":
        pairs["X-Amz-Region-Set"] = "%2A"
    if rng.random() < 0.5:
        pairs["X-Amz-Security-Token"] = _percent_encoded(rng.randbytes(rng.randint(200, 1400)))
    if rng.random() < 0.5:
        pairs["response-content-disposition"] = "attachment%3B%20filename%3D%22report.pdf%22"
    return _shuffled(rng, pairs)


def _ecdsa(rng: Random) -> bytes:
    """A signature with ECDSA in DER: two integers of 32 bytes."""
    numbers = [b"\x02\x20" + bytes([rng.randint(1, 127)]) + rng.randbytes(31) for _ in range(2)]
    return b"\x30\x44" + b"".join(numbers)


def aws_presigned_v2(rng: Random) -> bytes:
    """The query of a pre-signed URL of S3, Signature Version 2."""
    pairs = {
        "AWSAccessKeyId": aws_access_key_id(rng).decode(),
        "Expires": str(rng.randint(1500000000, 2600000000)),
        "Signature": _percent_encoded(rng.randbytes(20)),
    }
    return _shuffled(rng, pairs)


def cloudfront_signed(rng: Random, form: str = "url") -> bytes:
    """The query of a signed URL of CloudFront, or (`cookie`) its signed cookies."""

    def safe(raw: bytes) -> str:
        return base64.b64encode(raw).decode().translate(str.maketrans("+=/", "-_~"))

    until = rng.randint(1500000000, 2600000000)
    limits = {"DateLessThan": {"AWS:EpochTime": until}, "IpAddress": {"AWS:SourceIp": "192.0.2.0/24"}}
    policy = {"Statement": [{"Resource": "https://media.acme.test/films/*", "Condition": limits}]}
    pairs = {
        "Signature": safe(rng.choice((rng.randbytes(256), _ecdsa(rng)))),
        "Key-Pair-Id": "K" + upper(rng, "13").decode(),
    }
    pairs |= {"Policy": safe(json.dumps(policy).encode())} if rng.random() < 0.5 else {"Expires": str(until)}
    if form == "url":
        return _shuffled(rng, pairs)
    return b"; ".join(b"CloudFront-" + pair for pair in _shuffled(rng, pairs).split(b"&"))


def google_signed(rng: Random) -> bytes:
    """The query of a signed URL of Google Cloud Storage, version 4 or 2."""
    day, email, raw = _day(rng), "robot@acme-prod.iam.gserviceaccount.com".replace("@", "%40"), rng.randbytes(256)
    if rng.random() < 0.4:
        until = str(rng.randint(1500000000, 2600000000))
        return _shuffled(rng, {"GoogleAccessId": email, "Expires": until, "Signature": _percent_encoded(raw)})
    pairs = {
        "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
        "X-Goog-Credential": f"{email}/{day}/auto/storage/goog4_request".replace("/", "%2F"),
        "X-Goog-Date": f"{day}T083000Z",
        "X-Goog-Expires": str(rng.randint(1, 604800)),
        "X-Goog-SignedHeaders": "host",
        "X-Goog-Signature": raw.hex(),
    }
    return _shuffled(rng, pairs)


def alibaba_signed(rng: Random) -> bytes:
    """The query of a signed URL of Alibaba Cloud OSS, version 4 or 1."""
    day, key = _day(rng), "LTAI" + alnum(rng, "20").decode()
    if rng.random() < 0.5:
        until = str(rng.randint(1500000000, 2600000000))
        return _shuffled(
            rng, {"OSSAccessKeyId": key, "Expires": until, "Signature": _percent_encoded(rng.randbytes(20))}
        )
    pairs = {
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": f"{key}/{day}/cn-hangzhou/oss/aliyun_v4_request".replace("/", "%2F"),
        "x-oss-date": f"{day}T083000Z",
        "x-oss-expires": str(rng.randint(1, 604800)),
        "x-oss-additional-headers": "host",
        "x-oss-signature": rng.randbytes(32).hex(),
    }
    return _shuffled(rng, pairs)


def google_service_account(rng: Random) -> bytes:
    """The private key of a Google service account, as its JSON file holds it."""
    text = base64.b64encode(_der_key(rng, "PRIVATE KEY"))
    lines = b"\\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"-----BEGIN PRIVATE KEY-----\\n" + lines + b"\\n-----END PRIVATE KEY-----\\n"


def github_jwt(rng: Random) -> bytes:
    """A GitHub App installation token in the form of 2026: `ghs_`, the number of the app, a JSON Web Token."""
    return b"ghs_%d_" % rng.randint(1000, 9999999) + jwt(rng, "RS256")


def grafana(rng: Random, service: str) -> bytes:
    """A Grafana token: `gl`, the service, 32 letters and digits, the CRC-32 of all that, low byte first, in hex."""
    head = b"gl" + service.encode() + b"_" + _text(rng, ALNUM, 32)
    return head + b"_" + zlib.crc32(head).to_bytes(4, "little").hex().encode()


def grafana_cloud(rng: Random) -> bytes:
    """A Grafana Cloud token: `glc_` and base64 of an object with organization, name, key and region."""
    name = f"stack-{rng.randint(1, 999999)}-{_text(rng, string.ascii_lowercase, 6).decode()}"
    token = {"o": str(rng.randint(1, 999999)), "n": name, "k": _text(rng, ALNUM, 24).decode(), "m": {"r": "us"}}
    return b"glc_" + base64.b64encode(json.dumps(token, separators=(",", ":")).encode())


def npm(rng: Random) -> bytes:
    """An npm token, in the form of GitHub's."""
    return github(rng, "npm")


def gitlab_routable(rng: Random) -> bytes:
    """A routable GitLab token, with a version field or without, its CRC-32 in base36 at the end."""
    digits36 = string.digits + string.ascii_lowercase
    routes = b"o:1\nu:" + lower(rng, "5")
    payload = base64.urlsafe_b64encode(rng.randbytes(16) + routes + bytes([len(routes)])).rstrip(b"=")
    size = divmod(len(payload), 36)
    head = rng.choice((b"glpat-", b"glrt-", b"acme-glpat-")) + payload + rng.choice((b".", b".01."))
    head += (digits36[size[0]] + digits36[size[1]]).encode()
    number, out = zlib.crc32(head), ""
    for _ in range(7):
        number, digit = divmod(number, 36)
        out = digits36[digit] + out
    return head + out.encode()


def paypal_secret(rng: Random) -> bytes:
    """A PayPal client secret: `E` and 79 letters, digits and signs of URL-safe base64."""
    return b"E" + mixed(rng, "79")


def pypi(rng: Random, location: str) -> bytes:
    """A PyPI token: a macaroon (version 2) with one or two caveats."""

    def packet(number: int, content: bytes) -> bytes:
        return bytes([number, len(content)]) + content

    caveats = [b'[3,"' + guid(rng) + b'"]', b'{"version": 1, "permissions": "user"}', b'[1,["acme"]]']
    caveats.append(b"[0,1893456000,1600000000]")
    chosen = rng.sample(caveats, rng.randint(1, 2))
    raw = b"\x02" + packet(1, location.encode()) + packet(2, guid(rng)) + b"\0"
    raw += b"".join(packet(2, caveat) + b"\0" for caveat in chosen) + b"\0" + packet(6, rng.randbytes(32))
    return b"pypi-" + base64.urlsafe_b64encode(raw).rstrip(b"=")


def discord(rng: Random) -> bytes:
    """A Discord bot token: base64 of the bot's number, six and 38 characters of URL-safe base64."""
    number = base64.b64encode(b"%d" % rng.randint(10**17, 2 * 10**18)).rstrip(b"=")
    return b".".join((number, base64url_bytes(rng, "4")[:6], base64url_bytes(rng, "28")))


def slack(rng: Random, prefix: str, numbers: str) -> bytes:
    """A Slack token: prefix, the numbers of workspace, user or app, and a random part."""
    parts = [prefix.encode(), *(b"%d" % rng.randint(10**10, 10**13) for _ in range(int(numbers)))]
    return b"-".join([*parts, alnum(rng, "24") if prefix == "xoxb" else hexadecimal(rng, "32")])


def slack_webhook(rng: Random) -> bytes:
    """A Slack webhook URL: incoming, of a workflow, or of a trigger."""
    team = b"T" + upper(rng, "10")
    path = rng.choice(
        (
            b"services/" + team + b"/B" + upper(rng, "10") + b"/" + alnum(rng, "24"),
            b"workflows/" + team + b"/A" + upper(rng, "10") + b"/%d/" % rng.randint(10**17, 10**18) + alnum(rng, "24"),
            b"triggers/" + team + b"/%d/" % rng.randint(10**12, 10**13) + hexadecimal(rng, "32"),
        )
    )
    return b"https://hooks.slack.com/" + path


def telegram(rng: Random) -> bytes:
    """A Telegram bot token: the number of the bot, a colon, `AA` and 33 more characters."""
    return b"%d:AA" % rng.randint(10**8, 10**10 - 1) + _text(rng, ALNUM + "_-", 33)


def twilio_secret(rng: Random) -> bytes:
    """The secret of a Twilio API key: 32 letters and digits."""
    return alnum(rng, "31") + digits(rng, "1")


def human_password(rng: Random) -> bytes:
    """A password as people make them up: a word, perhaps a second one, a number, a sign."""
    syllables = "ba co del far go hil jo kel lum mar nor pi ros tan vel zu".split()
    word = "".join(rng.choice(syllables) for _ in range(rng.randint(3, 4))).capitalize()
    return (word + str(rng.randint(10, 2099)) + rng.choice(("", "!", "@x", "#9", "_K", "+"))).encode()


def jwt(rng: Random, algorithm: str = "HS256") -> bytes:
    """A JSON Web Token (RFC 7519) with a random signature."""
    header = {"alg": algorithm, "typ": "JWT"}
    expires = 1893456000 + rng.randrange(10**6)
    claims = {"iss": "https://idp.acme.test", "sub": _text(rng, ALNUM, 12).decode(), "exp": expires}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    parts.append(rng.randbytes(32 if algorithm == "HS256" else 256))
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets) + content


def _large(rng: Random, bits: int) -> int:
    """A random odd number, so large that the product of two has twice the bits."""
    return rng.getrandbits(bits) | 3 << bits - 2 | 1


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _der_key(rng: Random, label: str) -> bytes:
    """Random numbers in the structure of a key: PKCS#1 (RFC 8017), SEC 1 (RFC 5915), PKCS#8 (RFC 5958)."""

    def number(size: int) -> bytes:
        return integer(_large(rng, size * 8))

    def integer(value: int) -> bytes:
        return _der(2, _mpint(value))

    zero = _der(2, b"\x00")
    if label == "EC PRIVATE KEY":
        curve = _der(0xA0, _der(6, bytes.fromhex("2a8648ce3d030107")))
        return _der(0x30, _der(2, b"\x01") + _der(4, rng.randbytes(32)) + curve)
    if label == "DSA PRIVATE KEY":
        return _der(0x30, zero + number(128) + number(20) + number(128) + number(128) + number(20))
    if label == "ENCRYPTED PRIVATE KEY":
        scheme = _der(0x30, _der(6, bytes.fromhex("2a864886f70d01050d")) + _der(0x30, rng.randbytes(60)))
        return _der(0x30, scheme + _der(4, rng.randbytes(1232)))
    first, second = _large(rng, 1024), _large(rng, 1024)
    halves = integer(first) + integer(second) + b"".join(number(128) for _ in range(3))
    rsa = _der(0x30, zero + integer(first * second) + integer(65537) + number(256) + halves)
    if label == "RSA PRIVATE KEY":
        return rsa
    algorithm = _der(0x30, _der(6, bytes.fromhex("2a864886f70d010101")) + b"\x05\x00")
    return _der(0x30, zero + algorithm + _der(4, rsa))


def _armour(rng: Random, label: str, raw: bytes, headers: str = "", check: str = "", line: int = 64) -> bytes:
    """RFC 7468 armour, in one of the forms that keys have in files: plain, with CR, indented, or `\\n` escapes."""
    text = base64.b64encode(raw).decode()
    body = headers + "\n".join(text[at : at + line] for at in range(0, len(text), line)) + check
    block = f"-----BEGIN {label}-----\n{body}\n-----END {label}-----"
    return block.replace("\n", rng.choice(("\n", "\n", "\r\n", "\n    ", "\\n"))).encode()


def pem(rng: Random, label: str = "") -> bytes:
    """A private key in PEM: `RSA`, `EC`, `DSA`, `ENCRYPTED` or none for PKCS#8."""
    full = f"{label} PRIVATE KEY".strip()
    return _armour(rng, full, _der_key(rng, full))


def pem_any(rng: Random) -> bytes:
    """A private key in PEM that no passphrase protects."""
    return pem(rng, rng.choice(("", "RSA", "EC", "DSA")))


def pem_encrypted(rng: Random) -> bytes:
    """A private key in PEM under a passphrase: PKCS#8, or the older form with headers (RFC 1421)."""
    if rng.random() < 0.5:
        return pem(rng, "ENCRYPTED")
    headers = f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{rng.randbytes(16).hex().upper()}\n\n"
    return _armour(rng, "RSA PRIVATE KEY", rng.randbytes(1192), headers)


def _ssh_text(*values: bytes) -> bytes:
    return b"".join(len(value).to_bytes(4, "big") + value for value in values)


def openssh_key(rng: Random) -> bytes:
    """An Ed25519 key in OpenSSH's own format (PROTOCOL.key), with or without a passphrase."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = rng.randbytes(32)
    half = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    private = rng.randbytes(4) * 2 + _ssh_text(b"ssh-ed25519", half, seed + half, b"deploy@acme")
    private += bytes(range(1, -len(private) % 8 + 1))
    lock = _ssh_text(b"none", b"none", b"")
    if rng.random() < 0.5:
        lock = _ssh_text(b"aes256-ctr", b"bcrypt", _ssh_text(rng.randbytes(16)) + (16).to_bytes(4, "big"))
        private = rng.randbytes(len(private))
    raw = b"openssh-key-v1\0" + lock + (1).to_bytes(4, "big") + _ssh_text(_ssh_text(b"ssh-ed25519", half), private)
    return _armour(rng, "OPENSSH PRIVATE KEY", raw, line=70)


def putty_key(rng: Random) -> bytes:
    """A PuTTY private key file (PuTTY manual, appendix C), with or without a passphrase."""
    first, second = _large(rng, 1024), _large(rng, 1024)
    public = _ssh_text(b"ssh-rsa", _mpint(65537), _mpint(first * second))
    private = _ssh_text(*map(_mpint, (_large(rng, 2040), first, second, _large(rng, 1020))))
    encryption, comment = rng.choice(("none", "aes256-cbc")), "rsa-key-20240101"
    lines = ["PuTTY-User-Key-File-3: ssh-rsa", f"Encryption: {encryption}", f"Comment: {comment}"]
    for name, raw in (("Public", public), ("Private", private if encryption == "none" else rng.randbytes(576))):
        text = base64.b64encode(raw).decode()
        rows = [text[at : at + 64] for at in range(0, len(text), 64)]
        lines += [f"{name}-Lines: {len(rows)}", *rows]
        if name == "Public" and encryption != "none":
            lines += ["Key-Derivation: Argon2id", "Argon2-Memory: 8192", "Argon2-Passes: 21", "Argon2-Parallelism: 1"]
            lines += [f"Argon2-Salt: {rng.randbytes(16).hex()}"]
    covered = _ssh_text(b"ssh-rsa", encryption.encode(), comment.encode(), public, private)
    lines.append(f"Private-MAC: {hmac.new(b'', covered, 'sha256').hexdigest()}")
    return rng.choice(("\n", "\r\n")).join(lines).encode()


def pgp_key(rng: Random) -> bytes:
    """An armoured OpenPGP secret key (RFC 9580): one RSA packet, its secret part locked or not."""
    made = rng.randint(10**9, 17 * 10**8).to_bytes(4, "big")
    public = b"\x04" + made + b"\x01\x08\x00" + b"\x80" + rng.randbytes(255) + b"\x00\x11\x01\x00\x01"
    packet = public + rng.choice((b"\xfe\x07\x03\x08", b"\x00")) + rng.randbytes(660)
    raw = b"\x95" + len(packet).to_bytes(2, "big") + packet
    check = "\n=" + base64.b64encode(rng.randbytes(3)).decode()
    return _armour(rng, "PGP PRIVATE KEY BLOCK", raw, rng.choice(("\n", "Version: GnuPG v2\n\n")), check)


def pem_base64(rng: Random) -> bytes:
    """Base64, without padding, of a whole PEM private key."""
    return base64.b64encode(pem_any(rng)).rstrip(b"=")


def prefixed(rng: Random, prefix: str, length: str) -> bytes:
    """A prefix, then letters and digits of all three kinds."""
    return prefix.encode() + mixed(rng, length)


def airtable(rng: Random) -> bytes:
    """An Airtable personal access token: `pat`, 14 letters and digits, a dot, 64 hexadecimal digits."""
    return b"pat" + alnum(rng, "14") + b"." + hexadecimal(rng, "64")


def linkedin(rng: Random) -> bytes:
    """A LinkedIn client secret: `WPL_AP1.`, 16 letters and digits, a dot, four bytes in base64."""
    return b"WPL_AP1." + alnum(rng, "16") + b"." + base64.b64encode(rng.randbytes(4))


def age_key(rng: Random) -> bytes:
    """The secret key of age: 32 bytes in Bech32 (BIP 173), in capital letters."""
    letters, name = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "age-secret-key-"
    bits = "".join(f"{byte:08b}" for byte in rng.randbytes(32)) + "0000"
    data = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    rest = 1
    for five in [*(ord(c) >> 5 for c in name), 0, *(ord(c) & 31 for c in name), *data, *[0] * 6]:
        top, rest = rest >> 25, (rest & 0x1FFFFFF) << 5 ^ five
        for bit, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            rest ^= factor if top >> bit & 1 else 0
    data += [(rest ^ 1) >> 5 * (5 - place) & 31 for place in range(6)]
    return (name + "1" + "".join(letters[five] for five in data)).upper().encode()


def _json64(value: dict[str, Any]) -> bytes:
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode())


def confluent(rng: Random) -> bytes:
    """The secret of a Confluent key since 2025: `cflt`, 54 characters, their CRC-32 in base64."""
    body = base64.b64encode(rng.randbytes(42))[:54]
    return b"cflt" + body + base64.b64encode(zlib.crc32(body).to_bytes(4, "little")).rstrip(b"=")


def mapbox(rng: Random, prefix: str) -> bytes:
    """A Mapbox token: `sk` or `pk`, account and number of the token, a signature."""
    claims = _json64({"u": "acme", "a": "c" + lower(rng, "24").decode()}).rstrip(b"=")
    return prefix.encode() + b"." + claims + b"." + base64url_bytes(rng, "16")


def onepassword(rng: Random) -> bytes:
    """The token of a 1Password service account."""
    claims = {"signInAddress": "acme.1password.com", "userAuth": {"method": "SRPg-4096", "alg": "PBES2g-HS256"}}
    claims |= {"email": "robot@acme.test", "srpX": rng.randbytes(32).hex(), "secretKey": alnum(rng, "34").decode()}
    return b"ops_" + _json64(claims).rstrip(b"=")


def sentry_org(rng: Random) -> bytes:
    """A Sentry organization token: what it belongs to as JSON in base64, and 32 random bytes."""
    claims = {"iat": 1700000000.5, "url": "https://sentry.io", "region_url": "https://us.sentry.io", "org": "acme"}
    return b"sntrys_" + _json64(claims) + b"_" + base64.b64encode(rng.randbytes(32)).rstrip(b"=")


def supabase_jwt(rng: Random, role: str) -> bytes:
    """A Supabase project's old key: a JSON Web Token with the role `service_role` or `anon`."""
    project = "".join(rng.choice(string.ascii_lowercase) for _ in range(20))
    claims = {"iss": "supabase", "ref": project, "role": role, "iat": 1700000000, "exp": 2015000000}
    parts = (_json64({"alg": "HS256", "typ": "JWT"}), _json64(claims))
    return b".".join([*(part.rstrip(b"=") for part in parts), base64url_bytes(rng, "32")])


BUILDERS: dict[str, Callable[..., bytes]] = {
    "age_key": age_key,
    "airtable": airtable,
    "alibaba_signed": alibaba_signed,
    "alnum": alnum,
    "atlassian": atlassian,
    "aws_access_key_id": aws_access_key_id,
    "aws_presigned": aws_presigned,
    "aws_presigned_v2": aws_presigned_v2,
    "aws_secret_key": aws_secret_key,
    "azure_apim_sas": azure_apim_sas,
    "azure_bus_sas": azure_bus_sas,
    "azure_client_secret": azure_client_secret,
    "azure_common_key": azure_common_key,
    "azure_event_grid_sas": azure_event_grid_sas,
    "azure_logic_app": azure_logic_app,
    "azure_marked_key": azure_marked_key,
    "azure_power_automate": azure_power_automate,
    "azure_sas": azure_sas,
    "base64": base64_bytes,
    "base64json": base64json,
    "base64url": base64url_bytes,
    "cloudfront_signed": cloudfront_signed,
    "confluent": confluent,
    "digits": digits,
    "discord": discord,
    "github": github,
    "github_jwt": github_jwt,
    "gitlab_routable": gitlab_routable,
    "google_service_account": google_service_account,
    "google_signed": google_signed,
    "grafana": grafana,
    "grafana_cloud": grafana_cloud,
    "guid": guid,
    "hex": hexadecimal,
    "human_password": human_password,
    "jwt": jwt,
    "linkedin": linkedin,
    "lower": lower,
    "mapbox": mapbox,
    "mixed": mixed,
    "mixed_lower": mixed_lower,
    "npm": npm,
    "onepassword": onepassword,
    "openssh_key": openssh_key,
    "password": password,
    "paypal_secret": paypal_secret,
    "pem": pem,
    "pem_any": pem_any,
    "pem_base64": pem_base64,
    "pem_encrypted": pem_encrypted,
    "pgp_key": pgp_key,
    "prefixed": prefixed,
    "putty_key": putty_key,
    "pypi": pypi,
    "sentry_org": sentry_org,
    "slack": slack,
    "slack_webhook": slack_webhook,
    "supabase_jwt": supabase_jwt,
    "telegram": telegram,
    "twilio_secret": twilio_secret,
    "upper": upper,
}


def build(spec: str, rng: Random) -> bytes:
    """One fresh secret for a spec such as `base64:64` or `github:ghp`; KeyError names an unknown builder."""
    name, _, arguments = spec.partition(":")
    return BUILDERS[name](rng, *(arguments.split(",") if arguments else ()))


def draw(spec: str, pattern: str, rng: Random) -> bytes:
    """One fresh secret of a detector: from its builder, or, where it names none, from its pattern."""
    return build(spec, rng) if spec else from_pattern(pattern, rng)


_FILTERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "basic": lambda value: base64.b64encode(b"deploy:" + value),
}
_PLACE = re.compile(r"\{(secret|sample:[^{}|]+)((?:\|[a-z0-9]+)*)\}")


def fill(example: str, secret: bytes, rng: Random) -> bytes:
    """An example with its places filled: `{secret}`, and `{sample:SPEC}` for other made-up parts.

    A filter may stand behind either: `|base64`, or `|basic` for the base64 of `deploy:VALUE` (RFC 7617).
    """

    def value(place: re.Match[str]) -> str:
        found = secret if place[1] == "secret" else build(place[1].removeprefix("sample:"), rng)
        for name in place[2].split("|")[1:]:
            found = _FILTERS[name](found)
        return found.decode("latin-1")

    return _PLACE.sub(value, example).encode("latin-1")
