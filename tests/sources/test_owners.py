"""Who owns a file, by CODEOWNERS as the hosts document it; and what a hostile one may not do."""

from __future__ import annotations

import os
import time

import pytest
from git_repository import GitRepository
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.sources import owners as module
from oakum.scanner.sources.git import open_repository
from oakum.scanner.sources.owners import LARGEST, Pattern, owners, read

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


def test_a_file_made_to_hurt_takes_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left then has no owners of its own."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    told = read(b"* @all\n" + b"**/a*a*a*a*a*a*a*b @x\n" * 2000)
    begun = time.process_time()
    assert told.owners_of("a" * 200) == ("@all",)
    assert [told.owners_of(f"a/{number}") for number in range(1000)][-1] == ()
    assert time.process_time() - begun < 3


@given(st.binary(max_size=400))
def test_any_bytes_are_read(content: bytes) -> None:
    """What is no line is left out."""
    read(content).owners_of("a/b.py")


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


def test_a_repository_without_a_commit(tmp_path: object) -> None:
    """Nobody owns anything."""
    made = GitRepository.create(tmp_path / "empty")  # type: ignore[operator]
    found = open_repository(os.fsencode(made.path), dict(os.environ))
    assert found is not None
    assert owners(found).owners_of("a") == ()
