"""Keys of stores: made once, for a new store, for their owner alone; never shown, never replaced."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from oakum.scanner.store import StoreError
from oakum.scanner.store.keys import key_for, key_of_text, new_key, read_key, write_key
from sweeping import opened


def refused(path: Path, where: Path | str = "", *, create: bool = True) -> str:
    """Why there is no key."""
    with pytest.raises(StoreError) as caught:
        key_for(str(path), str(where or path.parent / "store.db"), create=create)
    return str(caught.value)


def test_a_key_is_made_for_a_new_store(tmp_path: Path) -> None:
    """32 random bytes, in a file that its owner alone reads; the same from then on."""
    path = tmp_path / "config" / "store.key"
    key = key_for(str(path), str(tmp_path / "store.db"), create=True)
    assert len(key) == 32
    assert base64.b64decode(path.read_bytes()) == key
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent)] == [0o600, 0o700]
    assert list(path.parent.iterdir()) == [path]
    opened(tmp_path / "store.db", key=key).close()
    assert key_for(str(path), str(tmp_path / "store.db"), create=True) == key


def test_a_store_without_its_key_is_given_no_other(tmp_path: Path) -> None:
    """Nothing would be known again; the file is not made."""
    opened(tmp_path / "store.db").close()
    assert "the key of the store is not there" in refused(tmp_path / "store.key")
    assert not (tmp_path / "store.key").exists()


@pytest.mark.long
def test_nor_is_one_in_postgresql(database: str, tmp_path: Path) -> None:
    """Which is asked for it."""
    opened(database).close()
    assert "the key of the store is not there" in refused(tmp_path / "store.key", database)


def test_without_store_and_key_nothing_is_made_unasked(tmp_path: Path) -> None:
    """`oakum sweep findings` makes no key."""
    assert "there is no store yet, and no key" in refused(tmp_path / "store.key", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="there are no modes on Windows")
def test_a_key_file_that_is_not_its_owners_alone_is_refused(tmp_path: Path) -> None:
    """Nor is a link followed, nor a FIFO waited for."""
    path = tmp_path / "store.key"
    write_key(str(path), new_key())
    path.chmod(0o640)
    assert "can be read by others: `chmod 600` it" in refused(path)
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    assert "is a link: name the file itself" in refused(tmp_path / "link")
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert "is no file: name another" in refused(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    assert "the key file " in refused(tmp_path / "folder")


def test_what_holds_no_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    """A key of another length, too."""
    path = tmp_path / "store.key"
    for content in ("", "geheim", base64.b64encode(bytes(31)).decode(), "\x00" * 44, "é" * 43):
        path.write_text(content)
        path.chmod(0o600)
        why = refused(path)
        assert "holds no key of a store" in why
        assert not content or content not in why


def test_a_key_may_be_written_as_base64_is(tmp_path: Path) -> None:
    """With either alphabet, broken into lines, padded or not."""
    key = bytes(range(224, 256))
    plain = base64.b64encode(key).decode()
    for text in (plain, base64.urlsafe_b64encode(key).decode(), plain.rstrip("="), f" {plain[:20]}\n{plain[20:]}\n"):
        assert key_of_text(text, "OAKUM_STORE_KEY") == key


def test_of_two_keys_made_at_once_one_is_taken(tmp_path: Path) -> None:
    """By both."""
    path = str(tmp_path / "store.key")
    first, second = new_key(), new_key()
    assert write_key(path, first) == first
    assert write_key(path, second) == first
    assert read_key(path) == first
