"""Who was tried to log in as: each user of a host once in a run.

Directories, mail servers and others lock a user out after some passwords that are wrong, wherever these came in: the
port and the way in which the host is written make no difference. That two names lead to one machine is not looked up.
"""

from __future__ import annotations

import threading
import unicodedata
from ipaddress import ip_address

_HERE = "localhost"
_HERE_BY_NUMBER = frozenset(("127.0.0.1", "::1", "0.0.0.0", "::"))  # noqa: S104  nothing is bound to it


class Users:
    """Who was tried in a run, and with the password of which place: too many that are wrong would lock somebody out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, str], int] = {}

    def take(self, host: str, user: str, place: int) -> bool:
        """Whether nobody else took a user of a host before. A port is no other host, nor is another way to write it;
        large and small letters are one user's to many servers, as are the forms of one letter (RFC 8265)."""
        name = unicodedata.normalize("NFKC", user).casefold()
        with self._lock:
            return self._taken.setdefault((_machine(host), name), place) == place


def _machine(host: str) -> str:
    """One name for all by which a host is called, as far as these tell that."""
    name = host.strip("[]").rstrip(".").lower()
    if name == _HERE or name.endswith(f".{_HERE}"):
        return _HERE
    try:
        ip = ip_address(name)
    except ValueError:
        return name
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return _HERE if str(ip) in _HERE_BY_NUMBER else str(ip)
