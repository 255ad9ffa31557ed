"""Connections for protocols other than HTTP, to an address that was checked, and until their time is over."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore

from ..model import clean
from . import Outbound
from .http import UnansweredError, addresses_of, trust

Connection = socket.socket
"""What a driver is given."""
Trust = ssl.SSLContext
"""What checks certificates, for a driver that starts TLS itself."""


class UnsecuredError(Exception):
    """What stands behind a connection does not speak TLS."""


def secured(connection: Connection, host: str, trust: Trust) -> Connection:
    """A connection with TLS from now on, in place of the one before. A certificate that is not trusted is for
    `connected` to tell; UnsecuredError where it speaks no TLS."""
    try:
        return trust.wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError:
        raise UnsecuredError from None


def is_secured(connection: Connection) -> bool:
    """Whether a connection is TLS."""
    return isinstance(connection, ssl.SSLSocket)


@contextmanager
def connected(host: str, port: int, outbound: Outbound, *, seconds: float, tls: bool = False) -> Iterator[Connection]:
    """A connection that ends after so many seconds, whatever stands behind it; with `tls` it begins with that.

    UnansweredError where there is none, or it breaks; a certificate that is not trusted is final.
    """
    until = time.monotonic() + seconds
    connection = _dial(host, port, private=outbound.private, timeout=min(seconds, outbound.limits.connect))
    held = connection.dup()  # TLS takes the other one over, whether it is begun here or by a driver
    ends = threading.Timer(max(0.0, until - time.monotonic()), _end, (held,))
    ends.daemon = True
    ends.start()
    try:
        connection.settimeout(seconds)
        if tls:
            with trust(outbound.certificates).wrap_socket(connection, server_hostname=host) as secured:
                yield secured
        else:
            yield connection
    except ssl.SSLCertVerificationError as error:
        raise UnansweredError(f"its certificate is not trusted ({error.verify_message})", final=True) from None
    except (OSError, EOFError) as error:
        raise UnansweredError(f"the connection breaks ({type(error).__name__})", passing=True) from None
    finally:
        ends.cancel()
        held.close()
        connection.close()


def _dial(host: str, port: int, *, private: bool, timeout: float) -> Connection:
    until = time.monotonic() + timeout
    why = "it has no address"
    try:
        addresses = addresses_of(host, port, private=private, seconds=timeout)
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise UnansweredError(str(error), passing=True) from None
    for address in addresses:
        try:
            return socket.create_connection((address, port), max(0.001, until - time.monotonic()))
        except OSError as error:
            why = f"no connection ({clean(str(error))[:200]})"
    raise UnansweredError(why, passing=True)


def _end(connection: Connection) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
