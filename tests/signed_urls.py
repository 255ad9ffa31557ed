"""SAS of Azure Storage as the service takes them, and every form in which people write one down.

A form is a function of a text and a source of chance; it gives a file that holds the text once, in that form.
"""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from hypothesis import strategies as st
from oakum.detectors import samples

Pairs = list[tuple[str, str]]
Form = Callable[[str, Random], str]


@dataclass(frozen=True)
class Sas:
    """A SAS: its query, what stands before that in its URL, and what is signed, in the canonical form."""

    query: str
    base: str
    canonical: bytes

    @property
    def url(self) -> str:
        """The URL that is used."""
        return f"{self.base}?{self.query}"


# --- queries that the service takes --------------------------------------------------------------------------------

VERSIONS = (
    "2012-02-12 2013-08-15 2014-02-14 2015-02-21 2015-04-05 2015-07-08 2015-12-11 2016-05-31 2017-04-17 2017-07-29 "
    "2017-11-09 2018-03-28 2018-11-09 2019-02-02 2019-07-07 2019-10-10 2019-12-12 2020-02-10 2020-04-08 2020-06-12 "
    "2020-08-04 2020-10-02 2020-12-06 2021-02-12 2021-04-10 2021-06-08 2021-08-06 2021-10-04 2021-12-02 2022-11-02 "
    "2023-01-03 2023-05-03 2023-08-03 2023-11-03 2024-02-04 2024-05-04 2024-08-04 2024-11-04 2025-01-05 2025-05-05 "
    "2025-07-05 2025-11-05"
).split()
"""Source: https://learn.microsoft.com/rest/api/storageservices/previous-azure-storage-service-versions."""
DATES = (
    "{d}",
    "{d}T{h}:{m}Z",
    "{d}T{h}:{m}:{s}Z",
    "{d}T{h}:{m}:{s}.{f}Z",
    "{d}T{h}:{m}:{s}{z}",
    "{d}T{h}:{m}:{s}.{f}{z}",
)
PERMISSIONS = {"account": "rwdxylacuptfi", "blob": "racwdxyltmeopi", "file": "rcwdl", "queue": "raup", "table": "raud"}
RESOURCES = {"blob": "b bv bs c d".split(), "file": ["f", "s"], "queue": [""], "table": [""]}
FOREIGN = (
    ("comp", "list"), ("restype", "container"), ("timeout", "30"), ("snapshot", "2024-02-29T08:30:00.0000000Z"),
    ("versionid", "2024-02-29T08:30:00.0000000Z"), ("api-version", "2020-08-04"), ("blockid", "QUFBQQ=="),
    ("prefix", "in/2024"), ("v", "1.2.3"), ("x-ms-client", "Desktop app"),
)  # fmt: skip
"""What a request adds to a SAS."""
KINDS = ("account", "blob", "file", "queue", "table")


def _some(rng: Random, letters: Iterable[str]) -> str:
    """One or more of them, in their order."""
    kept = "".join(letter for letter in letters if rng.random() < 0.5)
    return kept or rng.choice(list(letters))


def time(rng: Random, *, year: int = 0) -> str:
    """A time in one of the forms that the service takes."""
    return rng.choice(DATES).format(
        d=f"{year or rng.randint(2015, 2099)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        h=f"{rng.randint(0, 23):02}",
        m=f"{rng.randint(0, 59):02}",
        s=f"{rng.randint(0, 59):02}",
        f="".join(rng.choices("0123456789", k=rng.randint(1, 7))),
        z=rng.choice(("+00:00", "+02:00", "-05:30")),
    )


def _guid(rng: Random) -> str:
    return samples.guid(rng).decode()


def _delegated(rng: Random) -> Pairs:
    pairs = [("skoid", _guid(rng)), ("sktid", _guid(rng)), ("skt", time(rng)), ("ske", time(rng))]
    pairs += [("sks", "b"), ("skv", rng.choice(VERSIONS[16:]))]
    extra = [("saoid", _guid(rng)), ("suoid", _guid(rng)), ("scid", _guid(rng)), ("sduoid", _guid(rng))]
    return pairs + [pair for pair in extra if rng.random() < 0.2]


def _limits(rng: Random) -> Pairs:
    """What any SAS may have."""
    pairs = [("st", time(rng, year=2014)), ("sip", rng.choice(("203.0.113.7", "203.0.113.0-203.0.113.255")))]
    return [pair for pair in (*pairs, ("spr", rng.choice(("https", "https,http")))) if rng.random() < 0.4]


def _of_service(rng: Random, kind: str) -> Pairs:
    """What tells the resource, and what an answer is given."""
    pairs = [("sr", resource)] if (resource := rng.choice(RESOURCES[kind])) else []
    if resource == "d":
        pairs.append(("sdd", str(rng.randint(0, 9))))
    if kind == "table":
        keys = [("spk", "a"), ("srk", "1"), ("epk", "b"), ("erk", "2")]
        pairs += [("tn", "Orders" + str(rng.randint(0, 99))), *(keys if rng.random() < 0.3 else [])]
    if kind in ("blob", "file"):
        sent = [("rscd", 'attachment; filename="a b.pdf"'), ("rsct", "text/plain; charset=utf-8"), ("rscc", "no-cache")]
        pairs += [pair for pair in sent if rng.random() < 0.15]
    return pairs


def pairs_of(rng: Random) -> Pairs:
    """The parameters of a SAS, decoded, without its signature."""
    kind = rng.choice(KINDS)
    letters = PERMISSIONS[kind]
    limited = [("sp", _some(rng, letters)), ("se", time(rng)), *_limits(rng)]
    version = [("sv", rng.choice(VERSIONS))]
    if kind == "account":
        return [("ss", _some(rng, "bfqt")), ("srt", _some(rng, "sco")), *limited, *version]
    pairs = _of_service(rng, kind)
    how = rng.choice(("key", "policy", "delegation"))
    if how == "policy":
        limited = [pair for pair in limited if rng.random() < 0.3] + [
            ("si", rng.choice(("readers", "Read only", "p-1")))
        ]
    if how == "delegation":
        return [*pairs, *limited, *_delegated(rng), *version]
    old = kind == "blob" and dict(pairs)["sr"] in ("b", "c") and rng.random() < 0.05
    return [*pairs, *limited, *([] if old else version)]


ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    lambda text: re.sub("%..", lambda code: code[0].lower(), quote(text, safe="")),
    lambda text: quote(text, safe="/:,+"),
    lambda text: quote(text, safe=":"),
)
"""How parameters are percent-encoded: wholly, in small letters, or as little as need be."""


def sas_of(rng: Random, pairs: Pairs, signature: str = "") -> Sas:
    """A SAS of these parameters, in any order, with others, on any host."""
    signature = signature or base64.b64encode(rng.randbytes(32)).decode()
    signed = [*pairs, ("sig", signature)]
    foreign = [pair for pair in FOREIGN if rng.random() < 0.06]
    every = [*signed, *foreign]
    rng.shuffle(every)
    encode = rng.choice(ENCODINGS)
    raw = rng.random() < 0.3
    query = "&".join(f"{name}={text if raw and name == 'sig' else encode(text)}" for name, text in every)
    canonical = "&".join(f"{name}={text}" for name, text in sorted(signed))
    return Sas(query, base(rng), canonical.encode())


SERVICES = ("blob", "file", "queue", "table", "dfs", "web")
PATHS = ("/backup/db.bak", "/raw/in/2024-02-29/a%20b.csv", "/$web/index.html", "/c", "/share/x.vhd", "/Orders()", "")


def base(rng: Random) -> str:
    """A URL without its query: of any endpoint, cloud and account, of a domain of somebody's own, of the emulator."""
    account = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=rng.randint(3, 24)))
    service = rng.choice(SERVICES)
    cloud = rng.choice(("windows.net", "chinacloudapi.cn", "usgovcloudapi.net", "cloudapi.de"))
    hosts = (
        f"{account}.{service}.core.{cloud}",
        f"{account}-secondary.{service}.core.windows.net",
        f"{account}.privatelink.{service}.core.windows.net",
        f"{account}.z{rng.randint(1, 60):02}.{service}.storage.azure.net",
        f"{account}.z{rng.randint(1, 60)}.web.core.windows.net",
        "files.acme.test",
        "127.0.0.1:10000/devstoreaccount1",
        "localhost:10001/devstoreaccount1-secondary",
        f"{account}.blob.localhost:10000",
    )
    return rng.choice(("https", "https", "http")) + "://" + rng.choice(hosts) + rng.choice(PATHS)


def made(seed: int) -> Sas:
    """A SAS of any kind."""
    rng = Random(f"sas {seed}")
    return sas_of(rng, pairs_of(rng))


seeds = st.integers(0, 1 << 48)


# --- how it is written down ----------------------------------------------------------------------------------------


def subject(sas: Sas, rng: Random) -> str:
    """What is written down: the URL, the bare token with or without its question mark, or a connection string."""
    host = "/".join(sas.base.split("/")[:3])
    endpoints = "".join(f"{name}Endpoint={host}/;" for name in rng.sample(("Blob", "Queue", "File", "Table"), 2))
    return rng.choice((sas.url, sas.url, sas.query, f"?{sas.query}", f"{endpoints}SharedAccessSignature={sas.query}"))


PLACES = (
    "{}", "{}\n", "See {} for it.\n", "<{}>", "'{}'", "`{}`", "[here]({})", '[here]({} "title")', "![]({})",
    "[1]: {}\n", '<a href="{}">x</a>', "<a href={}>", "<img src='{}'/>", "curl -LO '{}'\n", 'wget "{}" -O x',
    "azcopy cp {} .",
    "SAS_TOKEN={}\n", 'export SAS_TOKEN="{}"\n', "SAS_TOKEN='{}' make\n", "set SAS={}\r\n", "ENV SAS {}\n",
    "sas: {}\n", "  - sas: '{}'\n", 'sas: "{}" # read only\n', "sas: >-\n  {}\n", '{{"sas": "{}", "n": 1}}',
    "[storage]\nsas = {}\n", 'sas_token = "{}"\n', 'variable "sas" {{ default = "{}" }}', "$sas = '{}'\r\n",
    'az storage blob list --sas-token "{}" -c x', "az storage blob list --sas-token={} -c x", "--sas-token {}\n",
    '<add key="Sas" value="{}" />', "<Sas>{}</Sas>", 'const sas = "{}";', "sas := `{}`", "sas = b'{}'", "x({})",
    "| {} | x |", 'a;"{}";b', "a\t{}\tb", "# {}\n", "// {}\n", "<!-- {} -->", "-- {}\n", "{}, {{}}",
)  # fmt: skip
"""Files and lines that hold a URL, a token or a connection string as it is."""


def plain(text: str, rng: Random) -> str:
    """As it is."""
    return rng.choice(PLACES).format(text)


MARKUP = (
    '<a href="{}">x</a>',
    "<p>{}</p>",
    "<a href='{}'>",
    '<add key="Sas" value="{}" />',
    "<Sas>{}</Sas>",
    "<td>{}\n",
)
SIGNS = "&=?+/:;,%-."


def _numbered(text: str, form: str, signs: str) -> str:
    return "".join(form.format(ord(sign)) if sign in signs else sign for sign in text)


def in_html(text: str, rng: Random) -> str:
    """By name, or by number in decimal or hexadecimal: the ampersand alone, or other characters, too."""
    signs = "&" + _some(rng, SIGNS)
    by_name = text.replace("&", "&amp;")
    escaped = rng.choice((
        by_name, html.escape(text), text.replace("&", "&AMP;"),
        by_name.replace("=", "&equals;").replace("+", "&plus;").replace("/", "&sol;"),
        *(_numbered(text, form, signs) for form in ("&#{};", "&#x{:x};", "&#x{:X};", "&#X{:X};", "&#0{};")),
        _numbered(text, "&#x00{:x};", signs),
    ))  # fmt: skip
    return rng.choice(MARKUP).format(escaped)


def in_html_twice(text: str, rng: Random) -> str:
    """Escaped, and escaped again."""
    return html.escape(in_html(text, rng))


STRINGS = ('{{"sas": "{}", "n": 1}}', '["{}"]', 'sas = "{}"', "var u = '{}';", 'sas: "{}"\n')


def in_json(text: str, rng: Random) -> str:
    """Ampersands, and what else a program escapes."""
    signs = "&" + _some(rng, "=+/<>'")
    form = rng.choice(("\\u{:04x}", "\\u{:04X}", "\\x{:02x}", "\\x{:02X}"))
    slashed = text.replace("/", "\\/")
    escaped = rng.choice((
        slashed, text.replace("&", "\\u0026"), slashed.replace("&", "\\u0026"), _numbered(text, form, signs)
    ))  # fmt: skip
    return rng.choice(STRINGS).format(escaped)


def in_json_in_json(text: str, rng: Random) -> str:
    """A JSON text that is a string in another."""
    inner = json.dumps({"sas": text})
    inner = rng.choice((inner, inner.replace("&", "\\u0026"), inner.replace("/", "\\/")))
    outer = json.dumps({"body": inner})
    return rng.choice((outer, outer.replace("&", "\\u0026"), outer.replace("/", "\\/")))


REDIRECTS = (
    "https://acme.test/login?next={}&state=1", "https://acme.test/?url={}", "<https://acme.test/?u={}#top>", "u={};",
    "https://nam02.safelinks.protection.outlook.com/?url={}&data=05%7C02%7C%7C&sdata=QUFBQUFBQUFBQQ%3D%3D&reserved=0",
    '"{}"', "mailto:?body={}", "target: {}\n", "[x](https://acme.test/?u={})", "GET /?u={} HTTP/1.1",
)  # fmt: skip


def _percent(text: str, rng: Random) -> str:
    encoded = quote(text, safe=rng.choice(("", "/", "/:", "/:,;", "!'()*~")))
    return encoded if rng.random() < 0.7 else re.sub("%..", lambda code: code[0].lower(), encoded)


def percent_encoded(text: str, rng: Random) -> str:
    """As a parameter of another URL."""
    return rng.choice(REDIRECTS).format(_percent(text, rng))


def percent_encoded_twice(text: str, rng: Random) -> str:
    """As a parameter of a URL that is a parameter itself."""
    inner = rng.choice(("{}", "https://acme.test/login?next={}", "{}&state=1")).format(_percent(text, rng))
    return rng.choice(REDIRECTS).format(_percent(inner, rng))


def for_a_shell(text: str, rng: Random) -> str:
    """Escaped by a backslash, a backtick or a caret; with percent signs doubled in a batch file."""
    return rng.choice((
        lambda: "curl -O " + re.sub(r"([&?=;$*()])", r"\\\1", text) + "\n",
        lambda: "curl -O " + text.replace("&", "\\&") + " -v\n",
        lambda: 'sas="' + text.replace("$", "\\$").replace("&", "\\&") + '"\n',
        lambda: '$sas = "' + text.replace("$", "`$").replace("&", "`&") + '"\r\n',
        lambda: "curl -O " + text.replace("&", "^&") + "\r\n",
        lambda: "set SAS=" + text.replace("%", "%%").replace("&", "^&") + "\r\n",
        lambda: "@echo " + text.replace("%", "^%").replace("&", "^&") + "\r\n",
    ))()  # fmt: skip


def quoted_printable(text: str, rng: Random) -> str:
    """A part of a mail, as text or as a page."""
    body = rng.choice(("Hello,\n\nlook at {} now\n", '<a href="{}">x</a>\n', "{}\n", "The link: {}\n\nBye\n")).format(
        text
    )
    if body.startswith("<a") and rng.random() < 0.7:
        body = body.replace("&", "&amp;")
    encoded = quopri.encodestring(body.encode()).decode()
    return encoded.replace("\n", "\r\n") if rng.random() < 0.5 else encoded


ESCAPES: dict[str, Form] = {
    "plain": plain,
    "html": in_html,
    "html, twice": in_html_twice,
    "json": in_json,
    "json in json": in_json_in_json,
    "percent-encoded": percent_encoded,
    "percent-encoded twice": percent_encoded_twice,
    "shell": for_a_shell,
    "quoted-printable": quoted_printable,
}
"""Forms on one line, or in lines as its format breaks them."""


# --- broken over lines, and put together ---------------------------------------------------------------------------


def cut(text: str, rng: Random, least: int, most: int = 120) -> list[str]:
    """Chunks of one length, or of various ones."""
    width = rng.randint(least, most)
    chunks, at = [], 0
    same = rng.random() < 0.6
    while at < len(text):
        size = width if same else rng.randint(least, most)
        chunks.append(text[at : at + size])
        at += size
    return chunks


LEAST_COLUMN = 20
LEAST_CHUNK = 12
_DATE = "20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_WHOLE = re.compile(
    f"(?=.*sv={_DATE})(?=.*(?:se={_DATE}.*|.*)(?:si=.|s[pr]=[a-z]))(?=.*(?:se={_DATE}|si=.))"
    ".*sig=(?:[A-Za-z0-9+/]|%2[BFbf]){43}(?:=|%3[Dd])"
)


def in_doubt(pieces: Sequence[str], columns: Sequence[int], begins: str = "") -> bool:
    """Whether nothing tells that a piece belongs to those before it: these are a whole SAS, it holds neither `&` nor a
    percent sign (as a word of another text), and other lines of the same length do not show where lines are cut.

    Such a form is left out: `&sp=r` and on the next line `wdl` may be one, or a SAS and another word.
    """
    for place in range(1, len(pieces)):
        before, piece = "".join(pieces[:place]), pieces[place]
        last, length = columns[place - 2] if place > 1 else -1, columns[place - 1]
        full = length >= 0 and (length == last or (length in columns[place:-1][:1] and (length > last or place == 2)))
        if _WHOLE.match(before) and not re.match("[^=]*[&%]", piece) and not full and re.match(begins, piece):
            return True
    return False


BESIDE = (
    ("", ""),
    ("See ", ""),
    ("See ", " for it."),
    ("<", ">"),
    ('x = "', '"'),
    ("sas: ", ""),
    ("(", ")"),
    ("url=", ""),
)
MARGINS = ("{}", "> {}", "    {}", "# {}", "// {}", "* {}", "| {}")


def wrapped(text: str, rng: Random) -> str | None:
    """Cut at a column, as mail programs and terminals do; what stands beside it on its line takes room.

    Left out is a cut at a blank: that is one between words, however long the line. And of what has no version, as
    before 2012, it is not known when it is whole.
    """
    before, behind = rng.choice(BESIDE if "sv=" in text else BESIDE[:2])
    width = rng.randint(LEAST_COLUMN, 120)
    whole = before + text + behind
    lines = [whole[at : at + width] for at in range(0, len(whole), width)]
    told = before in ("<", 'x = "', "(")
    if any(line != line.strip() for line in lines) or (not told and in_doubt(lines, [len(line) for line in lines])):
        return None
    margin, end = rng.choice(MARGINS), rng.choice(("\n", "\r\n"))
    return end.join(["one two", "", *map(margin.format, lines), "", "three four", ""])


CONTINUED = (
    ('curl "{}" -O\n', "\\\n"), ('curl "{}"', "`\r\n"), ("curl {}\r\n", "^\r\n"), ("curl {}\n", "\\\n"),
    ('x = "{}";', "\\\n"), ('sas: "{}"\n', "\\\n    "),
)  # fmt: skip


def continued(text: str, rng: Random) -> str:
    """A line that goes on by a sign at its end."""
    place, end = rng.choice(CONTINUED)
    return place.format(end.join(cut(text, rng, LEAST_COLUMN)))


def quoted_over_lines(text: str, rng: Random) -> str:
    """An attribute or a string that just goes on on the next line."""
    place = rng.choice(('<a href="{}">x</a>', "x = '{}'\n", "<{}>\n", '"{}"', "`{}`", "[x](<{}>)"))
    chunks = cut(text, rng, LEAST_COLUMN)
    if place.startswith("<a"):
        chunks = [chunk.replace("&", "&amp;") for chunk in chunks]
    return place.format(("\n" + " " * rng.choice((0, 0, 2, 8))).join(chunks))


OPERATORS = (
    " + ",
    "+",
    "\n    + ",
    " +\n    ",
    " . ",
    "\n  . ",
    " & ",
    " & _\r\n  ",
    " .. ",
    " ..\n  ",
    " || ",
    " <> ",
    "\n <> ",
    " ++ ",
    " ~ ",
)
QUOTES = ('"', "'", "`")


def concatenated(text: str, rng: Random) -> str:
    """Strings joined by an operator, on one line or many."""
    operator = rng.choice(OPERATORS)
    mark = rng.choice(QUOTES)
    prefix = rng.choice(("", "", "f", "b", "$"))
    chunks = operator.join(f"{prefix}{mark}{chunk}{mark}" for chunk in cut(text, rng, LEAST_CHUNK))
    return rng.choice(("x = {}\n", "x = {};\n", "f({});\n", '{{"a": 1, "b": {}}}\n')).format(chunks)


def implicit(text: str, rng: Random) -> str | None:
    """Strings side by side, on one line or many.

    On one line they may be a program's arguments, on many lines what begins as an option or a path does.
    """
    between = rng.choice((" ", "\n    ", "\n", "\r\n\t"))
    mark = rng.choice(('"', "'"))
    prefix = rng.choice(("", "", "f", "b", "r"))
    pieces = cut(text, rng, LEAST_CHUNK)
    place = rng.choice(("x = ({})\n", "x = {};\n", "f({});\n", "f(\n{},\n1,\n)\n"))
    before = place.index("{") - place.rfind("\n", 0, place.index("{")) - len(between.lstrip("\r"))
    columns = [-1 if between == " " else len(pieces[0]) + before, *(len(piece) for piece in pieces[1:])]
    if in_doubt(pieces, columns, "" if between == " " else "[-./@$]"):
        return None
    return place.format(between.join(f"{prefix}{mark}{piece}{mark}" for piece in pieces))


BROKEN: dict[str, Form] = {
    "wrapped": wrapped,
    "continued": continued,
    "quoted over lines": quoted_over_lines,
    "concatenated": concatenated,
    "implicit": implicit,
}
