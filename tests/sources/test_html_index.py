"""Folder indexes in HTML: of real servers over a folder of hostile names, and as others' documentation shows them."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hostile_folder import DAY, flat, made, read, walked
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.listed import Folders, Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import Chunk, Read, html
from oakum.scanner.sources.listings.fields import CUT_OFF, NO_DATE, NO_SIZE
from oakum.scanner.sources.listings.html import ELSEWHERE, HTML_INDEX, OUTSIDE, TOO_LONG

# --- real servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("served"))


@contextmanager
def serving(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """A server's address, while it runs."""
    server = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, f"{command[0]} ended with {server.returncode}"
                assert time.monotonic() < until, f"{command[0]} does not listen"
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def got(url: str) -> bytes:
    """What stands there, asked for directly."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        content: bytes = answer.read()
        return content


def crawled(address: str) -> list[Read]:
    """All that the pages of a server tell, folder by folder, as a crawl reads them."""
    told: list[Read] = []
    wanted = [b""]
    while wanted:
        prefix = wanted.pop()
        url = f"{address}/{quote(prefix)}"
        page = got(url)
        assert HTML_INDEX.recognises(page)
        for chunk in HTML_INDEX.split_page(page, b"site", prefix, url.encode()):
            assert isinstance(chunk, Chunk)
            for each in HTML_INDEX.read(chunk):
                told.append(each)
                wanted += each.prefixes if isinstance(each, Folders) else ()
    return told


@pytest.fixture(scope="module")
def nginx(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx with autoindex, as one process; without it a test is skipped."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if not program:
        pytest.skip("needs nginx: apt-get install nginx-light")
    home, port = tmp_path_factory.mktemp("nginx"), free_port()
    temporary = "".join(f"{name}_temp_path {home};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (home / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {home}/pid; error_log {home}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} server {{\n"
        f"listen 127.0.0.1:{port}; root {folder}; location / {{ autoindex on; }} }} }}\n"
    )
    with serving([program, "-p", str(home), "-c", str(home / "nginx.conf")], port, home) as address:
        yield address


def test_nginx(nginx: str, folder: Path) -> None:
    """Each file with its size and day, whatever its name, and no other."""
    told = flat(crawled(nginx))
    assert told == flat(
        [
            Rows(b"site", list(walked(folder)), list(walked(folder).values()), [DAY] * len(walked(folder))),
            Folders(b"site", [b"b/", b"b/\xff/", b"with blank/", b"with blank/inner one/"]),
        ]
    )


def test_python(folder: Path) -> None:
    """Each key is what the server is to be asked for: it answers with that file.

    Python 3.11 links a name that is not UTF-8 by its surrogates, and takes them.
    """
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    with serving(command, port, folder) as address:
        keys = [key for rows in crawled(address) if isinstance(rows, Rows) for key in rows.keys]
        sizes = [len(got(f"{address}/{quote(key)}")) for key in keys]
    files = walked(folder)
    assert sorted(sizes) == sorted(files.values())
    assert {key: size for key, size in zip(keys, sizes, strict=True) if is_utf8(key)} == {
        key: size for key, size in files.items() if is_utf8(key)
    }


def is_utf8(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True


# --- as others show theirs --------------------------------------------------------------------------------------------

PLAIN = b"""\
<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html>
 <head>
  <title>Index of /files</title>
 </head>
 <body>
<h1>Index of /files</h1>
<ul><li><a href="/"> Parent Directory</a></li>
<li><a href="a%20b/"> a b/</a></li>
<li><a href="x&amp;y.txt"> x&amp;y.txt</a></li>
</ul>
</body></html>
"""
FANCY = b"""\
<html><head><title>Index of /files</title></head><body><h1>Index of /files</h1>
<pre><img src="/icons/blank.gif" alt="Icon "> <a href="?C=N;O=D">Name</a>   <a href="?C=M;O=A">Last modified</a>\
      <a href="?C=S;O=A">Size</a>  <a href="?C=D;O=A">Description</a><hr>\
<img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="/">Parent Directory</a>                -
<a href="old/"><img src="/icons/folder.gif" alt="[DIR]"></a> <a href="old/">old/</a>   2020-02-29 08:30    -
<a href="db.sql.gz"><img src="/icons/x.gif"></a> <a href="db.sql.gz">db.sql..&gt;</a> 2020-02-29 08:30  1.2K  7 tables
<img src="/icons/text.gif" alt="[TXT]"> <a href="2019-01-01.log">2019-01-01.log</a> 2020-02-29 08:30   34M
<hr></pre>
<address>Apache/2.4 Server at example.com Port 80</address></body></html>
"""
TABLE = b"""\
<html><head><title>Index of /files</title></head><body><h1>Index of /files</h1><table>
   <tr><th valign="top">&nbsp;</th><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Date</a></th></tr>
<tr><td>&nbsp;</td><td><a href="/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>
<tr><td></td><td><a href="a%3cb">a&lt;b</a>  </td><td align="right">2020-02-29 08:30  </td><td> 12 </td></tr>
<tr><td>&nbsp;</td><td><a href="c/">c/</a>  </td><td align="right">2020-02-29 08:30  </td><td>  - </td></tr>
</table></body></html>
"""
NGINX = b"""\
<html><head><title>Index of /files/</title></head><body><h1>Index of /files/</h1><hr><pre><a href="../">../</a>
<a href="logs/">logs/</a>                                              29-Feb-2020 08:30                   -
<a href="a-very-long-name-that-is-cut-when-shown.tar.gz">a-very-long-name-that-is-cut-when-shown.t..&gt;</a>\
 29-Feb-2020 08:30          1234567
</pre><hr></body></html>
"""
FANCYINDEX = b"""\
<!DOCTYPE html><html><head><title>Index of /files/</title></head><body><h1>Index of /files/</h1>
<table id="list"><thead><tr><th><a href="?C=N&amp;O=A">File Name</a><a href="?C=N&amp;O=D">&darr;</a></th></tr></thead>
<tbody><tr><td class="link"><a href="../">Parent directory/</a></td><td class="size">-</td><td class="date">-</td></tr>
<tr><td class="link"><a href="k.pem" title="k.pem">k.pem</a></td><td>1.6 KiB</td><td>2020-Feb-29 08:30</td></tr>
</tbody></table></body></html>
"""
IIS = b"""\
<html><head><title>files.example.com - /files/</title></head><body><H1>files.example.com - /files/</H1><hr>

<pre><A HREF="/">[To Parent Directory]</A><br><br> 2/29/2020  8:30 AM        &lt;dir&gt; <A HREF="/files/old%20ones/">\
old ones</A><br> 2/29/2020 10:30 PM         1234 <A HREF="/files/web.config">web.config</A><br>Saturday, February 29, \
2020  8:31 AM          567 <A HREF="/files/7%20days.bak">7 days.bak</A><br></pre><hr></body></html>
"""
LIGHTTPD = b"""\
<!DOCTYPE html><html><head><title>Index of /files/</title><style type="text/css">a { color: blue; }</style></head><body>
<table summary="Directory Listing" cellpadding="0"><tbody>
<tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td><td class="s">- &nbsp;</td></tr>
<tr class="d"><td class="n"><a href="c/">c</a>/</td><td class="m">2020-Feb-29 08:30:00</td><td>- &nbsp;</td></tr>
<tr><td class="n"><a href="it%27s">it&#x27;s</a></td><td class="m">2020-Feb-29 08:30:00</td><td class="s">0.5K</td></tr>
</tbody></table><script type="text/javascript">
// <!--
var x = '<a href="not-there">';
// -->
</script></body></html>
"""
CADDY = b"""\
<!DOCTYPE html><html><head><title>files/</title><style>a{}</style></head><body><header><h1><a href="/">/</a>\
<a href="../files/">files</a>/</h1></header><main><table><thead><tr><th><a href="?sort=namedirfirst&order=desc">
<svg width="1em"><use xlink:href="#up-arrow"></use></svg></a></th></tr></thead><tbody>
<tr><td><a href=".."><span class="goup">Up</span></a></td><td>&mdash;</td></tr>
<tr class="file"><td></td><td><a href="./c%20d/"><svg width="1.5em"><use xlink:href="#folder"></use></svg>
<span class="name">c d/</span></a></td><td data-order="-1">&mdash;</td>
<td class="hideable"><time datetime="2020-02-29T08:30:00Z">02/29/2020 08:30:00 AM +00:00</time></td></tr>
<tr class="file"><td></td><td><a href="./id_ed25519"><span class="name">id_ed25519</span></a></td>
<td data-order="1234">1.2 KiB</td><td><time datetime="2020-02-29T08:30:00Z">02/29/2020 08:30:00 AM</time></td></tr>
</tbody></table></main><footer>Served with <a href="https://caddyserver.com">Caddy</a></footer></body></html>
"""
H5AI = b"""\
<!DOCTYPE html><html><head><title>index - powered by h5ai v0.29</title></head><body><div id="fallback"><table>
<tr><th></th><th><span>Name</span></th><th><span>Last modified</span></th><th><span>Size</span></th></tr>
<tr><td><img src="/_h5ai/public/images/x.png"/></td><td><a href="..">Parent Directory</a></td><td></td><td></td></tr>
<tr><td><img src="/x.png"/></td><td><a href="/files/sub/">sub</a></td><td>2020-02-29 08:30</td><td></td></tr>
<tr><td><img src="/x.png"/></td><td><a href="/files/a.7z">a.7z</a></td><td>2020-02-29 08:30</td><td>12 KB</td></tr>
</table></div></body></html>
"""
PARTS_INSIDE = b"""\
<html><body><ul>
<li><a class="item" href='dump.sql'><span class="name">dump.sql</span> <b>2020-02-29 08:30</b> <i>3 MB</i></a></li>
<li><a class="item" href=notes.txt><span class="name">notes.txt</span> <b>2020-02-29 08:30</b> <i>1 KB</i></a></li>
</ul></body></html>
"""

SHOWN: dict[str, tuple[bytes, list[Read]]] = {
    "Apache": (PLAIN, [Rows(b"c", [b"x&y.txt"], [-1], [b""]), Folders(b"c", [b"a b/"])]),
    "Apache, FancyIndexing": (
        FANCY,
        [Rows(b"c", [b"db.sql.gz", b"2019-01-01.log"], [1228, 34 << 20], [DAY] * 2), Folders(b"c", [b"old/"])],
    ),
    "Apache, HTMLTable": (TABLE, [Rows(b"c", [b"a<b"], [12], [DAY]), Folders(b"c", [b"c/"])]),
    "nginx": (
        NGINX,
        [
            Rows(b"c", [b"a-very-long-name-that-is-cut-when-shown.tar.gz"], [1234567], [DAY]),
            Folders(b"c", [b"logs/"]),
        ],
    ),
    "nginx, fancyindex": (FANCYINDEX, [Rows(b"c", [b"k.pem"], [1638], [DAY])]),
    "IIS": (
        IIS,
        [Rows(b"c", [b"web.config", b"7 days.bak"], [1234, 567], [DAY] * 2), Folders(b"c", [b"old ones/"])],
    ),
    "lighttpd": (LIGHTTPD, [Rows(b"c", [b"it's"], [512], [DAY]), Folders(b"c", [b"c/"])]),
    "Caddy": (
        CADDY,
        [
            Rows(b"c", [b"id_ed25519"], [1234], [DAY]),
            Folders(b"c", [b"c d/"]),
            NotScanned(b"c", ELSEWHERE, policy=True),
        ],
    ),
    "h5ai": (H5AI, [Rows(b"c", [b"a.7z"], [12 << 10], [DAY]), Folders(b"c", [b"sub/"])]),
    "other": (PARTS_INSIDE, [Rows(b"c", [b"dump.sql", b"notes.txt"], [3 << 20, 1 << 10], [DAY] * 2)]),
}


@pytest.mark.parametrize("server", SHOWN)
def test_pages_of_other_servers(server: str) -> None:
    """They are recognised, and all their entries are read with what is said of them; navigation is none."""
    page, want = SHOWN[server]
    assert HTML_INDEX.recognises(page)
    assert read(HTML_INDEX, [page], b"c") == want


@pytest.mark.parametrize(
    "page",
    [
        b"<html><head><title>Our shop</title></head><body><p>Read <a href='about.html'>about us</a>.</p></body></html>",
        b"<html><body>No links</body></html>",
        b"<?xml version='1.0'?><ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        b"# <a href='x'>in Markdown</a> 2020-02-29",
        b'{"a": "<a href=x>"}',
        b"",
    ],
)
def test_what_is_no_index(page: bytes) -> None:
    """An ordinary page, other kinds of listings."""
    assert not HTML_INDEX.recognises(page)


# --- where links lead -------------------------------------------------------------------------------------------------


def links(*hrefs: str) -> bytes:
    return b"<html><pre>" + b"".join(f'<a href="{h}">x</a>\n'.encode() for h in hrefs) + b"</pre></html>"


def page_of(data: bytes, prefix: bytes = b"", url: bytes = b"") -> list[Read]:
    told: list[Read] = []
    for chunk in HTML_INDEX.split_page(data, b"c", prefix, url):
        told += [chunk] if isinstance(chunk, NotScanned) else HTML_INDEX.read(chunk)
    return told


def test_links_below_the_page_are_entries() -> None:
    """By the page's own address: relative, from the root, with its host; each below the folder of the crawl."""
    page = links(
        "a",
        "./b",
        "/files/c",
        "http://Example.com/files/d",
        "//example.com/files/e/",
        "f/g",
        "/files/",
        "",
        ".",
        "#top",
    )
    assert page_of(page, b"down/", b"http://example.com/files/index.html?C=N") == [
        Rows(b"c", [b"down/a", b"down/b", b"down/c", b"down/d", b"down/f/g"], [-1] * 5, [b""] * 5),
        Folders(b"c", [b"down/e/"]),
    ]


def test_links_that_lead_elsewhere() -> None:
    """Above the page, to other hosts, to no files: no entries. Detours out of it and other hosts are counted."""
    page = links(
        "../", "../../x", "/", "/other/", "/filesystem", "a/../../b", "%2e%2e/c", "mailto:a@example.com",
        "javascript:alert(1)", "https://other.example/x", "//other.example/y", "ftp://example.org/", "?C=N;O=D", "?a=b",
    )  # fmt: skip
    assert page_of(page, b"", b"http://example.com/files/") == [
        NotScanned(b"c", OUTSIDE, policy=True),
        NotScanned(b"c", ELSEWHERE, policy=True, count=3),
    ]


def test_what_links_carry_is_kept() -> None:
    """Signatures in queries and passwords in addresses, to be searched; to other hosts too."""
    signed = "https://store.example/c/k.zip?sv=1&amp;sect=2&sig=abc%2B"
    assert page_of(links("x.zip?token=1", signed, "ftp://user:pw@other.example/y/", "down/?token=2")) == [
        Rows(
            b"c",
            [b"x.zip", b"https://store.example/c/k.zip", b"other.example/y", b"down/"],
            [-1] * 4,
            [b""] * 4,
            texts={
                0: b"url=x.zip?token=1",
                1: b"url=https://store.example/c/k.zip?sv=1&sect=2&sig=abc%2B",
                2: b"url=ftp://user:pw@other.example/y/",
                3: b"url=down/?token=2",
            },
        ),
        Folders(b"c", [b"down/"]),
    ]


def test_several_pages_in_one_stream() -> None:
    """Each is told its folder by its title."""
    second = IIS.replace(b"/files/", b"/more/")
    rows = read(HTML_INDEX, [IIS, second], b"c")[0]
    assert isinstance(rows, Rows)
    assert rows.keys == [b"web.config", b"7 days.bak"] * 2


# --- what is damaged, or made to hurt ---------------------------------------------------------------------------------


def test_a_page_that_is_cut_off() -> None:
    """What came is used."""
    for end in (b'</a>\n<a href="c', b'</a>\n<a href="c">', b"</a>\n<!-- ", b"</a>\n<script>"):
        told = page_of(b'<pre><a href="a">a</a>\n<a href="b">b' + end)
        assert isinstance(told[0], Rows | NotScanned)
        assert NotScanned(b"the end of the listing", CUT_OFF) in told
        rows = next(r for r in told if isinstance(r, Rows))
        assert list(rows.keys)[:2] == [b"a", b"b"]


def test_dates_and_sizes_that_cannot_be() -> None:
    """The entry stays; what is wrong of it is counted."""
    page = (
        b'<pre><a href="a">a</a> 30-Feb-2020 08:30 99999999999999999999\n<a href="b">b</a> 29-Feb-2020 08:30 1\n</pre>'
    )
    assert page_of(page) == [
        Rows(b"c", [b"a", b"b"], [-1, 1], [b"", DAY]),
        NotScanned(b"c", NO_DATE, policy=True),
        NotScanned(b"c", NO_SIZE, policy=True),
    ]


def test_names_that_are_too_long() -> None:
    """They are left out, and counted."""
    assert page_of(links("x" * 20000, "a")) == [
        Rows(b"c", [b"a"], [-1], [b""]),
        NotScanned(b"c", TOO_LONG),
    ]


def test_a_long_prefix_is_not_held_for_each_link() -> None:
    """A few bytes of a page make a long key: entries are told some at a time."""
    page = b"".join(b"<a href=%05d>\n" % n for n in range(10_000))
    (chunk,) = [c for c in HTML_INDEX.split_page(page, b"c", b"p" * 16_000 + b"/") if isinstance(c, Chunk)]
    tracemalloc.start()
    told = [(len(rows.keys), len(rows.keys[-1])) for rows in HTML_INDEX.read(chunk) if isinstance(rows, Rows)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(count for count, _ in told) == 10_000
    assert {length for _, length in told} == {16_006}
    assert peak < 40 << 20


@pytest.mark.parametrize(
    "piece",
    [
        b"<",
        b"<!--",
        b'<a "',
        b'<a href="',
        b"<a href='x",
        b"<a href=x>",
        b"</a>",
        b"<script>",
        b"<title>/",
        b"&#",
        b"2020-",
    ],
)
def test_time_grows_with_the_page(piece: bytes) -> None:
    """A megabyte of anything takes seconds at most."""
    began = time.monotonic()
    page = b"<html><title>Index of /</title>" + piece * ((1 << 20) // len(piece))
    HTML_INDEX.recognises(page[: html.HEAD])
    read(HTML_INDEX, [page])
    assert time.monotonic() - began < 20


def test_comments_without_an_end_are_not_held() -> None:
    """Memory stays that of a few blocks; entries before and behind are found."""
    parts = [PLAIN, b"<!-- ", *[b"x" * (1 << 20)] * 12, b" --><a href='last'>last</a></html>"]
    rows = [r for r in read(HTML_INDEX, parts, b"c") if isinstance(r, Rows)]
    assert [key for r in rows for key in r.keys] == [b"x&y.txt", b"last"]


@pytest.mark.parametrize("server", SHOWN)
def test_where_chunks_end_makes_no_difference(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are kept whole, and what the title told is told to all chunks."""
    page, want = SHOWN[server]
    for size in (1, 100, 300, 700):
        monkeypatch.setattr(html, "CHUNK", size)
        parts = [page[at : at + 50] for at in range(0, len(page), 50)]
        assert flat(read(HTML_INDEX, parts, b"c")) == flat(want)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_parts_of_a_stream_make_no_difference(data: st.DataObject) -> None:
    """A stream may come in any parts."""
    page, want = data.draw(st.sampled_from(list(SHOWN.values())))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(page)), max_size=8)))
    parts = [page[a:b] for a, b in zip([0, *cuts], [*cuts, len(page)], strict=True)]
    assert read(HTML_INDEX, parts, b"c") == want


@given(
    parts=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"<a href=", b'"', b"'", b">", b"</a>", b"<!--", b"-->", b"<tr>", b"/x?y#z", b"//h/", b"&#0;"]
            ),
            st.sampled_from([p[: n * 300] for p, _ in SHOWN.values() for n in (1, 2)]),
        ),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_nothing_makes_it_fail(parts: list[bytes]) -> None:
    """Whatever comes, each object has a name that stays below the page, a size that can be, and a day or none."""
    HTML_INDEX.recognises(b"".join(parts))
    for rows in read(HTML_INDEX, parts):
        if isinstance(rows, Rows):
            assert all(rows.keys)
            assert not any(b".." in key.split(b"/") for key in rows.keys)
            assert all(-1 <= size < 1 << 63 for size in rows.sizes)
            assert all(not day or re.fullmatch(rb"(?:19[7-9]|20\d)\d-\d\d-\d\d", day) for day in rows.days)
