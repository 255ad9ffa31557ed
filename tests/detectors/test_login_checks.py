"""Passwords that stand with a user name: the place they open, and whether as the administrator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors.checks import logins
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import Piece

FILES = ("database", "uri", "httpauth")
DETECTORS = [d for d in catalog.load() if d.provider in FILES]
ENGINE = Engine(DETECTORS, AhoCorasick(DETECTORS))
ADMIN = ("privilege", "admin")


@pytest.mark.parametrize(
    ("facts", "system", "expected"),
    [
        ({"user": "postgres", "scheme": "postgresql"}, "", [ADMIN]),
        ({"user": "postgres", "scheme": "mysql"}, "", []),
        ({"user": "root", "scheme": "mysql"}, "", [ADMIN]),
        ({"user": "Administrator", "scheme": "couchbase"}, "", [ADMIN]),
        ({"user": "SYSTEM"}, "oracle", [ADMIN]),
        ({"user": "system"}, "web", []),
        ({"user": "sa"}, "", [ADMIN]),
        ({"user": "sa@server"}, "", [ADMIN]),
        ({"user": "CORP\\Administrator"}, "", [ADMIN]),
        ({"user": "app"}, "", []),
        ({"user": "guest", "scheme": "amqp"}, "", []),
        ({"scheme": "redis"}, "", [("privilege", "full")]),
        ({"scheme": "redis", "user": "app"}, "", []),
        ({"user": "elastic", "port": "9200"}, "web", [ADMIN]),
        ({"user": "elastic", "port": "443"}, "web", []),
        ({"host": "tcp:sql.acme.test,1433"}, "", [("host", "sql.acme.test"), ("port", "1433")]),
        ({"host": "db\\SQLEXPRESS"}, "", [("host", "db")]),
        ({"host": "db:3306", "user": "root"}, "mysql", [("host", "db"), ("port", "3306"), ADMIN]),
        ({"host": "[::1]:5432"}, "", [("host", "[::1]"), ("port", "5432")]),
        ({"host": "db.acme.test"}, "", []),
        ({"host": "/run/mysqld.sock"}, "", []),
        ({}, "", []),
    ],
)
def test_the_administrator_is_known_by_the_system(
    facts: dict[str, str], system: str, expected: list[tuple[str, str]]
) -> None:
    """A name counts where a system gives it to its administrator; host and port are told apart."""
    assert logins.login(b"x", facts, system) == expected


@given(st.dictionaries(st.sampled_from(["user", "host", "scheme", "port"]), st.text(max_size=80)))
def test_any_text_is_answered(facts: dict[str, str]) -> None:
    """Nothing is raised or dropped, and the password is not looked at."""
    assert logins.login(b"", facts) == logins.login(b"\xff", facts)


@pytest.mark.parametrize(
    ("detector", "text", "expected"),
    [
        (
            "uri-database-password",
            "postgres://postgres:{}@db.acme.test:5432/shop?sslmode=require",
            {"scheme": "postgres", "user": "postgres", "host": "db.acme.test", "port": "5432", "database": "shop"}
            | {"privilege": "admin"},
        ),
        (
            "uri-database-password",
            "mongodb+srv://app:{}@c0.acme.test,c1.acme.test:27017/crm",
            {"scheme": "mongodb+srv", "user": "app", "host": "c0.acme.test", "database": "crm"},
        ),
        (
            "uri-database-password",
            "redis://:{}@10.1.2.3:6379/0",
            {"scheme": "redis", "host": "10.1.2.3", "port": "6379", "database": "0", "privilege": "full"},
        ),
        (
            "uri-database-password",
            "mysql://app:{}@db/${{NAME}}",
            {"scheme": "mysql", "user": "app", "host": "db"},
        ),
        (
            "uri-http-password",
            "https://elastic:{}@search.acme.test:9200/",
            {"user": "elastic", "host": "search.acme.test", "port": "9200", "privilege": "admin"},
        ),
        (
            "uri-server-password",
            "ssh://root:{}@web1:2222",
            {"scheme": "ssh", "user": "root", "host": "web1", "port": "2222", "privilege": "admin"},
        ),
        (
            "httpauth-curl-user",
            "curl -u admin:{} -X POST https://ci.acme.test:8443/build",
            {"user": "admin", "host": "ci.acme.test", "port": "8443", "privilege": "admin"},
        ),
        (
            "database-connection-string",
            '"Server=tcp:sql.acme.test,1433;Initial Catalog=shop;User ID=sa;Password={};Encrypt=True"',
            {"host": "sql.acme.test", "port": "1433", "user": "sa", "database": "shop", "privilege": "admin"},
        ),
        (
            "database-connection-string",
            "Driver={{ODBC Driver 17}};Server=sql.acme.test;Database=dwh;UID=etl;PWD={}",
            {"host": "sql.acme.test", "user": "etl", "database": "dwh"},
        ),
        (
            "database-connection-string",
            "Data Source=10.0.0.4;Password={};User ID=crm",
            {"host": "10.0.0.4", "user": "crm"},
        ),
        (
            "database-libpq",
            '"host=db.acme.test port=5432 user=postgres password={} dbname=shop sslmode=require"',
            {"host": "db.acme.test", "port": "5432", "user": "postgres", "database": "shop", "privilege": "admin"},
        ),
        (
            "database-go-dsn",
            "root:{}@tcp(db.acme.test:3306)/shop?parseTime=true",
            {"user": "root", "host": "db.acme.test", "port": "3306", "database": "shop", "privilege": "admin"},
        ),
        (
            "database-pgpass",
            "db.acme.test:5432:shop:app:{}\n",
            {"host": "db.acme.test", "port": "5432", "database": "shop", "user": "app"},
        ),
        (
            "database-jdbc",
            "jdbc:mysql://db.acme.test:3306/shop?user=root&password={}",
            {"scheme": "mysql", "host": "db.acme.test", "port": "3306", "database": "shop", "user": "root"}
            | {"privilege": "admin"},
        ),
        (
            "database-jdbc",
            "jdbc:sqlserver://sql.acme.test:1433;user=sa;password={};encrypt=true",
            {"scheme": "sqlserver", "host": "sql.acme.test", "port": "1433", "user": "sa", "privilege": "admin"},
        ),
        (
            "database-jdbc-oracle",
            "jdbc:oracle:thin:system/{}@//db.acme.test:1521/ORCL",
            {"user": "system", "host": "db.acme.test", "port": "1521", "database": "ORCL", "privilege": "admin"},
        ),
        ("database-sql-password", "ALTER USER postgres PASSWORD '{}';", {"user": "postgres", "privilege": "admin"}),
    ],
)
def test_what_a_text_says_of_the_place_is_told(detector: str, text: str, expected: dict[str, str]) -> None:
    """Scheme, host, port, database and user, as far as they stand there."""
    password = "Kel" + "larmo74x"
    found = [
        m.facts
        for m in ENGINE.search([Piece(text.format(password).encode())]).matches
        if m.detector == detector and m.secret.reveal() == password.encode()
    ]
    assert [dict(facts) for facts in found] == [expected]
    assert all(len(facts) == len(expected) for facts in found)
