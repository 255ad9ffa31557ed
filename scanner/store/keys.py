"""The key of a store: 32 random bytes in a file of their owner (mode 0600), in base64, or in a text that is given.

It lies outside of the database. Who loses it has a store that cannot be added to: findings would not be known again. So
a key is made for a new store only, and is on the disk before the store is.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import stat
import tempfile

from ..cache import READING
from ..model import clean
from . import StoreError

SIZE = 32
_CONSTANT = b"oakum store 1"
"""No fingerprint: those have no spaces."""


def check_of(key: bytes) -> str:
    """By which a store knows its key again."""
    return hmac.new(key, _CONSTANT, hashlib.sha256).hexdigest()


def new_key() -> bytes:
    """A key for a new store."""
    return os.urandom(SIZE)


def key_of_text(text: str, where: str) -> bytes:
    """The key that a text says, in base64 of either alphabet; StoreError, which does not show it. `where` says where
    the text comes from."""
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != SIZE:
        raise StoreError(
            f"{where} holds no key of a store: it is {SIZE} bytes in base64, such as `openssl rand -base64 {SIZE}` "
            "makes for a new one"
        )
    return key


def read_key(path: str) -> bytes | None:
    """The key in a file; None where there is none. StoreError for a file that is a link, that others can read, or that
    holds no key."""
    shown = clean(os.fsencode(path))
    try:
        descriptor = os.open(path, READING)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = "is a link" if os.path.islink(path) else f"cannot be read ({error.strerror})"
        raise StoreError(f"the key file {shown} {why}: name the file itself, readable for you") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(f"the key file {shown} is no file: name another")
        if os.name == "posix" and found.st_mode & 0o077:
            raise StoreError(f"the key file {shown} can be read by others: `chmod 600` it, or make a new store")
        content = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    return key_of_text(content.decode("latin-1"), f"the key file {shown}")


def write_key(path: str, key: bytes) -> bytes:
    """Put a key into a new file, and say which is there now: another process may have been faster."""
    folder = os.path.dirname(path) or "."
    temporary = ""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _put(temporary, path)
    except OSError as error:
        raise StoreError(
            f"the key file {clean(os.fsencode(path))} cannot be written ({error.strerror}): name another"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return read_key(path) or key


def _put(temporary: str, path: str) -> None:
    """In its place, where there is none; what is there stays."""
    if os.name != "posix":  # there, a file is not replaced by this
        with contextlib.suppress(FileExistsError):
            os.rename(temporary, path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not os.path.lexists(path):
            os.rename(temporary, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def key_for(path: str, where: str, *, create: bool) -> bytes:
    """The key in a file, for the store at `where`: made where the store is to be made too, and only then."""
    from .opening import has_store

    found = read_key(path)
    if found is not None:
        return found
    shown = clean(os.fsencode(path))
    if has_store(where):
        raise StoreError(
            f"the key of the store is not there ({shown}): bring it back, or name it (--store-key, OAKUM_STORE_KEY). "
            "If it is lost, begin a new store: without its key no finding is known again"
        )
    if not create:
        raise StoreError(f"there is no store yet, and no key ({shown}): `oakum sweep run` makes both")
    return write_key(path, new_key())
