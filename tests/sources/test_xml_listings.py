"""Listings in XML: what stores answer, in all their forms, and what somebody could send in their place."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.listed import Container, Folders, Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import Chunk, Kind, xml, xml_dialect, xml_read, xml_split
from oakum.scanner.sources.listings.azure_xml import AZURE_XML
from oakum.scanner.sources.listings.fields import CUT_OFF, GOES_ON, NO_DATE, NO_SIZE
from oakum.scanner.sources.listings.kinds import recognise
from oakum.scanner.sources.listings.s3_xml import S3_XML
from oakum.scanner.sources.listings.swift_xml import SWIFT_XML

S3 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>acme</Name><Prefix/>{head}<IsTruncated>{more}</IsTruncated>{entries}{tail}</ListBucketResult>"
)
AZURE = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>'
    '<EnumerationResults ServiceEndpoint="https://acme.blob.core.windows.net/"'
    ' ContainerName="backups"><Blobs>{}</Blobs><NextMarker />{}</EnumerationResults>'
)
Row = tuple[bytes, int, bytes, bytes, bytes, bytes]


def s3(*entries: str, head: str = "", more: str = "false", tail: str = "") -> bytes:
    return S3.format(head=head, more=more, entries="".join(entries), tail=tail).encode()


def contents(
    key: str, size: object = 12, date: str = "2020-07-20T10:00:00.000Z", *, etag: str = "ab", tail: str = ""
) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{date}</LastModified><ETag>&quot;{etag}&quot;</ETag>"
        f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass>{tail}</Contents>"
    )


def blob(
    name: str, size: object = 12, date: str = "Mon, 20 Jul 2020 10:00:00 GMT", *, more: str = "", tail: str = ""
) -> str:
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Creation-Time>Mon, 20 Jul 2020 10:00:00 GMT</Creation-Time>"
        f"<Last-Modified>{date}</Last-Modified><Etag>0x8D</Etag><Content-Length>{size}</Content-Length>"
        f"<Content-Type>text/plain</Content-Type><Content-Encoding /><BlobType>BlockBlob</BlobType>{more}</Properties>"
        f"{tail}</Blob>"
    )


def read(kind: Kind, *parts: bytes, container: bytes = b"") -> list[object]:
    """All that a listing says: rows one by one, with their container, and everything else as it comes."""
    said: list[object] = []
    for part in kind.split(parts, container):
        if isinstance(part, Chunk):
            for found in kind.read(part):
                said += rows(found) if isinstance(found, Rows) else [found]
        else:
            said.append(part)
    return said


def rows(found: Rows) -> Iterator[tuple[bytes, Row]]:
    for n, key in enumerate(found.keys):
        etag = found.etags[n] if found.etags else b""
        version = found.versions[n] if found.versions else b""
        yield found.container, (key, found.sizes[n], found.days[n], etag, version, found.texts.get(n, b""))


def row(
    key: str, size: int = 12, day: str = "2020-07-20", etag: str = '"ab"', version: str = "", text: str = ""
) -> tuple[bytes, Row]:
    return b"acme", (key.encode(), size, day.encode(), etag.encode(), version.encode(), text.encode())


def azure_row(
    key: str, size: int = 12, day: str = "2020-07-20", version: str = "", text: str = ""
) -> tuple[bytes, Row]:
    return b"backups", (key.encode(), size, day.encode(), b"0x8D", version.encode(), text.encode())


def lost(why: str, count: int = 1, what: bytes = b"acme", *, policy: bool = False) -> NotScanned:
    return NotScanned(what, why, policy, count)


# --- S3 --------------------------------------------------------------------------------------------------------------


def test_objects_of_a_bucket() -> None:
    """Key, size, day and etag, as ListObjectsV2 tells them."""
    listing = s3(contents("a/b.txt"), contents("c & d <e>", 0, etag="cd"))
    assert recognise(listing) is S3_XML
    assert read(S3_XML, listing) == [row("a/b.txt"), row("c & d <e>", 0, etag='"cd"')]


def test_entries_may_be_of_several_forms() -> None:
    """With an owner, without a storage class, indented: each is read, in its order."""
    odd = (
        "\n  <Contents>\n <Key>odd</Key>\n <Size>7</Size>\n <Owner><ID>1</ID>"
        "<DisplayName>x</DisplayName></Owner>\n</Contents>"
    )
    listing = s3(contents("a"), odd, contents("b", tail="<Owner><ID>2</ID></Owner>"), odd)
    assert read(S3_XML, listing) == [row("a"), row("odd", 7, "", ""), row("b"), row("odd", 7, "", "")]


def test_versions_of_objects() -> None:
    """Each version is an object; what marks a deletion is none."""
    version = (
        "<Version><Key>a</Key><VersionId>{}</VersionId><IsLatest>false</IsLatest>"
        "<LastModified>2020-07-20T10:00:00Z</LastModified><ETag>&quot;ab&quot;</ETag>"
        "<Size>12</Size></Version>"
    )
    marker = "<DeleteMarker><Key>a</Key><VersionId>3</VersionId><IsLatest>true</IsLatest></DeleteMarker>"
    listing = (
        f"<ListVersionsResult><Name>acme</Name>"
        f"<IsTruncated>false</IsTruncated>{version.format(1)}{marker}{version.format(2)}</ListVersionsResult>"
    ).encode()
    assert recognise(listing) is S3_XML
    assert read(S3_XML, listing) == [row("a", version="1"), row("a", version="2")]


def test_folders_and_buckets() -> None:
    """What a listing names and does not enter."""
    listing = s3(
        contents("a"),
        (
            "<CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes><CommonPrefixes>"
            "<Prefix>y &amp; z/</Prefix></CommonPrefixes>"
        ),
    )
    assert read(S3_XML, listing) == [row("a"), Folders(b"acme", [b"x/", b"y & z/"])]
    buckets = (
        b"<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets><Bucket><Name>acme</Name>"
        b"<CreationDate>2019-01-02T03:04:05Z</CreationDate></Bucket></Buckets>"
        b"</ListAllMyBucketsResult>"
    )
    assert recognise(buckets) is S3_XML
    assert read(S3_XML, buckets) == [Container(b"acme", "", b"2019-01-02")]


def test_keys_in_url_encoding() -> None:
    """As they come where `encoding-type=url` was asked for: a plus is a space."""
    listing = s3(contents("a%2Fb+c%0Ad%252F"), head="<EncodingType>url</EncodingType>")
    assert read(S3_XML, listing) == [row("a/b c\nd%2F")]
    assert read(S3_XML, s3(contents("a%2Fb+c"))) == [row("a%2Fb+c")]


def test_control_characters_by_reference() -> None:
    """S3 refers to characters that XML 1.0 does not have."""
    listing = s3(contents("x").replace("<Key>x<", "<Key>a&#x1;b&#10;c&#128273;<"))
    assert read(S3_XML, listing) == [row("a\x01b\nc\U0001f511")]


def test_several_pages_one_after_another() -> None:
    """Each with its own bucket; that the first says that it goes on is no news."""
    pages = s3(contents("a"), more="true") + b"\n" + s3(contents("b")).replace(b"<Name>acme<", b"<Name>other<")
    assert read(S3_XML, pages) == [row("a"), (b"other", row("b")[1])]


def test_a_listing_that_goes_on() -> None:
    """A page of several, without those behind it, is told."""
    assert read(S3_XML, s3(contents("a"), more="true")) == [row("a"), lost(GOES_ON)]


def test_namespace_prefixes() -> None:
    """Those of the root element count for its entries, too."""
    listing = (
        b'<x:ListBucketResult xmlns:x="urn:x"><x:Name>acme</x:Name><x:Contents><x:Key>a</x:Key>'
        b"<x:Size>3</x:Size></x:Contents></x:ListBucketResult>"
    )
    assert recognise(listing) is S3_XML
    assert read(S3_XML, listing) == [row("a", 3, "", "")]
    odd = listing.replace(b"</x:Size>", b"<!-- --></x:Size>")
    assert read(S3_XML, odd) == [row("a", 3, "", "")]


# --- Azure, Swift ----------------------------------------------------------------------------------------------------


def test_azure_blobs() -> None:
    """Names, sizes, days in RFC 1123, versions; users' metadata and tags as text."""
    listing = AZURE.format(
        blob("a/b.txt")
        + blob("with", tail="<Metadata><owner>bob</owner><note>x &amp; y</note></Metadata>")
        + blob("none", tail="<Metadata />")
        + blob("copied", more="<CopySource>https://acme.test/x?a=1&amp;b=2</CopySource>")
        + blob("tagged", tail="<Tags><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tags>")
        + blob("versioned").replace("<Properties>", "<VersionId>2020-07-20T10:00:00.0000000Z</VersionId><Properties>"),
        "",
    ).encode()
    assert recognise(listing) is AZURE_XML
    assert read(AZURE_XML, listing) == [
        azure_row("a/b.txt"),
        azure_row("with", text="owner=bob\nnote=x & y"),
        azure_row("none"),
        azure_row("copied", text="CopySource=https://acme.test/x?a=1&b=2"),
        azure_row("tagged", text="k=v"),
        azure_row("versioned", version="2020-07-20T10:00:00.0000000Z"),
    ]


def test_azure_names_that_xml_cannot_hold() -> None:
    """They come percent-encoded, and say so."""
    listing = AZURE.format(
        blob("x").replace("<Name>x<", '<Name Encoded="true">a%01b%2Fc<') + blob("a%01b"), ""
    ).encode()
    assert read(AZURE_XML, listing) == [azure_row("a\x01b/c"), azure_row("a%01b")]


def test_azure_containers() -> None:
    """With what anybody may do there, and their metadata."""
    listing = (
        b'<EnumerationResults ServiceEndpoint="https://acme.blob.core.windows.net/"><Containers>'
        b"<Container><Name>open</Name><Properties>"
        b"<Last-Modified>Mon, 20 Jul 2020 10:00:00 GMT</Last-Modified>"
        b"<PublicAccess>container</PublicAccess></Properties><Metadata><a>b</a></Metadata>"
        b"</Container>"
        b"<Container><Name>half</Name><Properties><PublicAccess>blob</PublicAccess></Properties></Container>"
        b"<Container><Name>shut</Name><Properties><Etag>1</Etag></Properties></Container>"
        b"</Containers><NextMarker /></EnumerationResults>"
    )
    assert read(AZURE_XML, listing) == [
        Container(b"open", "list", b"2020-07-20", b"a=b"),
        Container(b"half", "read"),
        Container(b"shut"),
    ]


def test_swift() -> None:
    """A container, and the containers of an account."""
    listing = (
        b'<?xml version="1.0"?><container name="acme"><object><name>a</name><hash>ab</hash><bytes>3</bytes>'
        b"<content_type>x</content_type><last_modified>2020-07-20T10:00:00.5</last_modified></object>"
        b'<subdir name="x/"><name>x/</name></subdir></container>'
    )
    assert recognise(listing) is SWIFT_XML
    assert read(SWIFT_XML, listing) == [row("a", 3, etag="ab"), Folders(b"acme", [b"x/"])]
    account = b'<account name="A"><container><name>acme</name><count>1</count><bytes>3</bytes></container></account>'
    assert read(SWIFT_XML, account) == [Container(b"acme")]


# --- what somebody could send -----------------------------------------------------------------------------------------


def test_a_listing_that_is_cut_off() -> None:
    """What is whole counts, and the rest is told."""
    whole = s3(contents("a"), contents("b"))
    for end in (whole.index(b"b</Key>"), whole.index(b"</ListBucketResult")):
        assert read(S3_XML, whole[:end])[-1] == lost(CUT_OFF)
        assert read(S3_XML, whole[:end])[0] == row("a")


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://203.0.113.1/x.dtd">',
    ],
)
def test_document_types_and_entities_are_refused(declared: str) -> None:
    """Nothing is expanded, nothing is opened: an entry with an entity is left out, the others are not."""
    listing = s3(contents("a"), contents("x").replace("<Key>x<", "<Key>&c;<"), contents("b"))
    listing = listing.replace(b"<ListBucketResult", declared.encode() + b"<ListBucketResult", 1)
    assert recognise(listing) is S3_XML
    assert read(S3_XML, listing) == [
        lost(xml_split.DECLARES, policy=True),
        row("a"),
        row("b"),
        lost(xml_read.DAMAGED),
    ]


@pytest.mark.parametrize(
    "damaged",
    [
        "<Contents><Key>x</Kex></Contents>",
        "<Contents><Size>3</Size></Contents>",
        "<Contents><Key></Key></Contents>",
        "<Contents><Key>x</Key><Size>3</Contents>",
        "<Contents><Key>a<b</Key></Contents>",
    ],
)
def test_a_damaged_entry_costs_itself(damaged: str) -> None:
    """Those around it are read."""
    assert read(S3_XML, s3(contents("a"), damaged, contents("b"))) == [row("a"), row("b"), lost(xml_read.DAMAGED)]


def test_comments_and_character_data() -> None:
    """What a strict parser takes is taken."""
    odd = "<Contents><!-- <Key>no</Key> --><Key><![CDATA[a & <b>]]></Key><Size>3</Size></Contents>"
    assert read(S3_XML, s3(contents("x"), odd)) == [row("x"), row("a & <b>", 3, "", "")]


def test_sizes_and_dates_that_cannot_be() -> None:
    """The object is listed without them, and that is told."""
    listing = s3(
        contents("a", 1 << 70), contents("b", -1), contents("c", "x"), contents("d", date="yesterday"),
        contents("e", date="2020-13-40T00:00:00Z"), contents("f", (1 << 63) - 1), contents("g", 1 << 63),
    )  # fmt: skip
    assert read(S3_XML, listing) == [
        row("a", -1), row("b", -1), row("c", -1), row("d", day=""), row("e", day=""), row("f", (1 << 63) - 1),
        row("g", -1), lost(NO_DATE, 2, policy=True), lost(NO_SIZE, 4, policy=True),
    ]  # fmt: skip


def test_long_keys_and_long_entries() -> None:
    """A key of 10 kB is one; one of a megabyte is not, and is not kept in memory."""
    long = "k" * 10_000
    endless = contents("x").replace("<Key>x<", f"<Key>{'x' * (9 << 20)}<")
    assert read(S3_XML, s3(contents(long), contents("k" * 20_000), contents("b"))) == [
        row(long),
        row("b"),
        lost(xml_split.TOO_LONG),
    ]
    said = read(S3_XML, *in_parts(s3(contents("a"), endless, contents("b")), 1 << 16))
    assert said[0] == row("a")
    assert row("b") in said
    assert any(isinstance(one, NotScanned) and not one.policy for one in said)


def test_bytes_that_are_not_utf8_stay() -> None:
    """A key is what the store would be asked for."""
    listing = s3(contents("x")).replace(b"<Key>x<", b"<Key>a\xff\xfe<")
    assert read(S3_XML, listing) == [(b"acme", (b"a\xff\xfe", 12, b"2020-07-20", b'"ab"', b"", b""))]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html><body>ListBucketResult</body></html>",
        b"{}",
        b"plain\ntext",
        b"<?xml version='1.0'?>",
        b"<a><ListBucketResult></a>",
    ],
)
def test_what_is_no_listing_is_not_recognised(text: bytes) -> None:
    """By its root element."""
    assert recognise(text) not in (S3_XML, AZURE_XML, SWIFT_XML)


# --- laws ------------------------------------------------------------------------------------------------------------


def in_parts(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
)
ENTRIES = st.lists(
    st.builds(
        contents, NAMES.filter(str.strip), st.integers(0, 1 << 60), etag=st.text("0123456789abcdef", max_size=8),
        tail=st.sampled_from(["", "<Owner><ID>1</ID></Owner>", "\n", "<X>t</X>"]),
    ),
    max_size=12,
)  # fmt: skip


@given(ENTRIES, st.lists(st.integers(0, 4000), max_size=5))
def test_how_a_stream_is_cut_changes_nothing(entries: list[str], cuts: list[int]) -> None:
    """Rows come out alike, whatever the parts in which they come."""
    listing = s3(*entries)
    borders = sorted({min(cut, len(listing)) for cut in cuts})
    parts = [listing[a:b] for a, b in zip([0, *borders], [*borders, len(listing)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oakum.scanner.sources.listings.fields.CHUNK", 300)
        patch.setattr(xml, "blocks", lambda stream: stream)
        assert read(S3_XML, *parts) == read(S3_XML, listing)


@given(ENTRIES)
def test_the_fast_way_and_the_strict_one_agree(entries: list[str]) -> None:
    """What a learned pattern reads is what an XML parser reads."""
    listing = s3(*entries)
    strict = s3(*(entry.replace("</Contents>", "<!-- --></Contents>") for entry in entries))
    assert read(S3_XML, listing) == read(S3_XML, strict)


@given(st.binary(max_size=60), st.integers(0, 900))
def test_damage_raises_nothing_and_costs_what_it_touches(damage: bytes, at: int) -> None:
    """Entries before the damage are read."""
    listing = s3(*(contents(f"key-{n}") for n in range(6)))
    damaged = listing[:at] + damage + listing[at + len(damage) :]
    said = read(S3_XML, damaged)
    if recognise(damaged) is S3_XML and b"<Name>acme<" in damaged[:at]:
        for n in range(6):
            end = listing.index(f"key-{n}<".encode())
            whole = listing.index(b"</Contents>", end) + 11
            assert row(f"key-{n}") in said or whole > at


def test_a_page_that_tells_behind_its_entries_what_it_is() -> None:
    """The order of elements is not fixed: moto writes the name and the encoding behind the keys."""
    page = (
        b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a%20b+c</Key><Size>12</Size></Contents>"
        b"<Name>acme</Name><EncodingType>url</EncodingType></ListBucketResult>"
    )
    said = read(S3_XML, page + page.replace(b"acme", b"other").replace(b"url", b""), container=b"given")
    assert said == [
        (b"acme", (b"a b c", 12, b"", b"", b"", b"")),
        (b"other", (b"a%20b+c", 12, b"", b"", b"", b"")),
    ]


# --- all that XML allows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "key"),
    [
        ("<Contents ><Key >x</Key ></Contents >", "x"),
        ("<Contents\n><Key\t>x</Key></Contents\n>", "x"),
        ("<Contents a=\"/\"><Key b='>'>x</Key></Contents>", "x"),
        ('<q:Contents xmlns:q="urn:q"><q:Key>x</q:Key></q:Contents>', "x"),
        ("<Contents><Key><![CDATA[</Contents>]]></Key></Contents>", "</Contents>"),
        ("<Contents><!-- </Contents><Contents><Key>no</Key> --><Key>x</Key></Contents>", "x"),
        ("<Contents><?p </Contents>?><Key>x</Key></Contents>", "x"),
        ("<Contents><Key>x<!-- y --></Key></Contents>", "x"),
        ("<Contents><Key>x</Key><Contents>t</Contents></Contents>", "x"),
    ],
)
def test_entries_as_xml_allows_them(odd: str, key: str) -> None:
    """Spaces in tags, attributes, any prefix, sections: an entry is read wherever it stands, alone or among others."""
    for listing in (s3(odd), s3(odd, odd), s3(contents("a"), odd, contents("b"))):
        said = [one for one in read(S3_XML, listing) if not isinstance(one, tuple) or one[1][0] not in (b"a", b"b")]
        text = b"Contents=t" if ">t<" in odd else b""
        assert said == [(b"acme", (key.encode(), -1, b"", b"", b"", text))] * (2 if listing == s3(odd, odd) else 1)
        if contents("a").encode() in listing:
            assert row("a") in read(S3_XML, listing)
            assert row("b") in read(S3_XML, listing)


def test_plain_entries_under_a_root_with_a_prefix() -> None:
    """And the other way round: what counts is the name."""
    listing = (
        b'<s:ListBucketResult xmlns:s="urn:s"><s:Name>acme</s:Name><Contents><Key>a</Key><Size>3</Size></Contents>'
    )
    assert read(S3_XML, listing + b"</s:ListBucketResult>") == [row("a", 3, "", "")]


@pytest.mark.parametrize("section", ["<!-- {} -->", "<?p {} ?>", "<![CDATA[{}]]>"])
def test_entries_in_sections_are_none(section: str) -> None:
    """Neither an entry nor the end of a page nor another page."""
    no = section.format(contents("no") + "</ListBucketResult><ListBucketResult><Name>no</Name>")
    assert read(S3_XML, s3(no, contents("a"), no, contents("b"), no)) == [row("a"), row("b")]


@pytest.mark.parametrize(
    "name",
    ['<Name x="1">acme</Name>', "<Name><![CDATA[acme]]></Name>", "<!-- <Name>no</Name> --><Name >ac<!-- -->me</Name>"],
)
def test_names_of_containers_as_xml_allows_them(name: str) -> None:
    """Attributes, sections, comments."""
    assert read(S3_XML, s3(contents("a")).replace(b"<Name>acme</Name>", name.encode())) == [row("a")]


@pytest.mark.parametrize(
    ("kind", "empty"),
    [
        (SWIFT_XML, b'<?xml version="1.0"?><container name="c" />'),
        (SWIFT_XML, b'<account name="c"/>'),
        (S3_XML, b'<ListBucketResult xmlns="x"/>'),
        (S3_XML, b"<ListBucketResult/>"),
        (S3_XML, b"<ListBucketResult></ListBucketResult>\n"),
        (AZURE_XML, b'<EnumerationResults ContainerName="c"><Blobs/><NextMarker/></EnumerationResults>'),
    ],
)
def test_an_empty_listing_is_whole(kind: Kind, empty: bytes) -> None:
    """However it is written."""
    assert recognise(empty) is kind
    assert read(kind, empty) == []
    assert read(kind, empty + empty) == []


@pytest.mark.parametrize(
    "root", ["<container data-name='no' name = 'ac&amp;me'>", '<x:container xmlns:x="a>b" name="ac&amp;me" >']
)
def test_names_in_attributes_as_xml_allows_them(root: str) -> None:
    """Spaces, either quotation mark, other attributes."""
    end = "</x:container>" if ":c" in root else "</container>"
    assert read(SWIFT_XML, f"{root}<object><name>a</name></object>{end}".encode()) == [
        (b"ac&me", (b"a", -1, b"", b"", b"", b""))
    ]


def test_an_account_of_many_containers() -> None:
    """Its entries have the name of another root."""
    entry = b"<container><name>%d</name><count>1</count><bytes>3</bytes></container>"
    listing = b'<account name="A">' + b"".join(entry % n for n in range(4000)) + b"</account>"
    assert read(SWIFT_XML, listing) == [Container(b"%d" % n) for n in range(4000)]


# --- time and memory --------------------------------------------------------------------------------------------------


def test_metadata_of_another_form_than_the_first() -> None:
    """A pattern never runs from one entry into the next: this took time by the cube."""
    pairs = "<Metadata><k>v</k></Metadata>"
    tags = "<Tags><TagSet><Tag><Key>t</Key><Value>w</Value></Tag></TagSet></Tags>"
    listing = AZURE.format(blob("a", tail=pairs) + blob("b", tail=pairs + tags) * 10_000, "").encode()
    assert read(AZURE_XML, listing) == [azure_row("a", text="k=v")] + [azure_row("b", text="k=v\nt=w")] * 10_000


def test_metadata_that_is_named_as_an_entry() -> None:
    """Users name it."""
    pairs = "<Metadata><Blob>v</Blob><x>w</x></Metadata>"
    listing = AZURE.format(blob("a", tail=pairs) + blob("b") + blob("c", tail=pairs), "").encode()
    text = "Blob=v\nx=w"
    assert read(AZURE_XML, listing) == [azure_row("a", text=text), azure_row("b"), azure_row("c", text=text)]


def test_damage_inside_of_metadata_takes_time_that_grows_with_it() -> None:
    """Elements that end and begin again, entries that begin and do not end."""
    first = (
        "<Contents><Key>a</Key><UserMetadata><k>v</k></UserMetadata><UserTags></UserTags><TagSet></TagSet></Contents>"
    )
    again = "</UserMetadata><UserTags></UserTags><TagSet></TagSet>" * 5_000
    listing = s3(first, f"<Contents><Key>b</Key><UserMetadata>{again}<z></Contents>", first)
    whole = row("a", -1, "", "", text="k=v")
    assert read(S3_XML, listing) == [whole, whole, lost(xml_read.DAMAGED)]
    assert read(S3_XML, s3("<Contents>" * 100_000, "</Contents>"))[-1] == lost(xml_read.DAMAGED, 100_000)


def test_entries_that_all_have_elements_of_their_own() -> None:
    """Memory grows with what there is, not with rows times names."""
    listing = s3(*(f"<Contents><Key>a</Key><x{n}>v</x{n}></Contents>" for n in range(8_000)))
    tracemalloc.start()
    try:
        said = read(S3_XML, listing)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()
    assert said == [row("a", -1, "", "", text=f"x{n}=v") for n in range(8_000)]


def test_entries_of_many_elements() -> None:
    """Each is a line."""
    said = "".join(f"<x{n}>v</x{n}>" for n in range(30_000))
    text = "\n".join(f"x{n}=v" for n in range(30_000))
    listing = s3(
        f"<Contents><Key>a</Key>{said}</Contents>", f"<Contents><Key>a</Key><TagSet>{said}</TagSet></Contents>"
    )
    assert read(S3_XML, listing) == [row("a", -1, "", "", text=text)] * 2


def test_elements_in_each_other() -> None:
    """So deep and no deeper."""
    deep = ["<a>" * n + "</a>" * n for n in (31, 32, 60_000)]
    listing = s3(*(f"<Contents><Key>a</Key>{one}</Contents>" for one in deep))
    assert read(S3_XML, listing) == [row("a", -1, "", "")] * 2 + [lost(xml_read.DAMAGED)]


@pytest.mark.parametrize(
    "nothing", [b" " * 997, b"x<y>&z;" * 142, b"<!-- " + b"x" * 900, b"<Prefix>p</Prefix>" * 50, b"<a" * 400]
)
@pytest.mark.parametrize("begins", [s3(contents("a")), s3(contents("a"))[:-19], S3.split("{")[0].encode()])
def test_what_stands_behind_the_last_entry_is_not_kept(
    nothing: bytes, begins: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is: what is looked at grows with the stream, what is kept does not."""
    looked: list[int] = []

    def shadow(data: bytes, within: bytes) -> bytes:
        looked.append(len(data))
        return xml_dialect.shadow(data, within)

    monkeypatch.setattr(xml_split, "shadow", shadow)
    count = (16 << 20) // len(nothing)
    said = list(S3_XML.split([begins, *[nothing] * count], b""))
    assert max(looked) <= (2 << 20) + (64 << 10) + len(begins)
    assert sum(looked) <= (16 << 20) * 1.2 + len(begins) + (8 << 20)
    assert [one for one in said if isinstance(one, NotScanned)] in ([], [lost(CUT_OFF)])


def late(keys: int, name: str = "acme") -> bytes:
    entries = "".join(f"<Contents><Key>dir%2Fk+{n}</Key></Contents>" for n in range(keys))
    return f"<ListBucketResult>{entries}<Name>{name}</Name><EncodingType>url</EncodingType></ListBucketResult>".encode()


def test_pages_that_tell_late_what_they_are_in_any_parts() -> None:
    """A page is read whole before it is decided what it lists."""
    pages = b"".join(late(1000) for _ in range(60))
    said = read(S3_XML, *in_parts(pages, 1 << 16))
    assert said == [row(f"dir/k {n}", -1, "", "") for n in range(1000)] * 60


def test_pages_that_tell_too_late_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of a long one is kept: what it tells at its end is not known, and that is told."""
    monkeypatch.setattr(xml_split, "WHOLE", 1 << 20)
    keys = 60_000
    said = read(S3_XML, *in_parts(late(keys) + late(1), 1 << 16))
    assert said[0] == (b"", (b"dir%2Fk+0", -1, b"", b"", b"", b""))
    assert said[keys:] == [row("dir/k 0", -1, "", ""), lost(xml_split.LATE)]


def test_many_pages_without_entries() -> None:
    """One is not searched beyond its end."""
    for page in (b"<ListBucketResult></ListBucketResult>", b"<ListBucketResult>", late(0)):
        assert [one for one in read(S3_XML, page * 20_000) if isinstance(one, tuple)] == []


ODD = st.sampled_from(
    [
        contents("a"),
        contents("b", tail="<X>t</X>"),
        "<Contents ><Key >c</Key ></Contents\n>",
        f"<!-- {contents('no')} -->",
        "<?p <Contents>?>",
        "<Contents><!-- </Contents> --><Key><![CDATA[<Contents>]]></Key></Contents>",
        "<x:Contents><x:Key>d</x:Key></x:Contents>",
    ]
)


@given(st.lists(ODD, max_size=12), st.lists(st.integers(0, 3000), max_size=5), st.booleans())
def test_how_an_odd_stream_is_cut_changes_nothing(entries: list[str], cuts: list[int], named: bool) -> None:
    """The same of all forms that XML allows, and of several pages."""
    listing = s3(*entries)
    if not named:
        listing = listing.replace(b"<Name>acme</Name>", b"").replace(b"</List", b"<Name>acme</Name></List")
    listing *= 2
    borders = sorted({min(cut, len(listing)) for cut in cuts})
    parts = [listing[a:b] for a, b in zip([0, *borders], [*borders, len(listing)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml, "blocks", lambda stream: stream)
        assert read(S3_XML, *parts) == read(S3_XML, listing)


def test_a_page_without_a_name_has_not_that_of_the_one_before() -> None:
    """What it tells is its own."""
    page = b"<ListBucketResult></ListBucketResult>"
    other = b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"
    assert read(S3_XML, late(1) + page + other) == [row("dir/k 0", -1, "", ""), (b"", (b"a", -1, b"", b"", b"", b""))]
