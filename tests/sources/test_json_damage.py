"""Listings in JSON that are damaged, hostile, or larger than memory: what stands around the damage is read."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.listed import Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import LONGEST
from oakum.scanner.sources.listings.fields import CUT_OFF
from oakum.scanner.sources.listings.json_listing import JsonKind
from oakum.scanner.sources.listings.json_split import DAMAGED, DEEPEST, TOO_LONG, end_of
from oakum.scanner.sources.listings.values import LONGEST_NAME
from read_listings import Row, keys, pieces, read

JSON = JsonKind()


def item(n: int, **more: object) -> dict[str, object]:
    return {"Path": f"d/{n}", "Name": str(n), "Size": n, "ModTime": "2020-07-20T10:00:00Z", "IsDir": False, **more}


def row(n: int) -> Row:
    return Row(b"", b"d/%d" % n, n, b"2020-07-20")


def lost(why: str, count: int = 1) -> NotScanned:
    return NotScanned(b"the listing", why, count=count)


END = NotScanned(b"the end of the listing", CUT_OFF)

LAYOUTS = {
    "line": lambda there: json.dumps(there),
    "compact": lambda there: json.dumps(there, separators=(",", ":")),
    "indented": lambda there: json.dumps(there, indent=2),
    "lines": lambda there: "\n".join(map(json.dumps, there)) + "\n",
    "page": lambda there: json.dumps({"prefixes": [], "items": there, "IsTruncated": False}),
    "pages": lambda there: json.dumps([{"items": [one]} for one in there]),
    "documents": lambda there: "".join(json.dumps({"items": [one]}) for one in there),
    "arrays": lambda there: json.dumps([[one] for one in there]),
}


class TestLaws:
    @given(st.lists(st.text(max_size=9), max_size=6), st.sampled_from(sorted(LAYOUTS)), st.integers(1, 40))
    def test_parts(self, names: list[str], layout: str, part: int) -> None:
        """Items are the same in every layout and however the stream is cut."""
        there = [item(n, Metadata={"note": name}) for n, name in enumerate(names)]
        data = LAYOUTS[layout](there).encode()
        told = read(JSON, data)
        assert keys(told) == [b"d/%d" % n for n in range(len(names))]
        assert not [part for part in told if isinstance(part, NotScanned)]
        assert read(JSON, data, part=part) == told

    @given(
        st.sampled_from(sorted(set(LAYOUTS) - {"pages", "documents"})),
        st.integers(2, 6),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from([*(bytes([b]) for b in b'{}[]",:\\ x1\n\0\xff'), b""]),
        st.booleans(),
        st.integers(1, 40),
    )
    def test_one_damaged_byte(
        self, layout: str, count: int, where: float, byte: bytes, inserted: bool, part: int
    ) -> None:
        """A byte that is changed, inserted or taken out costs its item, and at most the one that follows it."""
        data = LAYOUTS[layout]([item(n) for n in range(count)]).encode()
        at = int(where * len(data))
        damaged = data[:at] + byte + data[at + (not inserted) :]
        told = read(JSON, damaged)
        assert read(JSON, damaged, part=part) == told
        whole = {b"d/%d" % n for n in range(count)}
        missing = sorted(whole - set(keys(told)))
        assert len(missing) <= 2
        if missing:  # and none is lost silently, unless its name is what was changed
            renamed = len(keys(told)) == count
            assert renamed or [part for part in told if isinstance(part, NotScanned)]

    @given(st.binary(max_size=200), st.integers(1, 9))
    def test_anything(self, data: bytes, part: int) -> None:
        """Nothing raises, and parts make no difference."""
        JSON.recognises(data)
        assert read(JSON, data, part=part) == read(JSON, data)

    @given(st.text('[]{}",:\\ a1\n', max_size=60), st.integers(1, 9))
    def test_anything_like_json(self, text: str, part: int) -> None:
        """Nor does what is made of JSON's own marks."""
        data = b'[{"Path":"d/0","Name":"0","Size":0,"ModTime":"2020-07-20T10:00:00Z","IsDir":false},' + text.encode()
        JSON.recognises(data)
        assert read(JSON, data, part=part) == read(JSON, data)
        assert read(JSON, data)[0] == row(0)

    @given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=9))
    def test_ends(self, value: object) -> None:
        """An item ends where Python's own decoder says."""
        data = json.dumps({"a": value, "b": {"c": [value]}}).encode()
        assert end_of(data + b"}]", 0) == len(data)
        assert end_of(data[:-1], 0) == "open"


class TestDamage:
    @pytest.mark.parametrize(
        "damage",
        [
            b'{"Path": "d/1", "Name": "1", "Size": }',
            b'{"Path": "d/1", "Size": tru}',
            b'{"Path": "d/1, "Size": 1}',
            b'{"Path": "d/1", "Size": [1}',
            b'{"Path": "d/1\n", "Size": 1}',
            b'{"Path": "d/1", "Size": 01}',
            b'{"Path": "d/1", "Name": "\\x"}',
            b'{"Path": "d/1" "Size": 1}',
            b'"Path": "d/1"}',
            b'{"Path": ' + b"[" * 2 * DEEPEST + b"]" * 2 * DEEPEST + b"}",
            b'{"Path": "d/1", "Size": ' + b"9" * 5000 + b"}",
            b"\xff\xfe",
            b"<html>",
        ],
    )
    def test_one_item(self, damage: bytes) -> None:
        """What is damaged is counted; the items around it are read."""
        data = b"[%s, %s, %s]" % (json.dumps(item(0)).encode(), damage, json.dumps(item(2)).encode())
        assert read(JSON, data) == [row(0), row(2), lost(DAMAGED)]

    def test_cut_off(self) -> None:
        """A listing that ends in an item, between two, or before its own end is cut off."""
        data = json.dumps({"items": [item(0), item(1)]}).encode()
        for end in range(len(data) // 2 + 9, len(data) - 2):
            assert read(JSON, data[:end]) == [row(0), END]
        assert read(JSON, data[:-2]) == read(JSON, data[:-1]) == [row(0), row(1), END]

    def test_lost_closing_bracket(self) -> None:
        """An item that is never closed does not take those behind it with it."""
        there = [json.dumps(item(n)).encode() for n in range(20_000)]
        data = b"[%s, %s]" % (there[0][:-1], b", ".join(there[1:]))
        assert read(JSON, data) == [*map(row, range(1, 20_000)), lost(TOO_LONG)]

    def test_too_long(self) -> None:
        """An item may have 1 MiB, a longer one is left out; no listing shows which by how it comes."""
        longest = json.dumps(item(1, Metadata={"a": ""}))
        fits = longest.replace('"a": "', '"a": "' + "x" * (LONGEST - len(longest)))
        assert len(fits) == LONGEST
        for part in (1 << 16, 1 << 24):
            told = read(JSON, f"[{json.dumps(item(0))}, {fits}, {json.dumps(item(2))}]".encode(), part=part)
            assert keys(told) == [b"d/0", b"d/1", b"d/2"]
            longer = fits.replace("x", "xx", 1)
            told = read(JSON, f"[{json.dumps(item(0))}, {longer}, {json.dumps(item(2))}]".encode(), part=part)
            assert told == [row(0), row(2), lost(TOO_LONG)]

    def test_begins_with_damage(self) -> None:
        """A page whose beginning is damaged is read from its first item on."""
        page = json.dumps({"Name": "acme", "Contents": [{"Key": "a", "Size": 1}, {"Key": "b", "Size": 2}]}).encode()
        told = read(JSON, b"x" + page.replace(b'"Name"', b'"Na"me"'))
        assert keys(told)[-1:] == [b"b"]
        assert [part for part in told if isinstance(part, NotScanned)]


class TestHostile:
    @pytest.mark.parametrize(
        "tail",
        [
            b"[" * (1 << 20),
            b'{"Path":' * (1 << 17),
            b"{" * (1 << 20),
            b"}" * (1 << 20),
            b'"' * (1 << 20),
            b'{"Path":"' + b"\\" * (1 << 20),
            b'{"Path":"' + b"x" * (3 << 20),
            b'{"Path":"x},' * (1 << 16),
            b'{"Path":[},' * (1 << 16),
            b'{"Path":{"Path":1},' * (1 << 14),
            b'[{"Path":1,"a":' * 12 + b"[[[[[]]]]]," * (1 << 15),
            b" " * (1 << 20) + b"{",
            b'{"Path":' + b" " * (1 << 20) + b"1",
            b"{}," * (1 << 16),
            json.dumps({"Key": "a", "Size": 1, **{f"x{n}": "v" for n in range(60_000)}}).encode() + b",!",
            b"".join(b'{"x%d":{"a":[[[[[1]]]]]},"Key":"a","Size":1},' % n for n in range(20_000)) + b"!",
            b"".join(b'{"x%d":1,"Key":"a","Size":1},!,' % n for n in range(30_000)),
            b'{"Path":"' + b'\\"' * (1 << 19),
        ],
        ids=range(18),
    )
    def test_time(self, tail: bytes) -> None:
        """What is nested, never closed, or begun again and again takes no more time than its length allows."""
        data = b"[" + json.dumps(item(0)).encode() + b", " + tail
        start = time.process_time()
        told = read(JSON, data, part=1 << 16)
        assert time.process_time() - start < 3
        assert told[0] == row(0)
        assert isinstance(told[-1], NotScanned)

    def test_texts_within_texts(self) -> None:
        """azcopy puts entries into texts: how deep those are nested is looked at, too."""
        deep = '{"Path": "a", "ContentLength": "1", "x": ' + "[" * 900 + "]" * 900 + "}"
        contents = ['{"Path": "b", "ContentLength": "1"}', deep]
        lines = [{"TimeStamp": "", "MessageType": "ListObject", "MessageContent": c} for c in contents]
        assert read(JSON, "\n".join(map(json.dumps, lines)).encode()) == [Row(b"", b"b", 1), lost(DAMAGED)]

    def test_long_names_of_many_texts(self) -> None:
        """A name of any length is told once, and its end before each of the texts that it holds."""
        name = "n" * 300_000
        held = {name: {"x": ["v"] * 20_000}}
        tracemalloc.start()
        (found,) = read(JSON, json.dumps([item(0, **held)]).encode())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(found, Row)
        short = name[-LONGEST_NAME:]
        want = [name, f"{short}.x", *[f"{short}.x"[-LONGEST_NAME:] + "=v"] * 20_000]
        assert found.text == "\n".join(want).encode()
        assert peak < 32 << 20

    @pytest.mark.long
    def test_memory(self) -> None:
        """A line of any length is read in a few chunks of memory."""
        one = json.dumps(item(7, Metadata={"note": "x" * 1900})).encode()

        def stream() -> Iterator[bytes]:
            yield b'{"kind": "storage#objects", "items": [' + one
            for _ in range((64 << 20) // (64 * len(one))):
                yield b"".join((b", " + one,) * 64)
            yield b"]}"

        tracemalloc.start()
        count = sum(len(part.keys) for part in pieces(JSON, stream()) if isinstance(part, Rows))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == 1 + (64 << 20) // (64 * len(one)) * 64
        assert peak < 48 << 20

    def test_memory_of_damage(self) -> None:
        """Nor is a text that is never closed kept."""

        def stream() -> Iterator[bytes]:
            yield b"[" + json.dumps(item(0)).encode() + b', {"Path": "'
            for _ in range(1 << 10):
                yield b"x" * (64 << 10)

        tracemalloc.start()
        told = [part for part in pieces(JSON, stream()) if isinstance(part, NotScanned)]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert told == [lost(TOO_LONG)]
        assert peak < 24 << 20
