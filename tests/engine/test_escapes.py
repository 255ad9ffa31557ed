"""Signed URLs in another form: found once, with the value of the plain form, where they stand; and nothing else."""

from __future__ import annotations

import base64
import importlib.util
import re
import time
from random import Random
from urllib.parse import quote

import blobs as made
import pytest
import signed_urls
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner.cache import Cache
from oakum.scanner.canonical import canonical
from oakum.scanner.engine import Engine, escapes, views
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.engine.reading import by_index
from oakum.scanner.model import Match, Piece
from signed_urls import BROKEN, ESCAPES, Sas

SAS = "azure-storage-sas"
FORMS = {**ESCAPES, **BROKEN}
ENGINES = [made.ENGINE]
if importlib.util.find_spec("hyperscan"):
    from oakum.scanner.engine import vectorised

    ENGINES.append(Engine(made.DETECTORS, vectorised.load(made.DETECTORS, Cache())))
seeds = st.integers(0, 1 << 48)


def found(content: bytes) -> list[tuple[str, bytes]]:
    """Detector and value of each match, the same for each matcher."""
    first, *others = (engine.search([Piece(content)]).matches for engine in ENGINES)
    assert all(made.told(other) == made.told(first) for other in others)
    return [(match.detector, match.secret.reveal()) for match in first]


def written(form: str, seed: int) -> tuple[Sas, bytes]:
    """A SAS, and a file that holds it in a form, in which it can be told where it ends."""
    rng = Random(f"{form} {seed}")
    sas = signed_urls.made(seed)
    text = FORMS[form](signed_urls.subject(sas, rng), rng)
    assume(text is not None)
    assert text is not None
    return sas, text.encode()


def check(form: str, seed: int) -> None:
    """It is found, once, as what it is."""
    sas, content = written(form, seed)
    told = [(detector, canonical(value)) for detector, value in found(content)]
    assert told == [(SAS, sas.canonical)], content.decode()


# --- every form ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=400, deadline=None)
@given(seed=seeds)
@pytest.mark.long
def test_a_sas_is_found_once_in_every_form(form: str, seed: int) -> None:
    """Any kind, host, order of parameters and way to encode them; the canonical value is that of the plain form."""
    check(form, seed)


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=2_000, deadline=None)
@given(seed=seeds)
def test_a_sas_is_found_once_in_every_form_of_very_many(form: str, seed: int) -> None:
    """The same, in great number."""
    check(form, seed)


# --- where it ends ---------------------------------------------------------------------------------------------------

BESIDE = (
    "{}\nThen go on with the next step.\n",
    "See {}\nThanks\nAda\n",
    "See {}\nBob's\n",
    "{}\n{other}\n",
    "- {}\n- {other}\n",
    "> {}\n> Then go on.\n",
    "'{}'\n'{other}'\n",
    '"{}"\n    "{other}"\n',
    '"{}" "{other}"\n',
    '["{}", "{other}"]',
    'azcopy copy "{}" "./in" --recursive\n',
    'azcopy copy "{}" \\\n    "./in" \\\n    --recursive\n',
    'azcopy copy "{}" \\\n    "{other}"\n',
    "azcopy copy '{}' `\r\n    './in'\r\n",
    "curl {} \\\n  -o x\n",
    "curl {}\\\n  -o x\n",
    "curl {}^\r\n  -o x\r\n",
    'urls=(\n  "{}"\n  "--flag"\n)\n',
    'urls=(\n  "{}"\n  "/tmp/x"\n)\n',
    'set(URLS "{}"\n         "{other}")\n',
    "SAS={}\nNAME=value\n",
    "SAS={}\nOTHER=a&b\n",
    "sas = {}\nname = value\n",
    "sas={}\nname=value\n",
    "sas: {}\nother: value\n",
    "a.txt?{query}\nb.txt?{query2}\n",
    "{query}\n{query2}\n",
    '"{query}"\n"{query2}"\n',
    "x = \"{}\" + ',' + y\n",
    "x = '{}' '' 'z'\n",
    "| {} |\n| {other} |\n",
    "{}.\nThen go on.\n",
    "({})\nThen\n",
    "[x]({})\n[y]({other})\n",
)
"""A URL, whole, and what does not belong to it."""


@pytest.mark.parametrize("text", BESIDE)
@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=seeds)
def test_what_stands_behind_a_whole_url_is_no_part_of_it(text: str, seed: int) -> None:
    """The same on the next line, in the next string, or as the next argument; of two URLs each is found."""
    sas, other = signed_urls.made(seed), signed_urls.made(seed + 1)
    assume("sv=" in sas.query)  # before 2012: it is not known when it is whole
    content = text.format(sas.url, other=other.url, query=sas.query, query2=other.query)
    wanted = [sas.query] + ([other.query] if "other}" in text or "query2" in text else [])
    for form in (content, content.replace("\n", "\r\n")):
        assert found(form.encode()) == [(SAS, query.encode()) for query in wanted], form


@settings(derandomize=True, max_examples=200, deadline=None)
@given(seed=seeds, width=st.integers(signed_urls.LEAST_COLUMN, 100))
def test_what_stands_behind_a_broken_url_is_no_part_of_it(seed: int, width: int) -> None:
    """The last line is shorter than the others, and behind it other words begin."""
    sas = signed_urls.made(seed)
    assume("sv=" in sas.query)
    pieces = [sas.url[at : at + width] for at in range(0, len(sas.url), width)]
    columns = [len(piece) for piece in pieces]
    assume(len(pieces) > 2 and columns[-1] < width and not signed_urls.in_doubt(pieces, columns))
    assume(not re.search(r"[?&;][A-Za-z]*$|%.?$", pieces[-1]))
    for behind in ("\nThanks\nAda\n", "\nThen go on.\n", "\nname=value\n", "\nhttps://acme.test/\n", "\n\nThen\n"):
        assert found(("\n".join(pieces) + behind).encode()) == [(SAS, sas.query.encode())], behind


# --- where it stands -------------------------------------------------------------------------------------------------


def only(content: bytes) -> Match:
    """The one match of a blob."""
    (match,) = made.whole(content)
    return match


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=150, deadline=None)
@given(seed=seeds)
@pytest.mark.long
def test_its_span_is_the_smallest_that_holds_it(form: str, seed: int) -> None:
    """What stands there, decoded again, is the same; without its first or its last byte it is not."""
    _, content = written(form, seed)
    match = only(content)
    start, end, value = match.span.start, match.span.end, match.secret.reveal()
    if form != "implicit":  # there columns say what belongs together
        assert only(b"<?" + content[start:end] + b">").secret.reveal() == value
    for low, high in ((start + 1, end), (start, end - 1)):
        others = made.whole(content[:start] + content[low:high] + content[end:])
        assert value not in [other.secret.reveal() for other in others]


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=seeds)
def test_its_line_and_column_are_those_of_the_original(form: str, seed: int) -> None:
    """Counted from the text itself."""
    _, content = written(form, seed)
    span = only(content).span
    head = content[: span.start]
    assert (span.line, span.column) == (head.count(b"\n") + 1, len(head) - head.rfind(b"\n"))


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=100, deadline=None)
@given(seed=seeds)
def test_no_excerpt_shows_its_signature_in_either_form(form: str, seed: int) -> None:
    """Nor that of another secret on the same line, which shows the text as it stands."""
    sas, content = written(form, seed)
    token = samples.build("github:ghp", Random(seed))
    matches = made.whole(content.rstrip(b"\r\n") + b" token: " + token)
    assert sorted(match.detector for match in matches) == [SAS, "github-pat"]
    text = dict(pair.partition("=")[::2] for pair in sas.query.split("&"))["sig"]
    plain = re.search(rb"sig=([^&]*)", sas.canonical)[1].decode()  # type: ignore[index]
    signs = {plain, text, quote(plain, safe=""), quote(quote(plain, safe=""), safe="")}
    pieces = {sign[at : at + 8] for sign in signs for at in range(len(sign) - 8)}
    secret = {piece.encode() for piece in pieces if "%" not in piece}  # escapes alone stand in any path
    for match in matches:
        assert [piece for piece in secret if piece in match.excerpt.text] == [], match.excerpt


# --- a text in pieces ------------------------------------------------------------------------------------------------

FILLER = b"# a comment of some length, or another one\n" * 500
OVERLAP = 2 * escapes.AROUND + 6000


def told(matches: list[Match]) -> list[tuple[object, ...]]:
    """What a cut must not change: the excerpt may show less near it."""
    return [(match.detector, match.span.start, match.span.end, match.secret.reveal(), match.view) for match in matches]


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=12, deadline=None)
@given(seed=seeds, data=st.data())
def test_a_text_that_is_cut_anywhere_gives_the_same(form: str, seed: int, data: st.DataObject) -> None:
    """No secret is lost, and none cut short: a piece has it whole or not at all."""
    _, text = written(form, seed)
    content = FILLER + text + b"\n\n" + FILLER
    whole = told(made.whole(content))
    middle = len(FILLER) + len(text) // 2
    for _ in range(2):
        end = middle + data.draw(st.integers(-len(text) // 2 - 60, len(text) // 2 + 60) | st.integers(-9000, 9000))
        begin = max(0, end - OVERLAP)
        pieces = [Piece(content[:end], 0, False), Piece(content[begin:], begin, True)]
        assert told(ENGINES[seed % len(ENGINES)].search(pieces).matches) == whole, end
        if not any(view for *_, view in whole):  # of what a view puts together a piece may have a part that is whole
            assert told(made.ENGINE.search(pieces[:1]).matches) in ([], whole), end


# --- its neighbours --------------------------------------------------------------------------------------------------

PASSWORDS = ("db_password = '{}' ", 'api_key: "{}" ', "<password>{}</password> ", "PASSWORD={}\n", '"secret": "{}", ')


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=seeds)
def test_secrets_beside_it_are_found_once(form: str, seed: int) -> None:
    """They are in the text itself and on the line that a view keeps."""
    _, content = written(form, seed)
    before, behind = Random(seed).sample(PASSWORDS, 2)
    one, other = (samples.build("password:20", Random(f"{seed} {n}")) for n in range(2))
    content = (
        before.format(one.decode()).encode() + content.rstrip(b"\r\n") + b" " + behind.format(other.decode()).encode()
    )
    values = [value for detector, value in found(content) if detector != SAS]
    assert values == [one, other]


# --- made to slow it down --------------------------------------------------------------------------------------------

QUERY = b"sv=2020-08-04&se=2030-01-01&sp=r&sr=c&sig=" + base64.b64encode(bytes(range(60, 92)))
HOSTILE = (
    b"sig=AAAAAAAAAAAA",
    b"&amp;sig=aaaaaaaaaaaa",
    b"&amp;sig=aaaaaaaaaaaa ",
    b"sv=2020" + b'"+"' * 20,
    b'&s"+"ig=aaaaaaa',
    b"sv=2020" + b"\n" * 40,
    b"%3Dsig%253Daaaaaaaa",
    b"sig=aaaaaaaa\n",
    b"a\nsv=2020\n",
    b"&sig=\n",
    b"sig=3Daaaaaaaa=\n",
    b"sv=2020\\\n",
    b"`\n`sig=aaaaaaaa",
    b"\\u0026sv=2020",
    b"&#38;sig=aaaaaaaa ",
    b"sv=2020" + b'"_\\ \\_' * 9,
    b"%25" * 20 + b"sig%3Daaaaaaaa",
    QUERY + b"\n",
    QUERY + b'" "',
    QUERY + b'"\n"',
    QUERY + b"\\\n  ",
    QUERY.replace(b"&", b"&amp;") + b"\n",
)
"""What is repeated: each would take the square of its length in some simpler way."""


def derived(unit: bytes, size: int) -> float:
    """How long the views of so much take; they are no longer than the text and a fixed overhead."""
    content = (unit * (size // len(unit) + 1))[:size]
    hints = by_index(AhoCorasick([]).hints(content))
    begin = time.process_time()
    for _, view in views.derive(content, hints):
        assert len(view.buffer) <= size + views.OVERHEAD
    return time.process_time() - begin


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.long
def test_hostile_text_takes_time_that_grows_with_its_length(unit: bytes) -> None:
    """Four times the text, four times the time; sixteen times would be that of the square."""
    assert derived(unit, 240_000) < 9 * derived(unit, 60_000) + 0.3


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_gives_the_same_with_both_matchers(unit: bytes) -> None:
    """Whatever it is taken for."""
    found(unit * (8000 // len(unit)))


@pytest.mark.long
@pytest.mark.parametrize("unit", HOSTILE)
def test_sixteen_mebibytes_of_hostile_text_take_no_longer_for_each(unit: bytes) -> None:
    """The same, with as much as one piece of a blob has."""
    assert derived(unit, 16 << 20) < 9 * derived(unit, 4 << 20) + 1
