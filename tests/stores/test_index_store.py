"""Directory indexes of real servers, nginx and Python's own, folder by folder; and pages that lead astray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from listed_pages import Listed, access, listed
from oakum.scanner.listed import Rows
from oakum.scanner.sources.listings import Chunk
from oakum.scanner.sources.listings.kinds import KINDS
from oakum.scanner.sources.stores.opening import open_store
from servers import answer, http_server, nginx, nginx_program, told

NAMES = [
    "a b/c+d.txt",
    "empty/",
    "folder/deep/er/key.pem",
    "per%20cent#1?.txt",
    "ä €/id_rsa",
    "'quoted' \"names\" & <more>.sql",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the web, below which is what may be listed."""
    top = tmp_path_factory.mktemp("web")
    (top / "secret").write_bytes(b"")
    for name in NAMES:
        path = top / "public" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_bytes(b"12345")
    return top


Server = Callable[[Path, Path], AbstractContextManager[str]]


@pytest.fixture(scope="module", params=[nginx, http_server], ids=lambda f: str(f.__name__))
def server(request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Each of the servers over the same files."""
    if request.param is nginx and not nginx_program():
        pytest.skip("needs nginx")
    start: Server = request.param
    with start(root, tmp_path_factory.mktemp("server")) as url:
        yield url


def rows(found: Listed) -> dict[bytes, int]:
    """Names and sizes."""
    told: dict[bytes, int] = {}
    for page in found.pages:
        kind = KINDS[page.kind]
        for chunk in page.chunks(kind):
            assert isinstance(chunk, Chunk)
            for read in kind.read(chunk):
                if isinstance(read, Rows):
                    told |= dict(zip(read.keys, read.sizes, strict=True))
    return told


def test_all_folders_below_the_start(server: str) -> None:
    """Names as they are on the disk, and nothing above the start."""
    found = listed(f"{server}/public/", access())
    assert found.why == []
    assert sorted(rows(found)) == sorted(name.encode() for name in NAMES if not name.endswith("/"))
    assert {page.prefix for page in found.pages} == {b"", b"a b/", b"empty/", b"folder/", b"folder/deep/"} | {
        b"folder/deep/er/",
        "ä €/".encode(),
    }
    store = open_store(f"{server}/public/?C=N;O=D", access())
    assert (store.origin, store.exposure, store.anybody().state) == (f"{server}/public", "anonymous", "open")


def test_a_folder_that_is_not_named_as_one(server: str) -> None:
    """The server leads to it, and that is told."""
    found = listed(f"{server}/public", access())
    assert (found.pages, len(found.why)) == ([], 1)
    assert "it redirects to " in found.why[0]
    assert "/public/ (301)" in found.why[0]


def crawled(answering: Callable[[BaseHTTPRequestHandler, int], None], **limits: Any) -> tuple[Listed, list[str], str]:
    with told(answering) as (url, asked):
        found = listed(f"{url}/start/", access(limits=limits))
    return found, asked.targets, url


def index(*links: str, title: str = "Index of /start/") -> str:
    listed = "".join(f'<a href="{link}">{link}</a>  2024-01-01 10:00  5\n' for link in links)
    return f"<html><head><title>{title}</title></head><body><pre>{listed}</pre></body></html>"


def test_links_that_lead_astray() -> None:
    """Other hosts, other schemes, above, sideways, queries: none is asked for."""
    links = ["http://elsewhere.example/x/", "//elsewhere.example/y/", "/", "../", "/other/", "a/../../b/", "?C=M"]
    links += ["https://elsewhere.example/z/?sig=x/", "x//y/", "%2e%2e/", "..%2f..%2fup/", "javascript:a/", "sub/", "./"]
    found, targets, _ = crawled(lambda to, _: answer(to, index(*(links if to.path == "/start/" else ["file"]))))
    assert targets == ["/start/", "/start/", "/start/sub/"], "the first was to know who speaks"
    assert [page.prefix for page in found.pages] == [b"", b"sub/"]


@pytest.mark.long
def test_folders_without_end() -> None:
    """A link to the folder itself: as deep as is allowed; many folders: as many as may be asked for."""
    found, targets, url = crawled(lambda to, _: answer(to, index("again/")), depth=5)
    assert len(targets) == 7
    assert found.why == [f"{url}/start: folders: they lie more than 5 deep"]
    many = [f"{n}/" for n in range(100)]
    found, targets, url = crawled(lambda to, _: answer(to, index(*many)), pages=50, depth=3)
    assert (len(targets), found.why[0]) == (50, f"{url}/start/48/: 50 pages were asked for, which is the most")
    assert [(n.why, n.count) for n in found.left_out[1:]] == [("more than 50 folders", 100 * 49 - 49)]


def test_folders_that_cannot_be_read() -> None:
    """Each is told; what is no index, too; where the server falls silent, it is left alone."""

    def answering(to: BaseHTTPRequestHandler, _number: int) -> None:
        if to.path == "/start/":
            answer(to, index("closed/", "site/", "moved/", "file"))
        elif to.path.endswith("closed/"):
            answer(to, "", 403)
        elif to.path.endswith("moved/"):
            answer(to, "", 302, Location="https://elsewhere.example/")
        else:
            answer(to, "<html><body><p>Welcome</p></body></html>")

    found, _, url = crawled(answering)
    assert [page.prefix for page in found.pages] == [b""]
    assert found.why == [
        f"{url}/start/closed/: it refuses to list: not everybody may list it (403)",
        f"{url}/start/site/: it gives a page, and no list of files: what lies there cannot be told",
        f"{url}/start/moved/: it redirects to https://elsewhere.example/ (302), which is not followed: give that URL, "
        "if it is the right one",
    ]

    def deaf(to: BaseHTTPRequestHandler, _number: int) -> None:
        if to.path == "/start/":
            answer(to, index(*(f"{n}/" for n in range(10))))
        else:
            answer(to, "", 503)

    found, targets, url = crawled(deaf, retries=0)
    assert len(targets) == 2 + 3
    assert found.why[-1] == f"{url}/start: folders: not asked after that"
    assert found.left_out[-1].count == 7
