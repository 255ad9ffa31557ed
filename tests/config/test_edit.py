"""Entries written into a file: in order, in a form that git merges, and nothing else of the file is touched."""

from __future__ import annotations

import os
import stat
import sys
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import pytest
from git_repository import GitRepository
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.config import NAME, edit, load
from oakum.scanner.config.edit import accept, block_of
from oakum.scanner.errors import ConfigError
from oakum.scanner.model import Suppression


def secret(letter: str, reason: str = "why") -> Suppression:
    """An entry for a secret."""
    return Suppression(reason, fingerprint=letter * 26)


def block(letter: str, reason: str = "why") -> str:
    """What such an entry looks like."""
    return f'[[allow]]\nfingerprint = "{letter * 26}"\nreason = "{reason}"\n'


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., str]:
    """Writes entries into a file, and gives the text that it has then."""

    def run(text: str | None, *entries: Suppression, replaced: int = 0) -> str:
        path = tmp_path / NAME
        if text is not None:
            path.write_bytes(text.encode())
        assert sum(accept(os.fsencode(path), entries)) == replaced
        return path.read_bytes().decode()

    return run


def test_a_new_file(edited: Callable[..., str]) -> None:
    """All keys in their order, an empty line between two entries, none at the end."""
    full = Suppression('a "test" key\n', "b" * 26, expires=date(2030, 12, 31), by="Ada", seen="é.py (acme-key)\x7f")
    place = Suppression("made up", path="tests/**", detector="acme-key")
    assert edited(None, full, place) == (
        '[[allow]]\npath = "tests/**"\ndetector = "acme-key"\nreason = "made up"\n'
        "\n"
        f'[[allow]]\nfingerprint = "{"b" * 26}"\nreason = "a \\"test\\" key\\n"\nexpires = 2030-12-31\nby = "Ada"\n'
        'seen = "é.py (acme-key)\\u007f"\n'
    )


PUSH = "# at most\n[push]\n  budget=3   # seconds\n"
HEAD = f'# ours\nmin-band = "low"\n\n{PUSH}'
A, C = f"# Ada's\n{block('a')}", f"# Bob's\n# key\n{block('c')}# (below it)\n"


@pytest.mark.parametrize(
    ("before", "letter", "after"),
    [
        ("", "b", block("b")),
        (HEAD, "b", f"{HEAD}\n{block('b')}"),
        (HEAD.rstrip("\n"), "b", f"{HEAD}\n{block('b')}"),
        (f"{HEAD}\n{A}\n{C}", "b", f"{HEAD}\n{A}\n{block('b')}\n{C}"),
        (f"{HEAD}\n{C}", "b", f"{HEAD}\n{block('b')}\n{C}"),
        (f"{HEAD}\n{A}", "b", f"{HEAD}\n{A}\n{block('b')}"),
        (f"{A}\n\n\n{C}", "b", f"{A}\n\n\n{block('b')}\n{C}"),
        (f"{A}\n{PUSH}", "b", f"{A}\n{block('b')}\n{PUSH}"),
        (f"{A}{PUSH}", "b", f"{A}\n{block('b')}\n{PUSH}"),
        (f"{C}\n{A}", "b", f"{block('b')}\n{C}\n{A}"),
        (f"{C}\n{PUSH}\n{A}", "d", f"{C}\n{PUSH}\n{A}\n{block('d')}"),
        (f"allow = []\n{HEAD}", "b", None),
    ],
)
def test_a_new_entry_goes_to_its_place(edited: Callable[..., str], before: str, letter: str, after: str | None) -> None:
    """Before the first one that is greater, else behind the last one; comments stay with what they stand above."""
    if after is None:
        with pytest.raises(ConfigError, match="is written in a way that oakum does not change"):
            edited(before, secret(letter))
    else:
        assert edited(before, secret(letter)) == after


def test_the_same_entry_again_takes_its_place(edited: Callable[..., str]) -> None:
    """With the comments around it; where it was seen is kept, for readers."""
    before = A + 'expires = 2030-12-31  # soon\nseen = "a.py"\n\n' + C
    after = f'# Ada\'s\n{block("a", "no")}seen = "a.py"\n\n{C}'
    assert edited(before, secret("a", "no"), replaced=1) == after
    assert edited(after, secret("c", "no"), secret("a", "no"), replaced=2) == after.replace(
        block("c"), block("c", "no")
    )


def test_the_newlines_of_windows_stay(edited: Callable[..., str]) -> None:
    """All of them, or those that there are where they are mixed."""
    text = f"{HEAD}\n{A}\n{C}"
    new = f"{HEAD}\n{A}\n{block('b')}\n{C}"
    assert edited(text.replace("\n", "\r\n"), secret("b")) == new.replace("\n", "\r\n")
    assert edited(text.replace("\n", "\r\n", 1), secret("b")) == new.replace("\n", "\r\n", 1)


def test_a_file_that_holds_a_mistake_is_left_alone(edited: Callable[..., str], tmp_path: Path) -> None:
    """It is told, and mended first."""
    for text, said in (
        ("min-band = 1", "min-band: 1 is not allowed"),
        ("a = ", "is not valid TOML"),
        ("é", "valid TOML"),
    ):
        with pytest.raises(ConfigError, match=said):
            edited(text, secret("a"))
        assert (tmp_path / NAME).read_text("utf-8") == text
    assert os.listdir(tmp_path) == [NAME]


def test_a_file_that_would_be_too_large_to_be_read_again(
    edited: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand million entries, say."""
    monkeypatch.setattr(edit.files, "LARGEST", 100)
    with pytest.raises(ConfigError, match="would be larger than"):
        edited(None, secret("a"), secret("b"))


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are others on Windows")
def test_the_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    """A new one gets that of any new file; a link is not written through."""
    path, umask = tmp_path / NAME, os.umask(0o022)
    try:
        accept(os.fsencode(path), [secret("a")])
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o600)
    with path.open("rb") as before:
        accept(os.fsencode(path), [secret("b")])
        assert before.read().decode() == block("a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.rename(tmp_path / "elsewhere")
    path.symlink_to("elsewhere")
    with pytest.raises(ConfigError, match="is a symbolic link, which is not followed"):
        accept(os.fsencode(path), [secret("c")])
    assert (tmp_path / "elsewhere").read_text("utf-8") == f"{block('a')}\n{block('b')}"
    assert sorted(os.listdir(tmp_path)) == [NAME, "elsewhere"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Told as it is."""
    with pytest.raises(ConfigError, match=r"nosuch.*: cannot be written: No such file or directory"):
        accept(os.fsencode(tmp_path / "nosuch" / NAME), [secret("a")])


# --- laws -----------------------------------------------------------------------------------------------------------

TEXTS = st.text("ab\n\r\t\"'\\#[]=é\x00\x7f\u2028\U0001f511", min_size=1, max_size=8).filter(str.strip)
PLACES = st.fixed_dictionaries({"path": st.sampled_from(["a", "b/**", "é"])}, optional={"detector": st.just("a")})
ENTRIES = st.builds(
    lambda reason, what, **more: Suppression(reason, **what, **more),
    TEXTS,
    st.one_of(st.sampled_from("abc").map(lambda letter: {"fingerprint": letter * 26}), PLACES),
    expires=st.one_of(st.none(), st.dates()),
    by=st.one_of(st.just(""), TEXTS),
    seen=TEXTS,
)
PARTS = [
    "# a\n",
    "#\n",
    "\n",
    "[push]\n",
    "\n\n",
    'budget = "1s"\n',
    f"# c\n\n{block('b')}\n",
    block("z"),
    "[[allow]]\n",
]


@given(st.lists(ENTRIES, max_size=6))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, entries: list[Suppression]) -> None:
    """Each entry once, the last of its kind, in order; written again, nothing changes."""
    path = tmp_path_factory.mktemp("written") / NAME
    accept(os.fsencode(path), entries)
    last = {(e.fingerprint, e.path, e.detector): e for e in entries}
    found = load("", os.fsencode(path.parent)).allow
    assert [block_of(e) for e in found] == [block_of(last[key]) for key in sorted(last)]
    text = path.read_bytes()
    assert accept(os.fsencode(path), found) == [True] * len(last)
    assert path.read_bytes() == text


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join), ENTRIES)
def test_nothing_else_of_a_file_changes(
    tmp_path_factory: pytest.TempPathFactory, text: str, entry: Suppression
) -> None:
    """It is refused, or all of its lines are there as they were, in their order, but for those of the same entry."""
    path = tmp_path_factory.mktemp("other") / NAME
    path.write_bytes(text.encode())
    try:
        (again,) = accept(os.fsencode(path), [entry])
    except ConfigError:
        assert path.read_bytes().decode() == text
        return
    new = path.read_bytes().decode()
    before, after = tomllib.loads(text), tomllib.loads(new)
    assert len(after["allow"]) == len(before.get("allow", [])) + (not again)
    if not again:
        at = new.index(block_of(entry))
        rest = new[:at] + new[at + len(block_of(entry)) :]
        assert [line for line in rest.split("\n") if line] == [line for line in text.split("\n") if line]


# --- what git makes of it -------------------------------------------------------------------------------------------


def test_what_git_joins_wrongly_is_refused(repo: GitRepository) -> None:
    """Two entries between the same two others, with `merge=union`: never are half of them heeded."""
    path = repo.path / NAME
    accept(os.fsencode(path), [secret("a"), secret("z")])
    repo.commit({".gitattributes": b"*.toml merge=union\n"})
    repo.git("branch", "theirs")
    for branch, letter in (("main", "c"), ("theirs", "d")):
        repo.git("checkout", "--quiet", branch)
        accept(os.fsencode(path), [secret(letter, f"for {letter}")])
        repo.commit()
    repo.git("merge", "--quiet", "--no-edit", "main")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load("", os.fsencode(repo.path))


@pytest.mark.parametrize("seed", range(5))
def test_two_branches_that_accept_different_secrets_merge(repo: GitRepository, seed: int) -> None:
    """Without a conflict where at least one entry stands between the two; all that both accepted is there, in order."""
    path, rng = repo.path / NAME, Random(seed)
    letters = sorted(rng.sample("abcdefghijklmnopqrstuvwxyz", 9))
    ours, theirs = rng.sample(letters[::2], 2)
    accept(os.fsencode(path), [secret(letter) for letter in letters if letter not in (ours, theirs)])
    repo.commit()
    repo.git("branch", "theirs")
    for branch, letter in (("main", ours), ("theirs", theirs)):
        repo.git("checkout", "--quiet", branch)
        accept(os.fsencode(path), [secret(letter)])
        repo.commit()
    repo.git("merge", "--quiet", "--no-edit", "main")
    assert path.read_text("utf-8") == "\n".join(map(block, letters))
