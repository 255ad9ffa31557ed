"""Histories that look like those of programs: files of several languages that grow and change, commit by commit.

They are told to `git fast-import`. A history is the same for the same seed, and so are its commits, wherever they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from . import made_up

FORMS = {
    ".py": (
        "def {a}_{b}_{n}({c}, {d}=None):",
        "    if {a}.{b} > {n} and not {c}_{d}:",
        "        return {a}.{b}({c}, {n})",
        "    {a}_{b} = {c}.{d}({a}[{n}], {b}=self.{c})",
    ),
    ".js": (
        "export function {a}{b}{n}({c}, {d}) {{",
        "  const {a}{b} = await {c}.{d}({{ {a}: {n}, {b}: '{c}' }});",
        "  if (!{a}.{b} || {c}.length > {n}) return {d};",
        "}}",
    ),
    ".go": (
        "func ({a} *{b}) {c}{n}({d} string) error {{",
        "\tif {a}.{b} != {n} {{ return fmt.Errorf(\"{c} of {d}: %w\", err) }}",
        "\t{a}, err := {b}.{c}(ctx, {d}[{n}])",
        "}}",
    ),
    ".java": (
        "    public {a} {b}{n}(final {c} {d}) throws IOException {{",
        "        this.{a} = {b}.get{c}({n}).orElse({d});",
        "        LOGGER.info(\"{a} of {b}: {{}}\", {c}.size() + {n});",
        "    }}",
    ),
    ".sql": (
        "SELECT {a}.{b}, COUNT(*) AS {c} FROM {a} JOIN {d} USING ({b}) WHERE {c} > {n};",
        "CREATE INDEX {a}_{b}_{n} ON {c} ({d});",
        "-- the {a} of each {b}, and its {c}",
    ),
    ".yaml": (
        "  {a}-{b}:",
        "    {c}: {n}",
        "    - name: {a} {b}",
        "    # the {a} decides on the {b} here",
    ),
    ".md": (
        "The {a} of a {b} is read before its {c}, so that the {d} has {n} of them.",
        "## The {a} and its {b}",
        "- `{a}.{b}`: the {c} that a {d} is given.",
        "",
    ),
}  # fmt: skip
"""Lines of files by the end of their names."""
RARE = "quokka"
"""A word that stands in one line of twenty thousand."""
RARITY = 20_000
FOLDERS = ("src", "lib", "app/models", "docs", "deploy", "cmd/server", "web/static", "internal/core")
WRITERS = tuple(
    b"%s <%s@made-up.test>" % (name.encode().title(), name.encode()) for name in "ana ben chi dov eva".split()
)
PRIVATE = b"http://10.0.0.1/private.git"
"""What submodules and LFS name: nobody may follow it."""
LONGEST = 3_000
"""Lines of a new file."""
LARGEST = 1 << 19
"""Bytes of a binary one."""


def line(random: Random, ending: str) -> bytes:
    """A line of a file that ends so, with its newline."""
    if not random.randrange(RARITY):
        return f"{RARE} {random.randrange(10_000)}\n".encode()
    a, b, c, d = random.choices(made_up.WORDS, k=4)
    return random.choice(FORMS[ending]).format(a=a, b=b, c=c, d=d, n=random.randrange(10_000)).encode() + b"\n"


def settings(random: Random, text: bytes) -> tuple[str, bytes]:
    """A file in whose middle a text stands: its path, and what is in it."""
    ending = random.choice(sorted(FORMS))
    around = [line(random, ending) for _ in range(6)]
    return f"{random.choice(FOLDERS)}/settings{ending}", b"".join([*around[:3], text, *around[3:]])


class History:
    """The commits of a repository; whoever takes one up with another `random` has made a fork of it."""

    def __init__(self, seed: str, name: str) -> None:
        self.random = Random(seed)
        self._name = name
        self._languages = self.random.sample(sorted(FORMS), self.random.randint(1, 3))
        self._files: list[tuple[bytes, str, list[bytes]]] = []

    def begin(self, ref: str) -> Iterator[bytes]:
        """The first commit."""
        random = self.random
        yield made_up.commit(ref, 1, b"begin", WRITERS[0]) + b"M 100644 inline README.md\n"
        yield made_up.data(b"# %s\n" % self._name.encode())
        if random.random() < 0.1:
            yield b"M 100644 inline .github/CODEOWNERS\n"
            yield made_up.data(b"* @acme/%s\ndocs/ @acme/writers\n" % self._name.partition("/")[0].encode())
        if random.random() < 0.05:
            yield b"M 100644 inline .gitmodules\n"
            yield made_up.data(b'[submodule "private"]\n\tpath = private\n\turl = %s\n' % PRIVATE)
            yield b"M 160000 %s private\n" % random.randbytes(20).hex().encode()
        if random.random() < 0.05:
            yield b"M 100644 inline .lfsconfig\n" + made_up.data(b"[lfs]\n\turl = %s\n" % PRIVATE)
            yield b"M 100644 inline model.bin\n"
            pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
            yield made_up.data(pointer % (random.randbytes(32).hex().encode(), random.randrange(1 << 30)))
        yield b"\n"

    def edit(self, ref: str, number: int) -> Iterator[bytes]:
        """A commit that changes a file or two, or adds them."""
        random = self.random
        yield made_up.commit(ref, number, line(random, ".md").strip(), random.choice(WRITERS))
        for _ in range(random.choice((1, 1, 2))):
            path, ending, lines = self._file()
            for _ in range(random.randint(1, 4)):
                lines[random.randrange(len(lines))] = line(random, ending)
            lines.insert(random.randrange(len(lines)), line(random, ending))
            yield b"M 100644 inline %s\n" % path + made_up.data(b"".join(lines))
        if random.random() < 0.01:
            size = min(LARGEST, int(random.lognormvariate(9, 1.2)))
            yield b"M 100644 inline web/logo-%d.png\n" % random.randrange(3)
            yield made_up.data(b"\x89PNG\r\n\x1a\n" + random.randbytes(size))
        yield b"\n"

    def _file(self) -> tuple[bytes, str, list[bytes]]:
        """A new one, seldomer the more there are, or one that is there, mostly of those that have long been there."""
        random, there = self.random, len(self._files)
        if there and random.random() > 0.5 / (1 + there / 20):
            return self._files[int(there * random.random() ** 2)]
        ending = random.choice(self._languages)
        path = f"{random.choice(FOLDERS)}/{random.choice(made_up.WORDS)}_{there}{ending}".encode()
        lines = [line(random, ending) for _ in range(min(LONGEST, 1 + int(random.lognormvariate(4, 1))))]
        self._files.append((path, ending, lines))
        return self._files[-1]
