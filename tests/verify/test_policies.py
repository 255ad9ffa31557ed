"""What policies of AWS grant, in one word; and when nothing can be said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.verify.clouds.policies import LEVELS, Granted, by_document, by_name, privilege


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Resource": "*", **({"Action": list(actions)} if actions else {}), **more}


def read(*statements: Any) -> Granted:
    return by_document(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


GRANTS = {
    "everything": ([allow("*")], "admin"),
    "everything, by service": ([allow("*:*")], "admin"),
    "all of IAM": ([allow("IAM:*")], "admin"),
    "rights for any user": ([allow("s3:GetObject"), allow("iam:Attach*Policy")], "admin"),
    "rights for one user": ([allow("iam:CreateAccessKey", resource="arn:aws:iam::*:user/${aws:username}")], "write"),
    "all but rights": ([{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}], "full"),
    "all but billing": ([{"Effect": "Allow", "NotAction": "aws-portal:*", "Resource": "*"}], "admin"),
    "one service": ([allow("s3:*")], "write"),
    "everything in one bucket": ([allow("*", resource="arn:aws:s3:::acme/*")], "write"),
    "one that writes": ([allow("s3:GetObject", "s3:PutObject")], "write"),
    "another role": ([allow("sts:AssumeRole")], "write"),
    "reads": ([allow("s3:Get*", "s3:List*", "ec2:Describe*", "dynamodb:Query")], "read"),
    "reads of any service": ([allow("*:Get*")], "write"),
    "one statement alone": (allow("s3:GetObject"), "read"),
    "nothing": ([], "none"),
    "a denial of one action": ([allow("s3:Get*"), deny("s3:GetObjectAcl")], "read"),
}


@pytest.mark.parametrize("case", GRANTS)
def test_documents_grant_the_most_that_a_statement_does(case: str) -> None:
    """In whatever form they are written."""
    statements, level = GRANTS[case]
    assert by_document(json.dumps({"Statement": statements})) == Granted(level)


DOUBTS = {
    "a condition": [allow("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})],
    "a denial of everything": [allow("*"), deny("*")],
    "a denial without a second factor": [allow("*"), deny(NotAction=["iam:ListMFADevices"])],
    "a denial of rights": [allow("*"), deny("iam:*")],
    "no action": [{"Effect": "Allow", "Resource": "*"}],
    "another effect": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}],
    "no statement": [7],
}


@pytest.mark.parametrize("case", DOUBTS)
def test_where_something_may_take_it_back_nothing_is_said(case: str) -> None:
    """A condition, a denial, or what cannot be read."""
    granted = read(*DOUBTS[case])
    assert granted.doubt
    assert privilege([granted, Granted("admin")], complete=True) == ""


MANAGED = {
    "arn:aws:iam::aws:policy/AdministratorAccess": Granted("admin"),
    "arn:aws:iam::aws:policy/PowerUserAccess": Granted("full"),
    "arn:aws-us-gov:iam::aws:policy/AmazonS3FullAccess": Granted("write"),
    "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess": Granted("read"),
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess": Granted("read"),
    "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3": Granted(doubt=True),
    "arn:aws:iam::aws:policy/AdministratorAccess-Amplify": None,
    "arn:aws:iam::123456789012:policy/AdministratorAccess": None,
}


@pytest.mark.parametrize("arn", MANAGED)
def test_names_say_something_only_of_policies_that_aws_wrote(arn: str) -> None:
    """Anybody may call his own so."""
    assert by_name(arn) == MANAGED[arn]


GRANTED = st.lists(st.builds(Granted, st.sampled_from(LEVELS), st.booleans()), max_size=6)


@given(granted=GRANTED, other=st.builds(Granted, st.sampled_from(LEVELS)))
def test_another_policy_never_takes_a_right_away(granted: list[Granted], other: Granted) -> None:
    """Of those that grant; and what is not known whole is said only of full rights."""
    before, after = privilege(granted, complete=True), privilege([*granted, other], complete=True)
    assert LEVELS.index(after or "none") >= LEVELS.index(before or "none")
    assert privilege(granted, complete=False) in ("", *({before} & {"full", "admin"}))
    if any(one.doubt for one in granted):
        assert before == ""


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["Statement", "Effect", "Action", "NotAction", "Resource", "Condition"])
    return st.dictionaries(names, inner | st.sampled_from(["Allow", "Deny", "*", "s3:*"]))


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | _objects(inner)))
def test_any_document_is_read(value: Any) -> None:
    """It comes from outside."""
    assert by_document(json.dumps(value)).level in LEVELS
