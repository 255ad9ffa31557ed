"""Access keys of AWS, asked about at moto, which checks signatures and permissions as AWS does; through the whole
program.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clouds import found, instead, verdict
from oakum.scanner.model import Verdict
from scanning import Fresh
from servers import Moto, moto

pytestmark = pytest.mark.long

ACCOUNT = "123456789012"
MANAGED = "arn:aws:iam::aws:policy/"
READS_ITSELF = ["iam:GetUser", "iam:List*", "iam:Get*Policy", "iam:GetPolicyVersion"]

Keys = dict[str, tuple[str, str]]


def document(*actions: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def an_access_key(iam: Any, name: str) -> tuple[str, str]:
    """A key of a user. moto draws ids with digits that no id of AWS has, and secrets without one."""
    while True:
        key = iam.create_access_key(UserName=name)["AccessKey"]
        if re.fullmatch("AKIA[A-Z2-7]{16}", key["AccessKeyId"]) and re.search(r"\d", key["SecretAccessKey"]):
            return key["AccessKeyId"], key["SecretAccessKey"]
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])


def people(iam: Any) -> Keys:
    """Users with policies of all sorts, and the access key of each."""
    own = iam.create_policy(PolicyName="team-admin", PolicyDocument=document("*"))["Policy"]["Arn"]
    iam.create_group(GroupName="developers")
    iam.attach_group_policy(GroupName="developers", PolicyArn=MANAGED + "PowerUserAccess")
    iam.put_group_policy(GroupName="developers", PolicyName="self", PolicyDocument=document(*READS_ITSELF))
    keys: Keys = {}
    for name, attached, inline in (
        ("boss", [MANAGED + "AdministratorAccess"], []),
        ("builder", [], ["*"]),
        ("owner", [own], []),
        ("developer", [], []),
        ("uploader", [MANAGED + "AmazonS3FullAccess"], READS_ITSELF),
        ("auditor", [MANAGED + "ReadOnlyAccess"], []),
        ("reporter", [], [*READS_ITSELF, "s3:GetObject"]),
        ("robot", [], ["s3:GetObject"]),
        ("off", [MANAGED + "AdministratorAccess"], []),
    ):
        iam.create_user(UserName=name, Path="/people/")
        for arn in attached:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
        if inline:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*inline))
        keys[name] = an_access_key(iam, name)
    iam.add_user_to_group(GroupName="developers", UserName="developer")
    iam.delete_access_key(UserName="off", AccessKeyId=keys["off"][0])
    return keys


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Moto, Keys]]:
    """moto with these users, from now on with checks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        with moto(tmp_path_factory.mktemp("moto"), {}) as server:
            keys = people(server.client("iam"))
            plain = {"Content-Type": "text/plain"}
            checked = urllib.request.Request(f"{server.url}/moto-api/reset-auth", b"0", plain, method="POST")
            urllib.request.urlopen(checked).close()
            yield server, keys


def written(key: tuple[str, str]) -> str:
    """As in somebody's settings."""
    return f"AWS_ACCESS_KEY_ID={key[0]}\nAWS_SECRET_ACCESS_KEY={key[1]}\n"


USERS = {
    "boss": ("admin", "AdministratorAccess"),
    "builder": ("admin", "own"),
    "owner": ("admin", "team-admin"),
    "developer": ("full", "PowerUserAccess, self"),
    "uploader": ("write", "AmazonS3FullAccess, own"),
    "auditor": ("read", "ReadOnlyAccess"),
    "reporter": ("read", "own"),
    "robot": ("", ""),
}


@pytest.mark.parametrize("name", USERS)
def test_live_keys_are_known_by_user_account_and_rights(tmp_path: Path, aws: tuple[Moto, Keys], name: str) -> None:
    """As far as they may read their own policies: who may not has no rights named."""
    server, keys = aws
    privilege, policies = USERS[name]
    said = verdict(tmp_path / "tree", written(keys[name]), instead("aws", server.url))
    facts = (
        ("identity", f"user {name} of account {ACCOUNT}"),
        ("account", ACCOUNT),
        ("privilege", privilege),
        ("permissions", policies),
    )
    reason = f"user {name} of account {ACCOUNT}" + (f"; policies {policies}" if policies else "")
    host = server.url.removeprefix("http://")
    assert said == Verdict("live", reason, tuple(fact for fact in facts if fact[1]), host)


def test_rights_decide_the_rank(tmp_path: Path, aws: tuple[Moto, Keys]) -> None:
    """An administrator's key is worse than one that reads."""
    server, keys = aws
    options = instead("aws", server.url)
    (boss,) = found(tmp_path / "boss", written(keys["boss"]), options)
    (auditor,) = found(tmp_path / "auditor", written(keys["auditor"]), options)
    assert (boss.band, boss.score > auditor.score) == ("critical", True)


def test_deleted_keys_wrong_secrets_and_unknown_keys_are_dead(
    tmp_path: Path, aws: tuple[Moto, Keys], fresh: Fresh
) -> None:
    """Each with its reason."""
    server, keys = aws
    host = server.url.removeprefix("http://")
    secret = fresh("aws_secret_key").decode()
    options = instead("aws", server.url)
    gone = Verdict("dead", f"no active key of {host}: deleted, or switched off", (), host)
    wrong = Verdict("dead", "its secret is not that of the access key beside it", (), host)
    assert verdict(tmp_path / "a", written(keys["off"]), options) == gone
    assert verdict(tmp_path / "b", written((fresh("aws_access_key_id").decode(), secret)), options) == gone
    profile = f"[boss]\naws_access_key_id = {keys['boss'][0]}\naws_secret_access_key = {secret}\n"
    assert verdict(tmp_path / "c", profile, options) == wrong
    unsure = Verdict("unknown", "127.0.0.1: it is not the secret of the key id beside it: it may belong to another")
    assert verdict(tmp_path / "d", written((keys["boss"][0], secret)), options) == unsure


def test_a_server_that_takes_any_key_is_not_believed(tmp_path: Path, fresh: Fresh) -> None:
    """moto without checks, as a sandbox that somebody left in place of AWS."""
    with moto(tmp_path, {}) as server:
        key = (fresh("aws_access_key_id").decode(), fresh("aws_secret_key").decode())
        said = verdict(tmp_path / "tree", written(key), instead("aws", server.url))
    assert said.state == "unknown"
    assert "accepts anything" in said.reason


def test_the_report_says_whose_key_it_is(tmp_path: Path, aws: tuple[Moto, Keys]) -> None:
    """Through the command: announced first, then live and critical; the secret stands nowhere."""
    server, keys = aws
    (tmp_path / "deploy.env").write_text(written(keys["boss"]))
    host = server.url.removeprefix("http://")
    command = [sys.executable, "-m", "oakum.scanner", "scan", str(tmp_path), "--verify", "--verify-host"]
    done = subprocess.run(
        [*command, f"aws={server.url}", "--no-cache"],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
        check=False,
    )
    assert done.stderr.startswith(f"oakum: verifying 1 secret with the hosts {host} (1)\n")
    assert "CRITICAL" in done.stdout
    page = " ".join(done.stdout.split())
    who = f"user boss of account {ACCOUNT}; policies AdministratorAccess"
    assert f"AWS secret access key, live: administrator's rights; {who}" in page
    assert keys["boss"][1] not in done.stdout + done.stderr
    assert done.returncode == 1
