"""The small parts: URLs, addresses, proxies, and what is read of XML."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_pages import access
from oakum.scanner.errors import TargetError
from oakum.scanner.net.addresses import is_forbidden, is_metadata_name, is_own
from oakum.scanner.net.proxies import proxy_of
from oakum.scanner.net.urls import Url, parse
from oakum.scanner.sources.stores.answers import UnreadableError, raw, root_of, xml_texts
from oakum.scanner.sources.stores.credentials import AwsCredentials, aws_signature

# --- URLs ------------------------------------------------------------------------------------------------------------

QUERY = "sig=a%2Bb%2f+c&x&=y&sp=r%6c&&z=%zz"


def test_what_was_given_goes_out_byte_for_byte() -> None:
    """Whatever is put behind it or taken out."""
    url = parse(f"https://Host.example.org/a%2fb/{'%41'}//c?{QUERY}#fragment", plain_http=False)
    assert (url.target, url.site) == (f"/a%2fb/%41//c?{QUERY}", "https://host.example.org")
    assert url.asking((("k", "v w"),)).query == f"{QUERY}&k=v%20w"
    assert url.without(("sp", "x")).query == "sig=a%2Bb%2f+c&=y&z=%zz"
    assert (url.parameter("sig"), url.parameter("sp"), url.parameter("none")) == ("a+b/ c", "rl", "")
    assert url.shown == "https://host.example.org/a/b/A//c"


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_parameters_come_through(parameters: list[tuple[str, str]]) -> None:
    """As any server reads them."""
    parameters = [(n, v) for n, v in parameters if (n + v).isprintable()]
    query = Url("https", "host").asking(parameters).query
    assert parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)) == parameters


@given(st.text(max_size=200))
def test_anything_is_a_sound_url_or_refused(text: str) -> None:
    """What is sent has no blanks and no line breaks."""
    try:
        url = parse(f"https://host.example.org/{text}", plain_http=False)
    except TargetError:
        return
    assert url.target.isascii()
    assert not any(c.isspace() or ord(c) < 32 for c in url.target)
    assert urlsplit(url.site + url.target).netloc == "host.example.org"


def test_a_signature_covers_what_is_sent() -> None:
    """The headers of AWS's library; the secret is in none."""
    url = Url("https", "bucket.s3.eu-west-1.amazonaws.com", query="list-type=2&prefix=a%20b%2F")
    sent = aws_signature(AwsCredentials("made-up-id", "made-up-secret", "made-up-token"), url, "eu-west-1")
    assert set(sent) == {"X-Amz-Date", "X-Amz-Content-SHA256", "X-Amz-Security-Token", "Authorization"}
    assert "/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;" in sent["Authorization"]
    assert "made-up-secret" not in repr(sent)
    assert "made-up" not in repr(AwsCredentials("id", "made-up-secret", "made-up-token"))


# --- addresses -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 0xFFFF))
def test_link_local_addresses_in_all_their_forms(low: int) -> None:
    """As IPv4, and within IPv6: mapped, compatible, translated, tunnelled."""
    four = IPv4Address((169 << 24) + (254 << 16) + low)
    prefixes = (0xFFFF << 32, 0, 0x64FF9B << 96)
    forms = [str(four), *(str(IPv6Address(prefix + int(four))) for prefix in prefixes)]
    forms += [str(IPv6Address((0x2002 << 112) + (int(four) << 80))), f"fe80::{low:x}", f"fe80::{low:x}%eth0"]
    assert [form for form in forms if not is_forbidden(form)] == []


def test_other_addresses() -> None:
    """Those of metadata services elsewhere; of those that may be asked; and this machine's own."""
    for address in ("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "224.0.0.1"):
        assert is_forbidden(address)
    for address in ("127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "8.8.8.8", "2001:4860::1", "fd00::1", "text"):
        assert not is_forbidden(address)
    assert [is_own(a) for a in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "10.0.0.1", "::2")] == (
        [True] * 5 + [False] * 2
    )
    assert [is_metadata_name(n) for n in ("Metadata.Google.Internal.", "instance-data.ec2.internal", "store.org")] == (
        [True, True, False]
    )


@given(st.integers(0, 0xFFFF), st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]))
def test_addresses_that_are_written_as_numbers(low: int, form: str) -> None:
    """A proxy understands them; here nobody looks them up."""
    number = (169 << 24) + (254 << 16) + low
    a, b, c, d = number.to_bytes(4, "big")
    for parts in ((number,), (a, number & 0xFFFFFF), (a, b, low), (a, b, c, d)):
        assert is_metadata_name(".".join(form.format(part) for part in parts))
    for name in ("3232235777", "0x7f000001", "10.1", "dead.beef", "abc", "1.2.3.4.5", "99999999999", "0x", "fe80"):
        assert not is_metadata_name(name)


@pytest.mark.parametrize(
    ("environment", "target", "proxy"),
    [
        ({}, "https://a.org/", ""),
        ({"HTTPS_PROXY": "proxy:1"}, "https://a.org/", "http://proxy:1"),
        ({"https_proxy": "https://p:1", "HTTPS_PROXY": "http://q:1"}, "https://a.org/", "https://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "https://a.org/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://a.org/", ""),
        ({"HTTPS_PROXY": "http://p:1"}, "https://127.0.0.1:80/", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.org"}, "https://b.a.org/", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.a.org,c"}, "https://b.a.org/", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.org"}, "https://ba.org/", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.org:444"}, "https://a.org:444/", ""),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8, x/y"}, "https://10.1.2.3/", ""),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, "https://a.org/", ""),
    ],
)
def test_proxies(environment: dict[str, str], target: str, proxy: str) -> None:
    """As curl takes them."""
    assert proxy_of(parse(target, plain_http=False), access(environment).environment) == proxy


# --- XML -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=5))
def test_texts_of_xml_come_through_in_any_encoding(texts: list[str]) -> None:
    """Of each path the last ones, whatever stands at others."""
    from xml.sax.saxutils import escape

    def page(encoding: str) -> bytes:
        inner = "".join(f"<x:k>no</x:k><x:e><x:k>{escape(text)}</x:k></x:e>" for text in texts)
        return f'<x:r xmlns:x="u">{inner}</x:r>'.encode(encoding, "xmlcharrefreplace")

    path = ("r", "e", "k")
    found = xml_texts(page("utf-8"), {path: 2})[path]
    assert [raw(text) for text in found] == [text.encode() for text in texts[-2:]]
    assert "".join(xml_texts(page("ascii"), {path: 1})[path]) == texts[-1]


def test_documents_that_declare_what_they_are() -> None:
    """Nothing is expanded and nothing fetched."""
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r><k>&b;</k></r>'
    assert root_of(bomb.encode()) == "r"
    for page in (bomb, '<!DOCTYPE r SYSTEM "https://elsewhere.example/x.dtd"><r/>'):
        with pytest.raises(UnreadableError, match="declares a document type"):
            xml_texts(page.encode(), {("r", "k"): 1})


@pytest.mark.parametrize(
    ("page", "root"),
    [
        ("\ufeff<?xml version='1.0'?>\n<a:List xmlns:a='x'>", "List"),
        ("<!-- a - b --> <!----><List/>", "List"),
        ("<!DOCTYPE html><html lang='en'>", "html"),
        ("<List", ""),
        ("{}", ""),
        ("<!--" + "-" * 5000, ""),
    ],
)
def test_the_root_of_a_page(page: str, root: str) -> None:
    """Whatever stands before it."""
    assert root_of(page.encode()) == root
