"""Servers that people log in to, started for tests on loopback, with users and passwords made for each run."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from made_certificates import Certificates
from servers import free_port, process

START = 30
"""Seconds until a server must listen."""
_FOLDERS = ["/usr/sbin", "/usr/lib/ldap", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]


def program(name: str, package: str) -> str:
    """Where a program lies; without it the test is skipped."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_FOLDERS)))
    if found is None:
        pytest.skip(f"needs {name} (Debian: {package})")
    return found


@dataclass(frozen=True)
class Server:
    """One that listens. `passwords` are those of its users."""

    port: int
    passwords: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """As `--verify-host` names it."""
        return f"127.0.0.1:{self.port}"

    def url(self, scheme: str, user: str, password: str = "", path: str = "") -> str:
        """A URL for a user with his password, or with another one."""
        return f"{scheme}://{user}:{password or self.passwords[user]}@{self.place}{path}"


def as_nobody(folder: Path) -> list[str]:
    """What goes before a command of a program that refuses to be root; the folder becomes nobody's."""
    if os.geteuid() != 0:
        return []
    for each in (folder, *folder.rglob("*")):
        shutil.chown(each, "nobody", "nogroup")
    for above in folder.parents:  # it must be reached
        if above.owner() == "root" and above.is_relative_to("/tmp") and above != Path("/tmp"):
            above.chmod(above.stat().st_mode | 0o011)
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", f"HOME={folder}"]


def _well(command: Sequence[str], given: str = "") -> None:
    """Run a program to its end."""
    done = subprocess.run(command, input=given, text=True, capture_output=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


# --- PostgreSQL ------------------------------------------------------------------------------------------------------

_HBA = """
local all all trust
host all anybody 127.0.0.1/32 trust
host all plain 127.0.0.1/32 password
host all digest 127.0.0.1/32 md5
host all barred 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""
_ROLES = """
create role owner login password '{owner}';
create role writer login password '{writer}';
create role reader login password '{reader}';
create role plain login password '{plain}';
create role anybody login password '{anybody}';
create role barred login password '{barred}';
create role nologin password '{nologin}';
create role gone login password '{gone}' valid until '2020-01-01';
set password_encryption = 'md5';
create role digest login password '{digest}';
create database shop owner owner;
"""
_TABLES = """
create table goods (id int);
grant insert, select on goods to writer;
grant select on goods to reader;
"""


@contextmanager
def postgresql(folder: Path, passwords: Mapping[str, str], signed: Certificates) -> Iterator[Server]:
    """PostgreSQL with roles that may do this and that in the database `shop`."""
    initdb, psql, postgres = (program(name, "postgresql") for name in ("initdb", "psql", "postgres"))
    (folder / "password").write_text(passwords["postgres"])
    for name in ("certificate", "key"):
        shutil.copy(getattr(signed, name), folder / name)
        (folder / name).chmod(0o600)
    first = as_nobody(folder)
    data = folder / "data"
    made = [*first, initdb, "--no-sync", "-U", "postgres", "-E", "UTF8", "--locale=C", f"--pwfile={folder}/password"]
    _well([*made, str(data)])
    (data / "pg_hba.conf").write_text(_HBA)
    port = free_port()
    options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
    options += ["ssl=on", f"ssl_cert_file={folder}/certificate", f"ssl_key_file={folder}/key"]
    command = [*first, postgres, "-D", str(data), *(word for option in options for word in ("-c", option))]
    with process(command, folder / "output", port):
        for database, text in (("postgres", _ROLES.format(**passwords)), ("shop", _TABLES)):
            asked = [
                psql,
                "-q",
                "-h",
                str(folder),
                "-p",
                str(port),
                "-U",
                "postgres",
                "-v",
                "ON_ERROR_STOP=1",
                database,
            ]
            for _ in range(100):  # it listens before it is ready
                done = subprocess.run(asked, input=text, text=True, capture_output=True)
                if "starting up" not in done.stderr:
                    break
                time.sleep(0.05)
            assert done.returncode == 0, done.stderr
        yield Server(port, passwords)


# --- Redis -----------------------------------------------------------------------------------------------------------


@contextmanager
def redis(folder: Path, passwords: Mapping[str, str], signed: Certificates, *, tls: bool = False) -> Iterator[Server]:
    """Redis with the user `default` (who needs a password if `passwords` has one), `writer`, `reader`, `anybody`, who
    needs none, and `off`, who may not log in."""
    port = free_port()
    lines = [f"{'tls-' if tls else ''}port {port}", "bind 127.0.0.1", "save ''", f"dir {folder}"]
    if tls:
        lines += ["port 0", f"tls-cert-file {signed.certificate}", f"tls-key-file {signed.key}", "tls-auth-clients no"]
        lines += [f"tls-ca-cert-file {signed.authority}"]
    if "default" in passwords:
        lines.append(f"requirepass {passwords['default']}")
    rights = {"writer": "on ~app:* +@read +@write +acl|whoami", "reader": "on ~* +@read", "off": "off ~* +@all"}
    rights |= {"operator": "on ~* +@all", "anybody": "on nopass ~* +@all -@admin"}
    words = {user: f" >{word}" if word else "" for user, word in passwords.items()}
    lines += [f"user {user} {right}{words[user]}" for user, right in rights.items() if user in passwords]
    (folder / "redis.conf").write_text("\n".join(lines))
    with process([program("redis-server", "redis-server"), str(folder / "redis.conf")], folder / "output", port):
        yield Server(port, passwords)


# --- MariaDB ---------------------------------------------------------------------------------------------------------

_USERS = """
create database shop;
create user chief@'%' identified by '{chief}';
grant all privileges on *.* to chief@'%' with grant option;
create user owner@'%' identified by '{owner}';
grant all privileges on shop.* to owner@'%';
create user writer@'%' identified by '{writer}';
grant select, insert on shop.* to writer@'%';
create user reader@'%' identified by '{reader}';
grant select on shop.* to reader@'%';
create user nothing@'%' identified by '{nothing}';
create user remote@'10.0.0.1' identified by '{remote}';
create user locked@'%' identified by '{locked}' account lock;
create user none@'%' identified by '';
create user socket@'%' identified via unix_socket;
create user curve@'%' identified via ed25519 using password('{curve}');
"""


@contextmanager
def mariadb(folder: Path, passwords: Mapping[str, str], signed: Certificates) -> Iterator[Server]:
    """MariaDB with users who may do this and that."""
    made, daemon = program("mariadb-install-db", "mariadb-server"), program("mariadbd", "mariadb-server")
    for name in ("certificate", "key"):
        shutil.copy(getattr(signed, name), folder / name)
    extra = folder / "users.sql"
    extra.write_text("install soname 'auth_ed25519';\n" + _USERS.format(**passwords))
    # Each removes what others left in the folder for temporary files.
    first = [*as_nobody(folder), "env", f"TMPDIR={folder}"]
    options = ["--auth-root-authentication-method=normal", "--skip-test-db", f"--datadir={folder}/data"]
    _well([*first, made, "--no-defaults", *options])
    port = free_port()
    command = [*first, daemon, "--no-defaults", f"--datadir={folder}/data", f"--socket={folder}/s", f"--port={port}"]
    command += ["--bind-address=127.0.0.1", f"--init-file={extra}", f"--pid-file={folder}/pid", "--skip-name-resolve"]
    command += [f"--ssl-cert={folder}/certificate", f"--ssl-key={folder}/key", "--innodb-flush-log-at-trx-commit=0"]
    with process(command, folder / "output", port):
        yield Server(port, passwords)


# --- OpenLDAP --------------------------------------------------------------------------------------------------------

SUFFIX = "dc=acme,dc=test"


@contextmanager
def slapd(folder: Path, passwords: Mapping[str, str], signed: Certificates) -> Iterator[tuple[Server, Server]]:
    """OpenLDAP with `cn=admin` and the users `uid=…` below `dc=acme,dc=test`: without TLS at first, and with it."""
    daemon, adds = program("slapd", "slapd"), program("slapadd", "slapd")
    (folder / "data").mkdir()
    schemas = "\n".join(f"include /etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson"))
    (folder / "slapd.conf").write_text(
        f"""{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {signed.certificate}
TLSCertificateKeyFile {signed.key}
database mdb
suffix "{SUFFIX}"
rootdn "cn=admin,{SUFFIX}"
rootpw {passwords["admin"]}
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read
"""
    )
    entries = [f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: acme\ndc: acme\n"]
    entries += [
        f"dn: uid={name},{SUFFIX}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: {name}\nuserPassword: {word}\n"
        for name, word in passwords.items()
        if name != "admin"
    ]
    conf = ["-f", str(folder / "slapd.conf")]
    _well([adds, *conf], "\n".join(entries))
    plain, secured = free_port(), free_port()
    listens = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{secured}"
    with process([daemon, *conf, "-h", listens, "-d", "0"], folder / "output", plain):
        yield Server(plain, passwords), Server(secured, passwords)


# --- mail ------------------------------------------------------------------------------------------------------------


@dataclass
class Post:
    """What a mail server was told, without what came in the course of AUTH."""

    port: int
    heard: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """As `--verify-host` names it."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def mail(
    users: Mapping[str, str],
    *,
    starts: ssl.SSLContext | None = None,
    begins: ssl.SSLContext | None = None,
    **how: object,
) -> Iterator[Post]:
    """aiosmtpd: it `starts` TLS where it is asked to, or `begins` with it."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    def known(_server: object, _session: object, _envelope: object, _mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=users.get(data.login.decode()) == data.password.decode(), handled=False)

    post = Post(free_port())

    class Heard(SMTP):
        async def smtp_MAIL(self, arg: str) -> None:
            post.heard.append("MAIL")
            await super().smtp_MAIL(arg)

        async def smtp_AUTH(self, arg: str) -> None:
            post.heard.append(f"AUTH {arg.split()[0]}")
            await super().smtp_AUTH(arg)

        async def smtp_STARTTLS(self, arg: str) -> None:
            post.heard.append("STARTTLS")
            await super().smtp_STARTTLS(arg)

        async def smtp_QUIT(self, arg: str) -> None:
            post.heard.append("QUIT")
            await super().smtp_QUIT(arg)

    class Own(Controller):
        def factory(self) -> SMTP:
            return Heard(self.handler, **self.SMTP_kwargs)

    shared = {"auth_require_tls": starts is not None, "authenticator": known, "tls_context": starts, **how}
    server = Own(object(), hostname="127.0.0.1", port=post.port, ssl_context=begins, **shared)
    server.start()
    try:
        yield post
    finally:
        server.stop()
