"""Checks on a password that stands with its user name: where it opens something, and whether as the administrator.

Sources of the names: https://www.postgresql.org/docs/current/app-initdb.html (postgres),
https://learn.microsoft.com/sql/relational-databases/security/choose-an-authentication-mode (sa),
https://docs.oracle.com/en/database/oracle/oracle-database/23/admin/ (sys, system),
https://cassandra.apache.org/doc/latest/cassandra/managing/operating/security.html (cassandra),
https://neo4j.com/docs/operations-manual/current/configuration/set-initial-password/ (neo4j),
https://docs.vertica.com (dbadmin),
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ (default),
https://www.elastic.co/docs/deploy-manage/users-roles (elastic). RabbitMQ's `guest` is left out: it may log in from its
own machine only, https://www.rabbitmq.com/docs/access-control#loopback-users
"""

from __future__ import annotations

import re

_EVERYWHERE = frozenset(("admin", "administrator", "root", "superuser", "sysadmin"))
"""Names of administrators that no single system has made its own."""
_ADMINISTRATORS = {
    "cassandra": ("cassandra",),
    "neo4j": ("neo4j",),
    "bolt": ("neo4j",),
    "oracle": ("sys", "system"),
    "postgres": ("postgres",),
    "postgresql": ("postgres",),
    "timescaledb": ("postgres",),
    "sqlserver": ("sa",),
    "mssql": ("sa",),
    "vertica": ("dbadmin",),
}
"""The administrator whom each system makes itself."""
_ANY_DATABASE = frozenset(("dba", "postgres", "sa", "sys", "sysdba", "system"))
"""The same names where the text does not say which system it is."""
_DEFAULT_USERS = frozenset(("redis", "rediss"))
"""Where no name means the user `default`, who may do everything."""
_ELASTIC_PORTS = frozenset(("9200", "9243"))
"""Of Elasticsearch, whose administrator is `elastic`."""

_HOST = re.compile(
    r"(?i:tcp:|np:|lpc:)?(?P<host>[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:]{2,40}\])"
    r"(?:\\[\w$]{1,40})?(?:[,:]\s?(?P<port>[0-9]{1,5}))?"
)
"""A host as connection strings write it: with a protocol before it, an instance or a port behind it."""


def login(_value: bytes, facts: dict[str, str], system: str = "") -> list[tuple[str, str]]:
    r"""A password with its user name: whether that is the system's administrator; host and port apart; drops nothing.

    `system` says what it opens where the pattern has no group `scheme` for it. Connection strings of SQL Server have
    `tcp:HOST,PORT` and `HOST\INSTANCE`, others `HOST:PORT`.
    Source: https://learn.microsoft.com/dotnet/api/system.data.sqlclient.sqlconnection.connectionstring
    """
    found: dict[str, str] = {}
    parts = _HOST.fullmatch(facts.get("host", "").strip())
    if parts:
        found["host"] = parts["host"]
        if parts["port"]:
            found["port"] = parts["port"]
    privilege = _privilege(facts.get("scheme", system).lower(), facts.get("user", ""), facts | found)
    if privilege:
        found["privilege"] = privilege
    return [(name, text) for name, text in found.items() if facts.get(name) != text]


def _privilege(scheme: str, user: str, facts: dict[str, str]) -> str:
    name = user.partition("@")[0].rpartition("\\")[2].lower()
    if name in _EVERYWHERE or name in _ADMINISTRATORS.get(scheme, () if scheme else _ANY_DATABASE):
        return "admin"
    if name == "elastic" and facts.get("port") in _ELASTIC_PORTS:
        return "admin"
    return "full" if scheme in _DEFAULT_USERS and name in ("", "default") else ""
