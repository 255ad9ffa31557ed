"""Azure's identifiable keys: the role that the seed of the checksum tells, and what a wrong checksum means."""

from __future__ import annotations

import base64
import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks import azure_keys
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import Piece

SEEDS = [(mark, seed) for mark, kind in azure_keys.KINDS.items() for seed in kind.roles]
PROVED = [mark for mark, kind in azure_keys.KINDS.items() if kind.proved]
UNPROVED = [mark for mark, kind in azure_keys.KINDS.items() if not kind.proved]
RANDOM = st.randoms(use_true_random=False)

FULL = [("privilege", "full"), ("scope", "account")]
VALID = ("checksum", "valid")


def altered(key: bytes) -> bytes:
    """The key with one other character at its beginning."""
    return (b"B" if key[:1] == b"A" else b"A") + key[1:]


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        (b"", 0x004FB61A001BDBCC, 0x30ED35C100CD3C7D),
        (b"\xaf", 0x004FB61A001BDBCC, 0x48E73FC77D75DDC1),
        (b"\xe7\x0f", 0x004FB61A001BDBCC, 0xB5F6E1FC485DBFF8),
        (b"\x37\xf4\x95", 0x804FB61A001BDBCC, 0xE1F2DFA6E5131408),
        (b"\x86\x42\xdc\x59", 0x804FB61A001BDBCC, 0x36289D9654FB49F6),
        (b"abc", 0xD53CD9CECD0893B7, 0x22C74339492769BF),
        (b"abcdefghijklmnopqrstuvwxyz", 0xDDDDEEEEFFFF000, 0xA128EB7E7260ACA2),
    ],
)
def test_marvin32_gives_the_published_results(text: bytes, seed: int, expected: int) -> None:
    """Those of SymCrypt and of skeeto/marvin32, the two halves of their 64 bits folded together."""
    assert azure_keys.marvin32(text, seed) == expected >> 32 ^ expected & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("mark", "ending", "role"),
    [
        ("+ASt", "5mnCaw==", [("service", "Storage"), ("type", "account key"), *FULL]),
        (
            "+ASb",
            "HpHeAI=",
            [("service", "Service Bus"), ("type", "key of a policy that may send"), ("privilege", "write")],
        ),
        (
            "+AEh",
            "G2s/8w=",
            [("service", "Event Hubs"), ("type", "key of a policy that may send"), ("privilege", "write")],
        ),
        ("+ARm", "D7h+qo=", [("service", "Relay"), ("type", "key of a policy that may send"), ("privilege", "write")]),
        (
            "AzSe",
            "CjhzCu",
            [("service", "AI Search"), ("type", "query key"), ("privilege", "read"), ("scope", "account")],
        ),
        ("AIoT", "Oumzco=", [("service", "IoT"), ("type", "key of an IoT Hub policy")]),
        ("+ABa", "13FZVQ==", [("service", "Batch"), ("type", "account key"), *FULL]),
        ("+AMC", "FNqWyA==", [("service", "Machine Learning Studio (classic)"), ("type", "web service key")]),
        ("ACDb", "OpqrYA==", [("service", "Cosmos DB"), ("type", "data encryption key")]),
        (
            "APIM",
            "HbKhsQ==",
            [
                ("service", "API Management"),
                ("type", "direct management key"),
                ("privilege", "admin"),
                ("scope", "account"),
            ],
        ),
    ],
)
def test_a_key_tells_its_service_and_its_role(mark: str, ending: str, role: list[tuple[str, str]]) -> None:
    """Keys of one letter with the checksums that Microsoft's own tests give them (microsoft/security-utilities)."""
    length = {8: 76, 7: 33, 6: 42}[len(ending)]
    assert azure_keys.azure_key(f"{'a' * length}{mark}{ending}".encode()) == [*role, VALID]


@pytest.mark.parametrize(
    ("letter", "length", "mark", "ending", "role"),
    [
        ("d", 42, "+ACR", "CUDxQE", [("service", "Container Registry"), ("type", "password")]),
        ("d", 44, "AzFu", "182vhA==", [("service", "Functions"), ("type", "system key")]),
    ],
)
def test_so_do_those_with_another_letter(
    letter: str, length: int, mark: str, ending: str, role: list[tuple[str, str]]
) -> None:
    """From the same tests; the padding may stand escaped, as in a URL."""
    key = f"{letter * length}{mark}{ending}".encode()
    more = [("allows", "call an extension's endpoint")] if mark == "AzFu" else []
    assert azure_keys.azure_key(key) == [*role, *more, VALID]
    assert azure_keys.azure_key(key.replace(b"=", b"%3D")) == [*role, *more, VALID]


@given(RANDOM, st.sampled_from(SEEDS))
def test_a_fresh_key_has_the_role_of_its_seed(rng: Random, pair: tuple[str, str]) -> None:
    """For each mark and each of its seeds."""
    mark, seed = pair
    kind = azure_keys.KINDS[mark]
    key = samples.azure_marked_key(rng, mark, seed)
    assert azure_keys.azure_key(key) == [("service", kind.service), *kind.roles[seed], VALID]


@given(RANDOM, st.sampled_from(PROVED))
def test_a_wrong_checksum_drops_a_key_of_a_service_whose_seeds_are_proved(rng: Random, mark: str) -> None:
    """Service by service, on real keys; see the check."""
    assert azure_keys.azure_key(altered(samples.azure_marked_key(rng, mark))) is None


@given(RANDOM, st.sampled_from(UNPROVED))
def test_it_drops_nothing_where_a_seed_may_be_missing(rng: Random, mark: str) -> None:
    """The service is told, and no role."""
    key = altered(samples.azure_marked_key(rng, mark))
    assert azure_keys.azure_key(key) == [("service", azure_keys.KINDS[mark].service)]


@given(RANDOM)
def test_redis_writes_letters_for_the_signs_in_its_checksum(rng: Random) -> None:
    """P for a plus and F for a slash: both spellings are the key."""
    key = samples.azure_marked_key(rng, "AzCa")
    role = [("service", "Cache for Redis"), ("type", "access key"), *FULL, VALID]
    body = base64.b64decode(key)[:-4]
    plain = base64.b64encode(body + azure_keys.key_checksum(body, "Access00"))
    assert key == plain[:37] + plain[37:].replace(b"+", b"P").replace(b"/", b"F")
    assert azure_keys.azure_key(key) == azure_keys.azure_key(plain) == role


def test_a_key_without_a_mark_says_nothing() -> None:
    """Storage keys before 2022, and anything that is no base64."""
    assert azure_keys.azure_key(samples.base64_bytes(Random(1), "64")) == []
    assert azure_keys.azure_key(b"a" * 76 + b"+ASt!!!!!!==") == []
    assert azure_keys.azure_key(b"+AStAAAAAA==") == []


@pytest.mark.parametrize("form", ["short", "long"])
@pytest.mark.parametrize(
    ("service", "facts"),
    [
        ("AZDO", [("service", "Azure DevOps"), ("type", "personal access token")]),
        ("AZCS", [("service", "Communication Services"), *FULL]),
        ("AZCR", [("service", "Container Registry"), ("type", "password")]),
        ("AZEG", [("service", "Event Grid"), ("privilege", "write")]),
        ("AZFR", [("service", "Fluid Relay"), *FULL]),
        ("TEST", []),
    ],
)
@pytest.mark.parametrize("base62", [False, True])
def test_a_common_annotated_key_tells_service_and_month(
    service: str, facts: list[tuple[str, str]], form: str, base62: bool
) -> None:
    """In both lengths, with the checksum in base64 and in base62; years count from A, 2024."""
    text = b"Ab3" * 17 + b"xJQQJ99BL" + b"AC" * 6 + b"AAAS" + service.encode()
    key = text + azure_keys.common_checksum(text, short=form == "short", base62=base62)
    assert len(key) == {"short": 84, "long": 88}[form]
    assert azure_keys.azure_key(key) == [*facts, ("created", "2025-12-01T00:00:00Z"), VALID]


def test_the_checksum_in_base62_is_that_of_the_published_source() -> None:
    """Padded at its end: 0x00000001 has three zero bytes, each a leading zero, and one digit."""
    assert [azure_keys._base62(check) for check in (b"\0\0\0\1", b"\0\0\1\0", b"\xff" * 4, b"\0" * 4)] == [
        "000100",
        "004800",
        "4gfFC3",
        "000000",
    ]


@pytest.mark.parametrize(
    ("letter", "name"), [("A", "AI services"), ("B", "OpenAI"), ("Y", "Speech"), ("o", "Bing Spell Check v7")]
)
def test_a_key_of_the_ai_services_names_which(letter: str, name: str) -> None:
    """By the last of the four characters that are the service's own."""
    text = b"x" * 52 + b"JQQJ99AA" + b"AC" * 6 + b"AAA" + letter.encode() + b"ACOG"
    key = text + azure_keys.common_checksum(text, short=True, base62=False)
    assert azure_keys.azure_key(key) == [("service", name), *FULL, ("created", "2024-01-01T00:00:00Z"), VALID]


def test_a_derived_key_says_so_and_an_impossible_month_gives_no_date() -> None:
    """`D` in place of the second 9; months go from A to L."""
    text = b"x" * 52 + b"JQQJ9DAM" + b"AC" * 6 + b"AAAAAZDO"
    key = text + azure_keys.common_checksum(text, short=True, base62=True)
    assert azure_keys.azure_key(key) == [("service", "Azure DevOps"), ("type", "key derived from another"), VALID]


@given(RANDOM, st.sampled_from(["ACOG", "AWPS", "AZCR", "AZCS", "AZDO", "AZEG", "AZMP"]))
def test_a_wrong_checksum_drops_a_common_annotated_key_of_a_proved_service(rng: Random, service: str) -> None:
    """Proved on real keys of each."""
    key = samples.azure_common_key(rng, service)
    assert azure_keys.azure_key(key) is not None
    assert azure_keys.azure_key(altered(key)) is None


@given(RANDOM)
def test_of_other_services_it_drops_nothing(rng: Random) -> None:
    """Fluid Relay's keys have a checksum that the known seed does not give."""
    key = altered(samples.azure_common_key(rng, "AZFR"))
    facts = azure_keys.azure_key(key)
    assert facts is not None
    assert [name for name, _ in facts if name in ("service", "checksum")] == ["service"]


def test_a_client_secret_ends_with_its_checksum() -> None:
    """The example of Microsoft's own library: 34 letters z, and what they give."""
    secret = b"zzz" + b"8Q~" + b"z" * 31 + b"blP"
    assert azure_keys.azure_client_secret(secret) == [VALID]
    assert azure_keys.azure_client_secret(secret[:-1] + b"Q") is None
    assert azure_keys.azure_client_secret(secret[:-3]) is None
    assert azure_keys.azure_client_secret(b"zzz" + b"7Q~" + b"z" * 31) == []


@given(RANDOM)
def test_fresh_client_secrets_pass_and_altered_ones_fail(rng: Random) -> None:
    """Those with `8Q~`; the older `7Q~` have no checksum to fail."""
    secret = samples.azure_client_secret(rng)
    old = secret[3:6] == b"7Q~"
    assert azure_keys.azure_client_secret(secret) == ([] if old else [VALID])
    assert azure_keys.azure_client_secret(altered(secret)) == ([] if old else None)


@pytest.mark.parametrize(("magic", "holder"), [(0xE0B9692D, "user"), (0x1019F92E, "application")])
def test_an_old_azure_devops_token_tells_for_whom_it_is(magic: int, holder: str) -> None:
    """By the number that its CRC-32 is combined with; one that fits neither says nothing."""
    body = bytes(range(28))
    check = (zlib.crc32(body) ^ magic).to_bytes(4, "big")
    raw = body[:2] + check[:1] + body[2:6] + check[1:3] + body[6:19] + check[3:] + body[19:]
    token = base64.b32encode(raw).lower()[:52]
    assert azure_keys.azure_devops_old_pat(token) == [("type", f"personal access token of a {holder}"), VALID]
    assert azure_keys.azure_devops_old_pat(b"z" + token[1:]) == []
    assert azure_keys.azure_devops_old_pat(b"1" * 52) == []


@given(st.binary(max_size=120) | st.text("Aa+/=JQ9~8", max_size=100).map(str.encode))
def test_no_value_makes_a_check_fail_to_answer(value: bytes) -> None:
    """Any bytes: facts or None, never an exception."""
    for check in (
        azure_keys.azure_key,
        azure_keys.common_annotated_key,
        azure_keys.azure_client_secret,
        azure_keys.azure_devops_old_pat,
    ):
        assert isinstance(check(value), list | None)


STORAGE = next(one for one in catalog.load() if one.id == "azure-storage-account-key")
ENGINE = Engine([STORAGE], AhoCorasick([STORAGE]))


@pytest.mark.parametrize(
    ("before", "account"),
    [
        ("DefaultEndpointsProtocol=https;AccountName=acme1;AccountKey=", "acme1"),
        ('{"accountName": "acme1", "accountKey": "', "acme1"),
        ('account_name = "acme1"\naccount_key = "', "acme1"),
        ('storage_account_name   = "acme1"\n  storage_account_access_key = "', "acme1"),
        ("AZURE_STORAGE_ACCOUNT=acme1\nAZURE_STORAGE_KEY=", "acme1"),
        ("export AZURE_STORAGE_ACCOUNT='acme1'\nexport AZURE_STORAGE_ACCESS_KEY='", "acme1"),
        ("  azurestorageaccountname: acme1\n  azurestorageaccountkey: ", "acme1"),
        ("az storage blob list --account-name acme1 --account-key ", "acme1"),
        ("const accountName = 'acme1';\nconst accountKey = '", "acme1"),
        ("AccountName=Not-A-Name;AccountKey=", None),
        ("the account: a storage_key: ", None),
        ("AZURE_STORAGE_KEY=", None),
    ],
)
def test_a_storage_key_is_found_with_the_account_that_stands_before_it(before: str, account: str | None) -> None:
    """In a connection string, or on the line before; once, and without an account where none is named."""
    key = samples.base64_bytes(Random(before), "64")
    [match] = ENGINE.search([Piece(before.encode() + key + b'"\n')]).matches
    expected = dict(FULL) | ({"account": account} if account else {})
    assert (match.secret.reveal(), dict(match.facts)) == (key, expected)
