"""Fetches of plans: in order, within a budget, broken off and gone on with, all in memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from fetching import fetched, searcher, spec, wanted, whole_plan
from listed_pages import access
from oakum.scanner.errors import TargetError, UsageError
from oakum.scanner.listed import Named, NameRule
from oakum.scanner.model import PIECE_SIZE, StoredObject
from oakum.scanner.net.urls import parse
from oakum.scanner.pipeline.fetch import NO_STORE, FetchBudget, planned
from oakum.scanner.pipeline.journal import Journal
from oakum.scanner.sources.stores.fetched import AHEAD, ROOM
from oakum.scanner.sources.stores.index import IndexStore
from oakum.scanner.sources.stores.opening import open_store
from oakum.scanner.sources.stores.reading import ObjectReader, Part, ReadSpec, Wanted, spec_of
from scanning import Fresh
from servers import Asked, answer, told


@contextmanager
def serving(objects: dict[str, bytes], *, pause: float = 0) -> Iterator[tuple[str, Asked]]:
    """A server of these objects, whole ones only."""

    def give(to: BaseHTTPRequestHandler, _number: int) -> None:
        time.sleep(pause)
        answer(to, objects[to.path[1:]], Last_Modified="Wed, 21 Oct 2026 07:28:00 GMT", ETag='"e"')

    with told(give) as served:
        yield served


def all_of(objects: dict[str, bytes], place: ReadSpec) -> list[tuple[Wanted, ReadSpec]]:
    """All of them, in order."""
    return whole_plan(place, [(key, len(body)) for key, body in objects.items()])


class Made:
    """A reader of made-up objects: it counts what it is asked for, and what it holds."""

    def __init__(self, bodies: dict[bytes, bytes], *, slow: float = 0) -> None:
        self.bodies = bodies
        self.slow = slow
        self.begun: list[bytes] = []

    def __call__(self, _spec: ReadSpec) -> ObjectReader:
        return self

    async def parts(self, wanted: Wanted, most: int) -> AsyncGenerator[Part, None]:
        import asyncio

        self.begun.append(wanted.key)
        body = self.bodies[wanted.key]
        at = 0
        while True:
            await asyncio.sleep(self.slow)
            data = body[at : min(at + PIECE_SIZE, most)]
            at += len(data)
            yield Part(data, len(body), "e", last=at >= len(body))


HERE = "http://127.0.0.1:1"


def test_the_order_of_the_plan_and_each_object_once(fresh: Fresh) -> None:
    """Empty ones, too; several are asked for at once."""
    objects = {f"k{n}": b"token: " + fresh() if n % 3 else b"" for n in range(40)}
    with serving(objects) as (url, asked):
        done = fetched(all_of(objects, spec(url, access())))
    assert done.keys == {body[7:]: [key.encode()] for key, body in objects.items() if body}
    assert (done.lost, done.left_out, done.fetched.objects) == ([], [], 40)
    assert set(asked.targets) == {f"/{key}" for key in objects}
    assert dict(done.result.coverage.counts) == {"objects": 40}


def test_the_budget_of_objects() -> None:
    """What does not fit is counted."""
    reader = Made({b"%d" % n: b"text\n" for n in range(50)})
    plan = [(wanted(key, 5), spec(HERE, access())) for key in reader.bodies]
    done = fetched(plan, FetchBudget(bytes=0, objects=7), readers=reader)
    assert (done.fetched.objects, reader.begun) == (7, list(reader.bodies)[:7])
    assert done.left_out == [(b"objects of the plan", "beyond the budget of 7 objects: not read", 43)]
    assert done.result.complete


def test_the_budget_of_bytes() -> None:
    """What is too large for the rest of it is left out, what comes after it and fits is read."""
    sizes = {b"a": 40, b"b": 100, b"c": 50, b"d": 10, b"e": 1}
    reader = Made({key: b"x" * size for key, size in sizes.items()})
    plan = [(wanted(key, size), spec(HERE, access())) for key, size in sizes.items()]
    done = fetched(plan, FetchBudget(bytes=100, objects=0), readers=reader)
    assert (reader.begun, done.fetched.bytes) == ([b"a", b"c", b"d"], 100)
    assert done.left_out == [(b"objects of the plan", "beyond the budget of 100 bytes: not read", 2)]


def test_objects_that_are_larger_than_they_say(fresh: Fresh) -> None:
    """The budget ends in the middle of one; what was read is searched."""
    secret = fresh()
    body = b"token: " + secret + b"\n" + b"a line\n" * 3_000_000
    reader = Made({b"%d" % n: body for n in range(9)})
    plan = [(wanted(key, 10), spec(HERE, access())) for key in reader.bodies]
    done = fetched(plan, FetchBudget(bytes=PIECE_SIZE, objects=0), readers=reader)
    assert done.fetched.bytes == PIECE_SIZE
    assert done.keys == {secret: [b"0"]}
    assert done.left_out == [
        (b"0", "not read to its end, as the bytes for it were used up", 1),
        (b"objects of the plan", f"beyond the budget of {PIECE_SIZE:,} bytes: not read", 8),
    ]


def test_the_budget_of_time(fresh: Fresh) -> None:
    """It ends in the middle of an object; what was read is searched."""
    secret = fresh()
    body = b"token: " + secret + b"\n" + b"a line\n" * 9_000_000
    reader = Made({b"%d" % n: body for n in range(5)}, slow=0.4)
    plan = [(wanted(key, len(body)), spec(HERE, access())) for key in reader.bodies]
    begun = time.monotonic()
    done = fetched(plan, FetchBudget(0, 0, seconds=0.6), readers=reader, options={"max_size": 1 << 30})
    assert time.monotonic() - begun < 10
    assert done.keys == {secret: [b"0"]}
    assert done.left_out == [
        (b"0", "not read to its end, as the time for it was over", 1),
        (b"objects of the plan", "beyond the budget of 0.6 seconds: not read", 4),
    ]


def test_a_server_that_stalls_does_not_outlast_the_budget() -> None:
    """Waiting is given up at once."""
    with told(lambda _to, _: time.sleep(3)) as (url, _):
        begun = time.monotonic()
        done = fetched([(wanted("k", 5), spec(url, access()))], FetchBudget(seconds=0.5))
        assert time.monotonic() - begun < 2
    assert done.left_out == [(b"k", "not read, as the time for it was over", 1)]


@pytest.mark.long
def test_what_is_held_of_objects_is_bounded() -> None:
    """Of large ones only the first parts of the next few are asked for."""
    reader = Made({b"%d" % n: b"a line\n" * (PIECE_SIZE // 7) for n in range(12)})
    seen: list[int] = []
    plan = ((wanted(key, PIECE_SIZE), spec(HERE, access())) for key in reader.bodies)

    def progress(_what: str, done: int, _total: int) -> None:
        seen.append(len(reader.begun) - done)

    fetched(plan, FetchBudget(0, 0), readers=reader, options={"progress": progress})
    assert max(seen) * PIECE_SIZE <= ROOM + 2 * PIECE_SIZE


@pytest.mark.long
@pytest.mark.parametrize("delay", [0.0, 2.0])
def test_ctrl_c_keeps_what_was_found(delay: float, fresh: Fresh) -> None:
    """Also in the object that was being read: while it is searched, and while its next part does not come."""
    first, second = fresh(), fresh()
    bodies = {b"0": b"token: " + first, b"1": b"token: " + second + b"\n" + b"a line\n" * 9_000_000, b"2": b"x"}
    reader = Made(bodies)
    real = reader.parts

    async def parts(wanted: Wanted, most: int) -> AsyncGenerator[Part, None]:
        import asyncio

        number = 0
        async for part in real(wanted, most):
            if wanted.key == b"1" and number:
                threading.Timer(delay, signal.raise_signal, (signal.SIGINT,)).start()
                await asyncio.sleep(30)
            number += 1
            yield part

    reader.parts = parts  # type: ignore[method-assign]
    plan = [(wanted(key, len(body)), spec(HERE, access())) for key, body in bodies.items()]
    begun = time.monotonic()
    done = fetched(plan, FetchBudget(0, 0), readers=reader, options={"max_size": 1 << 30})
    assert time.monotonic() - begun < 10
    assert done.result.interrupted
    assert done.keys == {first: [b"0"], second: [b"1"]}
    assert done.left_out == [
        (b"1", "not read to its end, as it was interrupted", 1),
        (b"objects of the plan", "not read: it was interrupted", 1),
    ]


def test_a_container_that_cannot_be_read_at_all() -> None:
    """Its objects are counted, with the reason."""
    place = spec("http://169.254.169.254/c", access(plain_http=True))
    done = fetched([(wanted(f"{n}", 5), place) for n in range(30)])
    why = "169.254.169.254 is for this machine's own metadata: never asked"
    assert [(n.what, n.why, n.count, n.policy) for n in done.result.not_scanned] == [(b"the store", why, 30, False)]


def test_nothing_touches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """Neither the working folder nor one for temporary files; not by any file that is opened for writing."""
    secret = fresh()
    objects = {"large": b"token: " + secret + b"\n" + os.urandom(1 << 20).hex().encode() * 20, "small": b"x"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    written: list[Any] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(arguments[0])

    with serving(objects) as (url, _):
        plan = all_of(objects, spec(url, access()))
        sys.addaudithook(watch)
        done = fetched(plan)
        watching = False
    assert done.keys == {secret: [b"large"]}
    assert (written, list(tmp_path.iterdir())) == ([], [])


def test_objects_of_a_download_plan(fresh: Fresh) -> None:
    """By the targets that list them; what lies in a listing without a store cannot be read."""
    secret = fresh()
    rule = NameRule("env", "environment", "high", 0.9, "holds settings")

    def named(target: int, container: bytes, key: bytes) -> Named:
        return Named(target, container, key, 47, b"", "e", "", rule, 50, "medium", 1.0)

    with serving({"base/.env": b"token: " + secret}) as (url, _):
        stores = {0: (IndexStore(access(), parse(f"{url}/base/", plain_http=True)), "public")}
        plan = [named(0, b"", b".env"), named(1, b"acme", b".env"), named(1, b"acme", b"id_rsa")]
        done = fetched(planned(plan, stores))  # type: ignore[arg-type]
    assert done.found == {secret: [(StoredObject(f"{url}/base", b"", b".env", "", "e", "public"), 7)]}
    assert [(n.what, n.why, n.count) for n in done.result.not_scanned] == [(b"acme", NO_STORE, 2)]


# --- going on ---------------------------------------------------------------------------------------------------------


def test_a_fetch_that_is_gone_on_with(tmp_path: Path, fresh: Fresh) -> None:
    """Objects in which nothing was found are not read again; the others are, so that the report is whole."""
    secret = fresh()
    bodies = {b"%d" % n: b"text" for n in range(20)} | {b"3": b"token: " + secret}
    plan = [(wanted(key, len(body), etag="e"), spec(HERE, access())) for key, body in bodies.items()]
    file = tmp_path / "journal"
    first = Made(bodies)
    done = fetched(plan, FetchBudget(objects=10), resume=file, readers=first)
    assert (done.keys, first.begun) == ({secret: [b"3"]}, list(bodies)[:10])
    assert file.stat().st_mode & 0o777 == 0o600
    second = Made(bodies)
    done = fetched(plan, resume=file, readers=second)
    assert (done.keys, second.begun) == ({secret: [b"3"]}, [b"3", *list(bodies)[10:]])
    assert (done.fetched.known, done.fetched.objects) == (9, 11)
    for hidden in (secret, b'"3"', b"the store", b"etag"):
        assert hidden not in file.read_bytes()


def test_an_object_that_changed_since_is_read_again(tmp_path: Path) -> None:
    """By its etag, its version, its size, or in another store."""
    file = tmp_path / "journal"
    place = spec(HERE, access())
    fetched([(wanted("k", 4, etag="e", version="v"), place)], resume=file, readers=Made({b"k": b"text"}))
    for other in (
        wanted("k", 4, etag="f", version="v"),
        wanted("k", 4, etag="e", version="w"),
        wanted("k", 5, etag="e", version="v"),
        Wanted("another", b"", b"k", 4, "v", "e"),
        Wanted("the store", b"k", b"", 4, "v", "e"),
    ):
        with Journal(str(file), searcher(), 64 << 20) as journal:
            assert journal.is_done(wanted("k", 4, etag="e", version="v"))
            assert not journal.is_done(other)


def test_what_could_not_be_read_is_asked_for_again(tmp_path: Path) -> None:
    """And what was cut off by the budget."""
    file = tmp_path / "journal"
    with told(lambda to, _: answer(to, b"", 404)) as (url, asked):
        plan = [(wanted("k", 4), spec(url, access()))]
        for _ in range(2):
            assert fetched(plan, resume=file).lost == [(b"k", "it went away after it was listed (404)")]
        assert len(asked.targets) == 2
    body = b"a line\n" * 5_000_000
    large = [(wanted("l", 5), spec(HERE, access()))]
    for _ in range(2):
        done = fetched(large, FetchBudget(PIECE_SIZE), resume=file, readers=Made({b"l": body}))
        assert done.left_out[0][1] == "not read to its end, as the bytes for it were used up"


def test_a_journal_that_is_damaged_or_of_something_else(tmp_path: Path) -> None:
    """What to do is said; a last line that was being written when the process was killed is no damage."""
    file = tmp_path / "journal"
    bodies = {b"%d" % n: b"text" for n in range(5)}
    plan = [(wanted(key, 4), spec(HERE, access())) for key in bodies]
    fetched(plan, resume=file, readers=Made(bodies))
    good = file.read_bytes()
    for cut in (1, 20, len(good) - good.rindex(b"{") - 1):
        file.write_bytes(good[:-cut])
        reader = Made(bodies)
        fetched(plan, resume=file, readers=reader)
        assert reader.begun == [b"4"]
        assert file.read_bytes() == good[: good.rindex(b"{")] + file.read_bytes().splitlines(keepends=True)[-1]
    header = good[: good.index(b"\n")]
    for beginning in (b"", header[:1], header[:20], header):
        file.write_bytes(beginning)
        fetched(plan, resume=file, readers=Made(bodies))
        assert file.read_bytes().count(b"\n") == 6
    lines = good.splitlines(keepends=True)
    cases = {
        b"my notes\n": "is no file that oakum wrote for this",
        b"\xff\xfe\n": "is no file that oakum wrote for this",
        b"[" * 100_000 + b"\n": "is no file that oakum wrote for this",
        lines[0].replace(b'"key": "', b'"key": "zz') + lines[1]: "line 1 is damaged",
        lines[0].replace(b'"search": "', b'"search": "0') + lines[1]: "with other detectors or limits: name a new file",
        lines[0] + b"{}\n" + lines[1]: "line 2 is damaged: remove the file",
        lines[0] + lines[1] + b'{"object": 5, "found": true}\n': "line 3 is damaged",
        lines[0] + lines[1].replace(b"false", b"null"): "line 2 is damaged",
    }
    for content, why in cases.items():
        file.write_bytes(content)
        with pytest.raises(UsageError, match=why):
            fetched(plan, resume=file, readers=Made(bodies))
        assert file.read_bytes() == content
    with pytest.raises(UsageError, match="cannot be opened"):
        fetched(plan, resume=tmp_path / "no folder" / "journal", readers=Made(bodies))
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(UsageError, match="cannot be opened"):
        fetched(plan, resume=tmp_path / "link", readers=Made(bodies))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="is no file: name another"):
        fetched(plan, resume=tmp_path / "fifo", readers=Made(bodies))


_CHILD = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from fetching import fetched, spec, whole_plan
from listed_pages import access
url, file, objects = map(json.loads, sys.argv[2:])
fetched(whole_plan(spec(url, access()), objects), resume=Path(file))
"""


@pytest.mark.long
def test_killed_in_mid_fetch(tmp_path: Path, fresh: Fresh) -> None:
    """And gone on with: the same findings as without that, and not everything is read twice."""
    objects = {f"k{n}": b"text\n" if n % 10 else b"token: " + fresh() for n in range(120)}
    sizes = [(key, len(body)) for key, body in objects.items()]
    file = tmp_path / "journal"
    root = Path(__file__).parents[1]
    with serving(objects, pause=0.05) as (url, asked):
        undisturbed = fetched(all_of(objects, spec(url, access())))
        arguments = map(json.dumps, ([str(root), str(root / "stores")], url, str(file), sizes))
        child = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments])
        until = time.monotonic() + 30
        while not file.exists() or file.read_bytes().count(b"\n") < 40:
            assert child.poll() is None
            assert time.monotonic() < until
            time.sleep(0.005)
        child.kill()
        child.wait()
        before = len(asked.targets)
        resumed = fetched(all_of(objects, spec(url, access())), resume=file)
        again = len(asked.targets) - before
    assert resumed.found == undisturbed.found
    assert len(undisturbed.found) == 12
    assert again <= 120 - 40 + 12 + AHEAD  # those that are asked for first find out that no ranges are given
    assert resumed.fetched.known >= 30


# --- which store is read how -----------------------------------------------------------------------------------------


def test_how_the_containers_of_a_store_are_read() -> None:
    """The URL of the container, and what opens it."""
    environment = {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "token",
        "AZURE_STORAGE_SAS_TOKEN": "sv=1&ss=b&srt=sco&sp=rl&sig=x",
        "AWS_ENDPOINT_URL": "https://minio.example/s3",
    }
    known = access(environment)

    def read(target: str, container: bytes, with_: Any = known) -> tuple[Any, ...]:
        found = spec_of(open_store(target, with_), container)
        return found.kind, found.base.site + found.base.path, found.signed, found.headers

    assert read("s3://acme/x", b"acme") == ("s3", "https://minio.example/s3/acme", True, {})
    assert read("s3://", b"other") == ("s3", "https://minio.example/s3/other", True, {})
    assert read("gs://acme", b"acme") == (
        "gcs",
        "https://storage.googleapis.com/acme",
        True,
        {"Authorization": "Bearer token", "Accept-Encoding": "gzip"},
    )
    version = {"x-ms-version": "2021-12-02"}
    assert read("az://acme", b"cont") == ("azure", "https://acme.blob.core.windows.net/cont", True, version)
    sas = "sv=2021-12-02&sr=c&sp=rl&sig=x"
    assert read(f"https://acme.blob.core.windows.net/cont?{sas}", b"cont") == (
        "azure",
        "https://acme.blob.core.windows.net/cont",
        True,
        version,
    )
    url = "https://acme.blob.core.windows.net/cont"
    assert read(f"{url}?restype=container&comp=list", b"cont") == ("azure", url, False, version)
    assert "sig" not in repr(spec_of(open_store(f"{url}?{sas}", known), b"cont"))


def test_who_speaks_at_a_url_is_asked() -> None:
    """A list in Google's style of somebody else is not known to give objects."""
    listing = '{"nextPageToken": "", "items": []}'
    unknown = pytest.raises(TargetError, match="does not know how its objects are read")
    with told(lambda to, _: answer(to, listing)) as (url, _), unknown:
        spec_of(open_store(f"{url}/v0/b/acme/o", access()), b"")
    page = "<html><title>Index of /a</title><a href='k'>k</a></html>"
    with told(lambda to, _: answer(to, page)) as (url, _):
        found = spec_of(open_store(f"{url}/a%20b/", access()), b"")
    assert (found.kind, found.base.path) == ("http", "/a%20b")
