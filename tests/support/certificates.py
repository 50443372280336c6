"""A certificate authority for one test run, and its certificates."""

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


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key, in two files in PEM form."""

    certificate: Path
    key: Path
    sha1: str

    def context(self, trusted: Path | None) -> ssl.SSLContext:
        """What a client with this certificate needs to connect to a server with a certificate of
        `trusted`."""
        context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """A certificate authority with its files in `folder`; `certificate` is its own."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = folder / f"{name}.pem"
        root = self._sign(self._name, self._key.public_key(), x509.BasicConstraints(True, None))
        self.certificate.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, file: str | None = None) -> Identity:
        """Issues a certificate for `name` at 127.0.0.1. The files are named `file` or `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = self._sign(_name(name), key.public_key(), here)
        stem = self._folder / (file or name)
        pem, private = stem.with_suffix(".pem"), stem.with_suffix(".key")
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        digest = certificate.fingerprint(hashes.SHA1())  # Crossbar.io identifies clients by it
        return Identity(pem, private, ":".join(f"{byte:02X}" for byte in digest))

    def _sign(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )
