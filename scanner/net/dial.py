"""Connections for protocols other than HTTP, to an address that was checked, and until their time is over."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..model import clean
from . import Outbound
from .http import UnansweredError, addresses_of, trust

Connection = socket.socket
"""What a driver is given."""
Trust = ssl.SSLContext
"""What checks certificates, for a driver that starts TLS itself."""


@contextmanager
def connected(host: str, port: int, outbound: Outbound, *, seconds: float, tls: bool = False) -> Iterator[Connection]:
    """A connection that ends after so many seconds, whatever stands behind it; with `tls` it begins with that.

    UnansweredError where there is none, or it breaks; a certificate that is not trusted is final.
    """
    connection = _dial(host, port, private=outbound.private, timeout=min(seconds, outbound.limits.connect))
    ends = threading.Timer(seconds, _end, (connection,))
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
        raise UnansweredError(f"the connection breaks ({type(error).__name__})") from None
    finally:
        ends.cancel()
        connection.close()


def _dial(host: str, port: int, *, private: bool, timeout: float) -> Connection:
    why = "it has no address"
    for address in addresses_of(host, port, private=private):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            why = f"no connection ({clean(str(error))[:200]})"
    raise UnansweredError(why)


def _end(connection: Connection) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
