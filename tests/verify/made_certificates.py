"""An authority made for a test, and the certificate of a server at 127.0.0.1 that it signed."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_FROM = datetime.datetime(2020, 1, 1)
_UNTIL = datetime.datetime(2099, 1, 1)


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: the authority's certificate, and the server's with its key."""

    authority: str
    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        """For a server."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.certificate, self.key)
        return made


def certificates(folder: Path) -> Certificates:
    """Files in a folder."""
    root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of tests")])
    authority = _signed(name, name, root, root, x509.BasicConstraints(ca=True, path_length=0), critical=True)
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    here = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = _signed(here, name, own, root, place, critical=False)
    made = Certificates(*(str(folder / each) for each in ("authority.pem", "certificate.pem", "key.pem")))
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    Path(made.authority).write_bytes(authority.public_bytes(pem))
    Path(made.certificate).write_bytes(certificate.public_bytes(pem))
    Path(made.key).write_bytes(own.private_bytes(pem, form, plain))
    return made


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
    *,
    critical: bool,
) -> x509.Certificate:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(_FROM).not_valid_after(_UNTIL)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    return made.add_extension(extension, critical=critical).sign(by, hashes.SHA256())
