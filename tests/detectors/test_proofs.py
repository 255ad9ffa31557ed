"""Signatures of other services than Azure Storage, made again with a key: proved by it, or refuted.

The text that is signed is put together here once more, from the providers' pages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from random import Random
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks import PROOFS
from scanning import scan

RNG = Random("proofs")
BUS_KEY = base64.b64encode(RNG.randbytes(32))
AWS_KEY = samples.build("aws_secret_key", RNG)
AWS_ID = samples.build("aws_access_key_id", RNG).decode()


def bus(key: bytes, place: str = "sb://acme.servicebus.windows.net/orders", se: int = 2_000_000_000) -> bytes:
    """A token as https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas says."""
    where = quote(place, safe="").lower()
    signature = base64.b64encode(hmac.digest(key, f"{where}\n{se}".encode(), "sha256")).decode()
    return f"SharedAccessSignature sr={where}&sig={quote(signature, safe='')}&se={se}&skn=send".encode()


def aws(url: str, *, method: str = "GET", key: bytes = AWS_KEY, expires: int = 604800) -> bytes:
    """A URL as https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html says."""
    host, path = urlsplit(url).netloc, urlsplit(url).path
    scope = "20300101/eu-west-1/s3/aws4_request"
    pairs = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": quote(f"{AWS_ID}/{scope}", safe=""),
        "X-Amz-Date": "20300101T000000Z",
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    query = "&".join(f"{name}={text}" for name, text in sorted(pairs.items()))
    request = f"{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n20300101T000000Z\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signing = b"AWS4" + key
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    return f"{url}?{query}&X-Amz-Signature={hmac.digest(signing, text.encode(), 'sha256').hex()}".encode()


URLS = (
    "https://acme.s3.eu-west-1.amazonaws.com/backup/db.bak",
    "https://s3.eu-west-1.amazonaws.com/acme/backup/db.bak",
    "https://acme.s3.amazonaws.com/a%20b%2Bc",
    "https://s3.acme.test/bucket/key",
)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "POST", "DELETE"])
def test_a_pre_signed_url_is_proved_by_its_secret_key(tmp_path, url: str, method: str) -> None:  # type: ignore[no-untyped-def]
    """Through a whole scan, whatever the method and the way of addressing; the key stands in another file."""
    (tmp_path / "url.txt").write_bytes(b"see " + aws(url, method=method) + b"\n")
    (tmp_path / "key.env").write_text(f"AWS_ACCESS_KEY_ID={AWS_ID}\nAWS_SECRET_ACCESS_KEY={AWS_KEY.decode()}\n")
    (signed,) = (r.finding for r in scan(tmp_path).findings if r.finding.detector.id == "aws-presigned-url")
    assert dict(signed.facts)["signature"] == "proved"


def test_a_token_of_service_bus_is_proved_and_refuted_by_the_key_of_its_connection_string(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A key of the very same host that did not make it refutes it; a key of another one says nothing."""
    told = {}
    for name, key, host in (
        ("its", BUS_KEY, "acme"),
        ("another", base64.b64encode(RNG.randbytes(32)), "acme"),
        ("of another host", base64.b64encode(RNG.randbytes(32)), "globex"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "token.txt").write_bytes(b"Authorization: " + bus(BUS_KEY) + b"\n")
        endpoint = f"Endpoint=sb://{host}.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey="
        (folder / "bus.env").write_bytes(b"BUS=" + endpoint.encode() + key + b"\n")
        (found,) = (r.finding for r in scan(folder).findings if r.finding.detector.id == "azure-service-bus-sas")
        told[name] = dict(found.facts).get("signature")
    assert told == {"its": "proved", "another": "refuted", "of another host": None}


@pytest.mark.parametrize("key", [BUS_KEY, base64.b64decode(BUS_KEY)])
def test_a_key_is_used_as_text_or_decoded(key: bytes) -> None:
    """Service Bus does the one, IoT Hub the other."""
    assert PROOFS["azure_service_bus"](bus(key), {}, BUS_KEY) is True


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_one_bit_changed_is_refuted(place: int, bit: int) -> None:
    """Wherever it is, unless both read the same: `%2F` is `%2f`."""
    token = bytearray(bus(BUS_KEY))
    place = len(b"SharedAccessSignature sr=") + place % (len(token) - len(b"SharedAccessSignature sr=&skn=send"))
    token[place] ^= 1 << bit
    assume(unquote_to_bytes(bytes(token)) != unquote_to_bytes(bus(BUS_KEY)))
    assert PROOFS["azure_service_bus"](bytes(token), {}, BUS_KEY) is not True


@pytest.mark.parametrize("name", sorted(PROOFS))
@given(
    value=st.binary(max_size=200),
    key=st.none() | st.binary(max_size=80),
    facts=st.dictionaries(st.sampled_from(["host", "resource", "account", "service"]), st.text(max_size=30)),
)
def test_no_value_no_key_and_no_facts_are_an_error(
    name: str, value: bytes, key: bytes | None, facts: dict[str, str]
) -> None:
    """Nothing is proved of them."""
    assert PROOFS[name](value, facts, key) is not True
