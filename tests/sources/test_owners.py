"""Who owns a file, by CODEOWNERS as the hosts document it; and what a hostile one may not do."""

from __future__ import annotations

import itertools
import os
import time
from types import SimpleNamespace

import pytest
from git_repository import GitRepository
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.sources import owners as module
from oakum.scanner.sources.git import open_repository
from oakum.scanner.sources.owners import LARGEST, Pattern, owners, read

KINDS = ("github", "gitlab", "gitea", "")
GITHUB = b"""\
# Each line is a file pattern followed by one or more owners.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.test
/build/logs/ @doctocat
docs/*  docs@example.test
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
with\\ space.txt @spaced
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.txt", ("@global-owner1", "@global-owner2")),
        ("deep/down/a.js", ("@js-owner",)),
        ("a.go", ("docs@example.test",)),
        ("build/logs/today", ("@octocat",)),
        ("docs/a.md", ("@doctocat",)),
        ("docs/build/a.md", ("@doctocat",)),
        ("lib/apps/a", ("@octocat",)),
        ("scripts/a", ("@doctocat", "@octocat")),
        ("deep/logs", ("@octocat",)),
        ("apps/github", ()),
        ("with space.txt", ("@spaced",)),
    ],
)
def test_github(path: str, expected: tuple[str, ...]) -> None:
    """The last line that fits counts, also where it names nobody."""
    assert read(GITHUB).owners_of(path) == expected


def test_only_right_there() -> None:
    """`docs/*` does not reach into folders below."""
    assert read(b"docs/* @d").owners_of("docs/a") == ("@d",)
    assert read(b"docs/* @d").owners_of("docs/a/b") == ()


def test_sections_of_gitlab() -> None:
    """Each counts by itself; what names nobody is of the section's owners."""
    told = read(b"* @all\n[Database][2] @dba\nmodel/db/\nmodel/db/sql @sql\n^[Docs]\n*.md @docs\n[database]\nx @x\n")
    assert told.owners_of("a") == ("@all",)
    assert told.owners_of("model/db/a") == ("@all", "@dba")
    assert told.owners_of("model/db/sql") == ("@all", "@sql")
    assert told.owners_of("b.md") == ("@all", "@docs")
    assert told.owners_of("x") == ("@all", "@x")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", ("@readme",)),
        ("deep/internal/README.md", ("@internal",)),
        ("deep/lib/a", ("@lib",)),
        ("config/a", ("@config",)),
        ("deep/config/a", ("@all",)),
        ("docs/a", ("@docs",)),
        ("docs/a/b", ("@all",)),
        ("docs/a/b.md", ("@prose",)),
        ("pom.xml", ("@java",)),
        ("deep/pom.xml", ("@java",)),
        ("a.java", ("@all", "@java")),
        (".hidden", ("@all",)),
    ],
)
def test_gitlab(path: str, expected: tuple[str, ...]) -> None:
    """A pattern that does not begin with a slash fits at any depth; `!` is final in its section, and there alone."""
    told = read(
        b"* @all\nREADME.md @readme\ninternal/README.md @internal\nlib/ @lib\n/config/ @config\n/docs/* @docs\n"
        b"/docs/**/*.md @prose\n!pom.xml @nobody\npom.xml @again\n[Java] @java\n*.java\npom.xml\n",
        "gitlab",
    )
    assert told.owners_of(path) == expected


def test_github_has_no_sections() -> None:
    """Nor what is left out: such lines are none. Of a file on an unknown host sections say that it is one of GitLab."""
    content = b"* @all\n!a @x\n[Docs] @docs\ndocs/a\n"
    assert read(content, "github").owners_of("docs/a") == ()
    assert read(content, "github").owners_of("a") == ("@all",)
    assert read(content).owners_of("docs/a") == ("@docs",)
    assert read(content).owners_of("deep/docs/a") == ("@docs",)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.go", ("@user1", "@user2", "@org3/team")),
        ("deep/a.go", ("@user1", "@user2", "@org3/team")),
        ("ago", ("@org3/team",)),
        ("frontend/src/a.js", ("@org1/team1", "@hash")),
        ("frontend/src/#a", ("@sharp", "@hash")),
        ("frontend/src/deep/#a", ("@hash",)),
        ("path with space", ("@org3/team", "@spaced")),
        ("xfrontend/src/a.js", ("@org3/team",)),
    ],
)
def test_gitea(path: str, expected: tuple[str, ...]) -> None:
    """Expressions for whole paths; all that fit count, and `!` fits all other paths. Those with more than gaps own
    nothing, and take no time."""
    told = read(
        b".*\\\\.go @user1 @user2 # a comment\nfrontend/src/.*\\\\.js @org1/team1\n!frontend/src/.* @org3/team\n"
        b"docs/(aws|google)/[^/]*\\\\.(md|txt) @user8\nfrontend/src/\\#. @sharp\n^frontend/.*$ @hash\n"
        b"path\\ with\\ space @spaced\n(a+)+b @hostile\na{1,9} @x\n.+ @x\na* @x\n\\\\d @x\n\\\\.* @x\n",
        "gitea",
    )
    assert told.owners_of(path) == expected


def test_below_a_folder() -> None:
    """`a/**` fits what lies in it, at any depth, and nothing else."""
    told = read(b"a/** @a\n/**/c/** @c\n")
    assert [told.owners_of(path) for path in ("a", "a/b", "a/b/d", "x/a/b", "x/c/d", "c")] == [
        *((), ("@a",), ("@a",), (), ("@c",), ())
    ]
    assert read(b"** @all\n").owners_of("a/b") == read(b"/** @all\n").owners_of("b") == ("@all",)


def segment(text: str) -> st.SearchStrategy[str]:
    """A name of these letters."""
    return st.text(text, min_size=1, max_size=4)


@given(st.lists(segment("ab"), min_size=1, max_size=4))
def test_a_path_fits_itself_and_what_is_below_it(names: list[str]) -> None:
    """From the root; and its last name anywhere."""
    path = "/".join(names)
    whole, last = Pattern.read("/" + path), Pattern.read(names[-1])
    assert whole is not None
    assert last is not None
    assert whole.fits(path)
    assert whole.fits(path + "/below")
    assert not whole.fits("other/" + path + "x")
    assert last.fits(path)


@given(segment("ab*?"), segment("ab"))
def test_globs_are_those_of_fnmatch(pattern: str, name: str) -> None:
    """Within a name."""
    from fnmatch import fnmatchcase

    if set(pattern) == {"*"} and len(pattern) > 1:
        return  # `**` means more
    made = Pattern.read(pattern)
    assert made is not None
    assert made.fits(name) is fnmatchcase(name, pattern)


def test_a_pattern_made_to_hurt_takes_no_time() -> None:
    """It is no regular expression."""
    begun = time.process_time()
    for pattern in ("*a" * 120 + "b", "**/" * 80 + "b", "**/a/" * 40 + "b", "(a+)+" * 50):
        made = Pattern.read(pattern)
        assert made is not None
        assert not made.fits("a" * 4000)
        assert not made.fits("a/" * 2000 + "c")
    assert time.process_time() - begun < 3


def test_the_time_for_a_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is asked for when it is up, nobody is the owner; here each line takes a second."""
    clock = itertools.count()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(module, "PATIENCE", 100.0)
    told = read(b"* @all\n" + b"*.x @x\n" * 60 + b"quick @q\n")
    assert told.owners_of("quick") == ("@q",)
    assert told.owners_of("slow") == ("@all",)
    assert [told.owners_of("too late"), told.owners_of("later")] == [(), ()]
    assert told.owners_of("slow") == ("@all",)


def test_one_path_among_patterns_made_to_hurt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is bounded within the first path, too: each of these takes some milliseconds."""
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    told = read(b"x" + b"*a" * 100 + b"b @x\n" + (b"*a" * 120 + b"b @x\n") * 10_000)
    begun = time.process_time()
    assert told.owners_of("a" * 4000) == ()
    assert told.owners_of("a" * (1 << 20)) == ()
    assert time.process_time() - begun < 3


@given(st.binary(max_size=400) | st.text("[]^!*?/\\ @#.\n\tab", max_size=60).map(str.encode), st.sampled_from(KINDS))
def test_any_bytes_are_read(content: bytes, kind: str) -> None:
    """What is no line is left out."""
    read(content, kind).owners_of("a/b.py")


@pytest.mark.parametrize("kind", KINDS)
def test_lines_made_to_hurt_take_no_time(kind: str) -> None:
    """Nor do those that are as long as the file."""
    begun = time.process_time()
    for line in (b"[" * LARGEST, b"[a]" + b" \t" * (1 << 20), b"[a] @" + b"@ " * (1 << 20) + b"\x0b", b"\\" * LARGEST):
        assert read(line + b"\n* @all", kind).owners_of("a") in (("@all",), ())
    assert time.process_time() - begun < 3


def test_it_is_read_at_the_head_of_the_default_branch(repo: GitRepository) -> None:
    """The first of the places where hosts look; not as a link, nor if it is too long."""
    found = open_repository(os.fsencode(repo.path), dict(os.environ))
    assert found is not None
    assert owners(found).owners_of("a") == ()
    repo.commit({"docs/CODEOWNERS": b"* @docs\n"}, "docs")
    assert owners(found).owners_of("a") == ("@docs",)
    repo.commit({".github/CODEOWNERS": b"* @github\n"}, "github")
    assert owners(found).owners_of("a") == ("@github",)
    repo.commit({".github/CODEOWNERS": b"* @big\n" + b"#" * LARGEST}, "too long")
    assert owners(found).owners_of("a") == ()
    repo.git("rm", "-q", ".github/CODEOWNERS")
    (repo.path / "CODEOWNERS").symlink_to("/etc/passwd")
    repo.git("add", "CODEOWNERS")
    repo.git("commit", "-qm", "a link")
    assert owners(found).owners_of("a") == ("@docs",)


def test_each_kind_of_host_looks_elsewhere(repo: GitRepository) -> None:
    """And reads in its own way what it finds; where the host is not known, its folder says which way that is."""
    found = open_repository(os.fsencode(repo.path), dict(os.environ))
    assert found is not None
    of = {".github": "lib/ @github", ".gitlab": "deep/lib/ @gitlab", ".gitea": ".*b/a @gitea"}
    repo.commit({f"{folder}/CODEOWNERS": line.encode() for folder, line in of.items()}, "all")
    told = {kind: owners(found, kind).owners_of("x/deep/lib/a") for kind in KINDS}
    assert told == {"github": ("@github",), "gitlab": ("@gitlab",), "gitea": ("@gitea",), "": ("@github",)}
    repo.git("rm", "-rq", ".github")
    repo.git("commit", "-qm", "moved away from GitHub")
    assert owners(found).owners_of("x/deep/lib/a") == ("@gitlab",)
    repo.commit({"CODEOWNERS": b"* @root\n"}, "root")
    assert {owners(found, kind).owners_of("a") for kind in ("github", "gitlab", "")} == {("@root",)}


def test_a_repository_without_a_commit(tmp_path: object) -> None:
    """Nobody owns anything."""
    made = GitRepository.create(tmp_path / "empty")  # type: ignore[operator]
    found = open_repository(os.fsencode(made.path), dict(os.environ))
    assert found is not None
    assert owners(found).owners_of("a") == ()
