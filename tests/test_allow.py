"""The allowlists: what is suppressed and under which word, what never is, and what a path says."""

from __future__ import annotations

import string
import time
from importlib import resources
from random import Random

import pytest
from oakum import allowlists
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.allow import _FILES, Allowlist
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.errors import AllowlistError
from oakum.scanner.model import Detector, Excerpt, Match, Piece, Secret, Span

ALLOWED = Allowlist.load()
ALNUM = string.ascii_letters + string.digits


def detector(provider: str = "generic", kind: str = "token", prefix: bytes = b"") -> Detector:
    """A detector of a provider and a kind; its pattern does not matter here."""
    return Detector("an-id", "a name", provider, kind, "low", "(?P<secret>x)", (b"key",), 1, prefix=prefix)


TOKEN, PASSWORD = detector(), detector(kind="password")
PROVIDER, CONNECTION = detector("acme", "access-key"), detector("postgres", "connection-string")


def match(value: str | bytes, line: str = 'key = "{}"', *, previous: bytes = b"") -> Match:
    """A match of a value where `{}` stands in a line."""
    value = value.encode() if isinstance(value, str) else value
    before, after = (part.encode() for part in line.split("{}"))
    secret, excerpt = Secret(value), Excerpt(b"", 0, 0)
    return Match("an-id", secret, Span(0, 1), (), excerpt, before + value + after, len(before), previous)


def review(value: str | bytes, by: Detector = TOKEN, line: str = 'key = "{}"') -> str:
    return ALLOWED.review(match(value, line), by)


def random_text(length: int, alphabet: str = ALNUM, seed: str = "") -> str:
    rng = Random(f"{seed} {length}")
    return "".join(rng.choice(alphabet) for _ in range(length))


# --- placeholders ---------------------------------------------------------------------------------------------------

FOR_EVERYONE = [
    "x" * 40, "*" * 16, "." * 12, "0" * 32, "abab" * 8, "xyzxyzxyz", "1234567890abcdef", "abcdefghijklmnopqrstuvwxyz",
    "0123456789" * 3, "fedcba9876543210", "deadbeef" * 4, "AKIA" + "X" * 16, "AKIA" + "1234567890ABCDEF",
    "AKIA" + "QWERTZ".ljust(9, "K") + "EXAMPLE", "${API_KEY}", "prefix-${TOKEN}-suffix", "{{ vault_token }}",
    "<%= ENV['KEY'] %>", "#{secret}", "%(password)s", "((credential))", "$(cat key)",
]  # fmt: skip

FOR_THE_GUESSABLE = [
    "changeme", "ChangeMe123", "change-me", "<your-key>", "your_api_key_here", "YOUR_SECRET", "yourApiKeyHere", "dummy",
    "example", "example-token", "placeholder", "redacted", "REPLACE_ME", "TODO", "insert-your-token-here", "foo", "bar",
    "foobar", "foo123", "abc123", "qwerty", "password", "passwd", "pass", "secret", "Secret", "mypassword", "my-secret",
    "test", "testing", "user", "username", "none", "null", "true", "string", "minioadmin", "xxx-xxx-xxxx", "$API_KEY",
    "%API_KEY%", "{0}", "{name}", "%s", "@Value@", "@@KEY@@", "__API_KEY__", "!vault |", "vault:secret/data/app#key",
    "vault://kv/app", "arn:aws:secretsmanager:eu-west-1:1:secret:x", "[your key]", "sk-...", "s3c***", "[REDACTED]",
    "ENC[AES256_GCM,data:", "<password>",
]  # fmt: skip


@pytest.mark.parametrize("value", FOR_EVERYONE)
def test_a_clear_placeholder_is_one_for_every_detector(value: str) -> None:
    """One character, a sequence, a short unit over and over, EXAMPLE in a key, a template."""
    for by in (TOKEN, PASSWORD, PROVIDER, CONNECTION):
        assert review(value, by) == "placeholder"


@pytest.mark.parametrize("value", FOR_THE_GUESSABLE)
def test_words_that_ask_for_a_value_are_placeholders_where_people_choose_the_value(value: str) -> None:
    """Generic detectors, and passwords of any provider."""
    for by in (TOKEN, PASSWORD, CONNECTION):
        assert review(value, by) == "placeholder"


def test_words_do_not_make_a_providers_token_a_placeholder() -> None:
    """What has a provider's format was made by the provider, whatever it spells."""
    assert review("changeme", PROVIDER) == ""
    assert review("my-secret", PROVIDER) == ""


@pytest.mark.parametrize(
    "value", ["test1234", "admin", "letmein", "hunter2", "Summer2024!", "toor", "Passw0rd!", "password123", "password1"]
)
def test_a_weak_password_is_not_a_placeholder(value: str) -> None:
    """People do use them, and attackers try them first."""
    for by in (PASSWORD, detector(kind="admin-credential")):
        assert review(value, by, "password = '{}'") == ""


@pytest.mark.parametrize("word", ["foo", "example", "test", "changeme"])
def test_a_word_in_a_random_value_does_not_suppress_it(word: str) -> None:
    """It is neither a whole word nor most of the value."""
    for place in (0, 7, 30):
        rest = random_text(40, seed=word)
        value = rest[:place] + word + rest[place:]
        for by in (TOKEN, PASSWORD, PROVIDER):
            assert review(value, by) == ""


def test_code_that_reads_a_value_is_one_only_without_quotes() -> None:
    """In quotes it is text, and text may be a password."""
    for value in (
        "os.environ[", "process.env.TOKEN", 'getenv("KEY")', "ENV['KEY']", "get_password(user)", "secrets.TOKEN",
        "$password", "$config['key']", "config.get_secret()", "&token",
    ):  # fmt: skip
        assert review(value, PASSWORD, "password = {}") == "placeholder", value
    for value in ("Tr0ub4dor(3)", "self.Passw0rd", "$uper5ecret"):
        assert review(value, PASSWORD, "password = '{}'") == "", value


def test_of_a_connection_string_only_the_password_counts() -> None:
    """A host called example does not make the password in front of it a placeholder."""
    password = random_text(16)
    for value, expected in (
        ("postgres://user:password@db.internal/app", "placeholder"),
        ("postgres://user:${PASSWORD}@db.internal/app", "placeholder"),
        ("Server=db;Uid=app;Pwd=<your-password>;", "placeholder"),
        (f"postgres://user:{password}@example.example.com/example", ""),
        (f"postgres://${{DB_USER}}:{password}@${{DB_HOST}}/app", ""),
    ):
        assert review(value, CONNECTION) == expected, value


# --- published samples ----------------------------------------------------------------------------------------------


def test_a_published_sample_is_suppressed_by_its_fingerprint() -> None:
    """Here the AWS documentation's, put together so that it does not stand in the repository."""
    value = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCY" + "EXAMPLEKEY"
    assert review(value, PROVIDER) == "published"
    assert review(value[:-1] + "A", PROVIDER) != "published"


def test_a_guessable_value_costs_no_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """`review` runs on up to a million matches."""
    monkeypatch.setattr("hashlib.scrypt", lambda *a, **k: pytest.fail("scrypt"))
    for value in ("hunter2", "a" * 40, random_text(64, "0123456789abcdef"), "postgres://u:p@h/d"):
        review(value)


# --- lookalikes -----------------------------------------------------------------------------------------------------

HEX40, BASE64 = random_text(40, "0123456789abcdef"), random_text(43, seed="digest") + "="


@pytest.mark.parametrize(
    ("value", "line", "expected"),
    [
        ("sha512-" + BASE64, '"integrity": "{}"', "lookalike"),
        ("sha256:" + HEX40, "image: x@{}", "lookalike"),
        (HEX40, '"commit": "{}"', "lookalike"),
        (HEX40, "token_sha256 = {}", "lookalike"),
        (HEX40, "checksum: '{}'", "lookalike"),
        (BASE64, 'hash = "{}"', "lookalike"),
        (HEX40, "api_key = '{}'", ""),
        (HEX40, "hash_key = '{}'", ""),
        (HEX40, "password_hash = '{}'", ""),
        (HEX40, "commit by x, token: '{}'", ""),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "key = '{}'", "lookalike"),
        ("-----BEGIN PUBLIC KEY-----MIIB", "key = '{}'", "lookalike"),
        ("ssh-ed25519 AAAAC3Nza" + BASE64, "key = '{}'", "lookalike"),
        (BASE64, "public_key = '{}'", "lookalike"),
        (BASE64, "publishableKey: '{}'", "lookalike"),
        (BASE64, "private_key = '{}'", ""),
        ("iVBORw0KGgo" + BASE64, "secret = '{}'", "lookalike"),
        (BASE64, "src='data:image/png;base64,{}'", "lookalike"),
        ("1.24.0-rc1", "token_version = {}", "lookalike"),
        ("2024-05-17", "secret_date = {}", "lookalike"),
        ("86400", "token_ttl = {}", "lookalike"),
        ("#ff00aa", "key = '{}'", "lookalike"),
        ("application/x-www-form-urlencoded", "token_type = '{}'", "lookalike"),
        ("https://login.acme.io/oauth/token", "token = '{}'", "lookalike"),
        ("https://ci:" + HEX40 + "@acme.io/x", "token = '{}'", ""),
        ("https://acme.io/x?token=" + HEX40, "token = '{}'", ""),
        ("/etc/ssl/private/server.key", "key = '{}'", "lookalike"),
        ("config/credentials.yml.enc", "key = '{}'", "lookalike"),
        ("this_is_a_variable_name", "token = '{}'", "lookalike"),
        ("getAuthenticationTokenProvider", "token = '{}'", "lookalike"),
        ("com.acme.security.TokenProvider", "token = '{}'", "lookalike"),
        ("acme-production-database", "secret = '{}'", "lookalike"),
        ("sha256_password_encoder", "secret = '{}'", "lookalike"),
        ("The token could not be read", "token = '{}'", "lookalike"),
    ],
)
def test_a_generic_detectors_lookalikes(value: str, line: str, expected: str) -> None:
    """Each value in its line, and what it is taken for."""
    assert review(value, TOKEN, line) == expected


@pytest.mark.parametrize(
    ("value", "line", "expected"),
    [
        ("correct-horse-battery-staple", "password = '{}'", ""),
        ("correct horse battery staple", "password = '{}'", ""),
        ("84720193", "password = '{}'", ""),
        ("PasswordResetForm", "password = '{}'", "lookalike"),
        ("Password must contain a digit", "password = '{}'", "lookalike"),
        ("request.form.password", "password = {}", "lookalike"),
        ("requestCredential", "password = {}", "lookalike"),
    ],
)
def test_a_password_may_be_a_number_or_a_row_of_words(value: str, line: str, expected: str) -> None:
    """Only a reference in code, or the name of a thing, is surely none."""
    assert review(value, PASSWORD, line) == expected


def test_lookalikes_of_generic_detectors_do_not_bind_a_providers() -> None:
    """A provider whose keys are UUIDs, or numbers, has them."""
    for value in ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "8472019348", "acme-production-database"):
        assert review(value, PROVIDER) == ""


# --- markers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# oakum:allow", "marker"),
        ("// gitleaks:allow", "marker"),
        ("#gitleaks:allow reason", "marker"),
        ("<!-- betterleaks:allow -->", "marker"),
        ("# trufflehog:ignore", "marker"),
        ("# pragma: allowlist secret", "marker"),
        ("/* pragma: whitelist secret */", "marker"),
        ("# pragma:allowlist-secret", "marker"),
        ("# pragma: allowlist nextline secret", ""),
        ("# pragma: no cover", ""),
        ("# oakum:allowed", ""),
        ("# see gitleaks", ""),
    ],
)
def test_a_marker_on_the_line_suppresses(comment: str, expected: str) -> None:
    """oakum's own, and those of the scanners that were used before it."""
    found = match(random_text(32), 'key = "{}"  ' + comment)
    assert ALLOWED.review(found, PROVIDER) == expected
    assert Allowlist.load(markers=False).review(found, PROVIDER) == ""


def test_a_marker_for_the_next_line_stands_on_the_line_before() -> None:
    """Only the form that says so."""
    for previous, expected in ((b"# pragma: allowlist nextline secret", "marker"), (b"# oakum:allow", "")):
        assert ALLOWED.review(match(random_text(32), previous=previous), PROVIDER) == expected


# --- real secrets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found_by", [d for d in catalog.load() if not d.part_only], ids=lambda d: d.id)
def test_a_fresh_sample_of_a_detector_is_never_suppressed(found_by: Detector) -> None:
    """In each of the detector's examples."""
    engine = Engine([found_by], AhoCorasick([found_by]))
    spec = found_by.sample
    for number, example in enumerate(found_by.examples):
        for seed in range(20 if spec or found_by.width <= 512 else 1):  # drawing a wide one from its pattern is slow
            rng = Random(f"allow {found_by.id} {number} {seed}")
            secret = samples.draw(spec, found_by.regex, rng)
            for found in engine.search([Piece(samples.fill(example, secret, rng))]).matches:
                assert ALLOWED.review(found, found_by) == "", (example, found.secret.reveal())


@pytest.mark.parametrize(
    "spec", ["alnum:12", "alnum:20", "hex:32", "base64:30", "base64url:32", "lower:16", "password:10"]
)
def test_random_values_are_never_suppressed(spec: str) -> None:
    """Neither for a provider's detector nor for a generic one, in quotes and without."""
    rng = Random(spec)
    for _ in range(500):
        value = samples.build(spec, rng)
        for by, line in ((PROVIDER, "key = '{}'"), (TOKEN, "key = '{}'"), (PASSWORD, "password: {}")):
            assert review(value, by, line) == "", value


def test_hostile_values_take_no_longer_than_others() -> None:
    """Each of these would take ages if a list could be made to try again and again."""
    units = ["password", "passwor", "a_", "a.", "${", "foo.bar(", "/a", "<", "1.", "a:", "p://a:", "[x", "sha1-", "xxy"]
    started = time.perf_counter()
    for value in [(unit * 512)[:511] + end for unit in units for end in ("", "!", "\0")]:
        for by in (TOKEN, PASSWORD, CONNECTION):
            review(value, by, "commit: {}")
    assert time.perf_counter() - started < 10


# --- paths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"tests/test_api.py", "test"), (b"src/api_test.go", "test"), (b"web/__tests__/a.js", "test"),
        (b"spec/models/user.rb", "test"), (b"pkg/testdata/key.pem", "test"), (b"src\\Test\\a.cs", "test"),
        (b"a/fixtures/x.json", "test"), (b"src/login.spec.ts", "test"), (b"mocks/api.js", "test"),
        (b"examples/app.py", "example"), (b".env.example", "example"), (b"config.sample.yml", "example"),
        (b"app/parameters.yml.dist", "example"), (b".env.template", "example"), (b"demo/x.js", "example"),
        (b"docs/setup.html", "docs"), (b"CONTRIBUTING.md", "docs"), (b"guide.rst", "docs"), (b"docs/README.md", "docs"),
        (b"README.md", ""), (b"readme", ""), (b"service/README.rst", ""),
        (b"node_modules/x/index.js", "vendored"), (b"vendor/test/a.go", "test"), (b"third_party/a.c", "vendored"),
        (b"lib/python3/site-packages/a.py", "vendored"),
        (b"static/app.min.js", "minified"), (b"dist/main.js.map", "minified"), (b"static/bundle.js", "minified"),
        (b"src/contest/latest.py", ""), (b"src/attest.go", ""), (b".env", ""), (b"", ""), (b"tests", ""),
        (b"t\xff\xfests/a.py", ""), (b"a\nb/tests/\xff.py", "test"), (b"a\ntest_x.py", ""), (b"deploy/prod.yml", ""),
    ],
)  # fmt: skip
def test_the_class_of_a_path(path: bytes, expected: str) -> None:
    """Whole names of folders and patterns of file names, in any case, whatever bytes a path holds."""
    assert ALLOWED.path_class(path) == expected


def test_a_lock_file_hides_generic_matches_only() -> None:
    """A provider's token in one is a token."""
    for path in (b"package-lock.json", b"web/yarn.lock", b"go.sum", b"a/Cargo.lock", b"icons\\a.svg", b"de.po"):
        assert ALLOWED.review_path(TOKEN, path) == "lock-file"
        assert ALLOWED.review_path(PROVIDER, path) == ""
    assert ALLOWED.review_path(TOKEN, b"package.json") == ""


# --- the files ------------------------------------------------------------------------------------------------------

ENTRY = '[[entry]]\nname = "n"\nreason = "r"\n'


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("placeholders", "entry = [", "placeholders.toml: not valid TOML"),
        ("placeholders", "[[words]]\n", r"placeholders.toml: the file holds \[\[entry\]\] tables and nothing else"),
        ("placeholders", ENTRY + "words = []\n", "placeholders.toml: n: words: a list of texts that is not empty"),
        ("placeholders", ENTRY + 'word = ["a"]\n', "placeholders.toml: n: word: allowed are name, reason, beside"),
        ("placeholders", '[[entry]]\nname = "n"\n', "placeholders.toml: n: reason: is required"),
        ("lookalikes", ENTRY + 'of = "some"\n', "lookalikes.toml: n: of: 'some' is not one of all, guessable, generic"),
        ("lookalikes", ENTRY + 'value = ["("]\n', r"lookalikes.toml: n: '\(': not a pattern over bytes"),
        (
            "published",
            '[[published]]\nname = "n"\nsource = "s"\ncrc32 = 1\nfingerprint = "A"\n',
            "published.toml: n: fingerprint: 26 characters of a to z and 2 to 7",
        ),
        ("paths", '[[class]]\nname = "n"\nreason = "r"\n', "paths.toml: name: each of lock-file, test"),
    ],
)
def test_a_mistake_in_a_file_is_named(file: str, text: str, message: str) -> None:
    """File, entry and what is allowed."""
    texts = {n: (resources.files(allowlists) / f"{n}.toml").read_text("utf-8") for n in _FILES}
    with pytest.raises(AllowlistError, match=message):
        Allowlist(texts | {file: text})
