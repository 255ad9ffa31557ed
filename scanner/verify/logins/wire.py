"""The two ends of a login's connection: what is read from it, within bounds, and what is sent, never in the open.

What holds a password goes out by `send(…, secret=True)` alone, which wants TLS with a certificate that was checked, or
a server on this very machine.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...net.addresses import is_own
from ...net.dial import Connection, Trust, UnsecuredError, is_secured, secured
from ..credential import UnaskedError

MOST = 1 << 20
"""Bytes that are read of a server in all."""
LONGEST_LINE = 8 << 10
NO_TLS = "it offers no TLS: the password was not sent"


class Wire:
    """A connection to a server `host`. `tried` says that the password, or what is made of it, was sent; `environment`
    is the user's own."""

    def __init__(self, connection: Connection, host: str, trust: Trust, environment: Mapping[str, str]) -> None:
        self._connection, self._host, self._trust = connection, host, trust
        self.environment = environment
        self._left = MOST
        self._kept = b""
        self.local = is_own(str(connection.getpeername()[0]))
        """Whether the server is on this machine, where nobody reads on the way."""
        self.tried = False

    @property
    def private(self) -> bool:
        """Whether a password may be sent."""
        return self.local or self.secured

    @property
    def secured(self) -> bool:
        """Whether it is TLS."""
        return is_secured(self._connection)

    @property
    def patience(self) -> float:
        """The seconds that it is waited for bytes."""
        return self._connection.gettimeout() or 0.0

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._connection.settimeout(seconds)

    def secure(self) -> None:
        """Start TLS, and check the certificate."""
        if self._kept:
            raise UnaskedError("it sends something before TLS that would count as said within it")
        try:
            self._connection = secured(self._connection, self._host, self._trust)
        except UnsecuredError:
            raise UnaskedError(NO_TLS) from None

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def send(self, data: bytes, *, secret: bool = False) -> None:
        """Send. UnaskedError where a secret could be read on the way."""
        if secret:
            if not self.private:
                raise UnaskedError(NO_TLS)
            self.tried = True
        self._connection.sendall(data)

    def some(self, most: int) -> bytes:
        """What has come, so many bytes at most; none when it is over."""
        if self._kept:
            part, self._kept = self._kept[:most], self._kept[most:]
            return part
        if self._left <= 0:
            raise UnaskedError(f"it sends more than {MOST >> 20} MiB, as no login does")
        part = self._connection.recv(min(most, self._left))
        self._left -= len(part)
        return part

    def exactly(self, size: int) -> bytes:
        """So many bytes. EOFError where it ends before that."""
        if not 0 <= size <= MOST:
            raise UnaskedError("it announces more than any login needs")
        read = bytearray()
        while len(read) < size:
            part = self.some(size - len(read))
            if not part:
                raise EOFError
            read += part
        return bytes(read)

    def line(self) -> bytes:
        """A line, without its end (RFC 5321 2.3.8: CR LF; LF alone is taken, too)."""
        read = bytearray()
        while (end := read.find(b"\n")) < 0:
            if len(read) > LONGEST_LINE:
                raise UnaskedError("it sends a line that has no end")
            part = self.some(LONGEST_LINE)
            if not part:
                raise EOFError
            read += part
        self._kept = bytes(read[end + 1 :]) + self._kept
        return bytes(read[:end]).removesuffix(b"\r")
