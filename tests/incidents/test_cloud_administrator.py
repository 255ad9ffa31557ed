"""Incident 2: a cloud administrator's ID and password stood in source code on a code host.

Personal data was taken with them. oakum puts them first, also after somebody deleted the line.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from git_repository import GitRepository
from oakum.scanner.model import RankedFinding
from scanning import Fresh, scan

SOURCES = {
    "python": ("deploy/provision.py", 'session = Cloud.login(\n    user="administrator",\n    password="{}",\n)\n'),
    "constants": ("src/config.py", 'REGION = "eu-north-1"\nADMIN_ID = "cloudadmin"\nADMIN_PASSWORD = "{}"\n'),
    "java": ("src/main/Portal.java", '    cfg.setAdminUser("admin");\n    String adminPassword = "{}";\n'),
    "terraform": (
        "infra/sql.tf",
        'resource "azurerm_mssql_server" "main" {{\n  administrator_login          = "sqladmin"\n'
        '  administrator_login_password = "{}"\n}}\n',
    ),
    "yaml": ("ops/values.yaml", "database:\n  username: root\n  password: '{}'\n"),
    "json": ("ops/portal.json", '{{"username": "admin", "password": "{}"}}\n'),
    "shell": ("ops/backup.sh", "mysqldump -u root -p'{}' customers > customers.sql\n"),
}


def build(repo: GitRepository, fresh: Fresh, path: str, template: str) -> str:
    """A small project with lesser findings around the one that counts."""
    password = fresh("human_password").decode()
    repo.commit(
        {
            "app/customers.py": b"def export(rows):\n    return [row.email for row in rows]\n",
            "tests/test_login.py": f'client.login("demo", password="{fresh("password:12").decode()}")\n'.encode(),
            "docs/setup.md": f"export MAIL_TOKEN={fresh('hex:32').decode()}\n".encode(),
            "README.md": b"# Customer portal\n\nSet ADMIN_PASSWORD before you start it.\n",
        },
        "portal",
    )
    repo.commit({path: template.format(password).encode()}, "provisioning")
    return password


def first(repo: GitRepository) -> RankedFinding:
    """The finding at the top of the page."""
    return scan(repo.path).findings[0]


@pytest.mark.parametrize("form", SOURCES)
def test_the_administrators_password_comes_first(repo: GitRepository, fresh: Fresh, form: str) -> None:
    """In each of the forms in which such a pair is written."""
    path, template = SOURCES[form]
    password = build(repo, fresh, path, template)
    top = first(repo)
    assert top.finding.secret.reveal().decode() == password
    assert (top.finding.detector.kind, top.band) == ("admin-credential", "critical")
    assert [o.origin.path for o in top.finding.occurrences] == [path.encode()]  # type: ignore[union-attr]


@pytest.mark.parametrize("form", SOURCES)
def test_deleting_the_line_does_not_take_it_off_the_top(repo: GitRepository, fresh: Fresh, form: str) -> None:
    """Every clone still has it."""
    path, template = SOURCES[form]
    password = build(repo, fresh, path, template)
    repo.remove(path)
    top = first(repo)
    assert top.finding.secret.reveal().decode() == password
    assert top.band in ("critical", "high")
    assert top.finding.occurrences[0].origin.reach == "history"  # type: ignore[union-attr]


def test_the_page_says_who_when_where_and_what_to_do(repo: GitRepository, fresh: Fresh) -> None:
    """Through the command, as a user sees it; the password is on no page."""
    password = build(repo, fresh, *SOURCES["python"])
    command = [sys.executable, "-m", "oakum.scanner", "scan", str(repo.path)]
    page = subprocess.run(command, capture_output=True, text=True, check=False)
    assert page.returncode == 1
    top = " ".join(page.stdout.split("\n\n")[1].split())
    assert "CRITICAL" in top
    assert "deploy/provision.py:3:15" in top
    assert "Ada Lovelace <ada@example.test>" in top
    assert "user administrator" in top
    assert "change the password" in top
    report = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    assert json.loads(report.stdout)["findings"][0]["facts"]["user"] == "administrator"
    assert password not in page.stdout + page.stderr + report.stdout + report.stderr
