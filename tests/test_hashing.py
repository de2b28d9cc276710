"""Digests: how they are computed, and which strings are already digests."""

import hashlib
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.events.hashing import digest, digest_bytes, digests, recognize
from target_pinterest_capi.events.reasons import Dropped

SHA256 = hashlib.sha256(b"jane@example.com").hexdigest()
SHA1 = hashlib.sha1(b"jane@example.com").hexdigest()
MD5 = hashlib.md5(b"jane@example.com").hexdigest()


@given(text=st.text())
def test_a_digest_is_sha256_of_utf8(text):
    """A string is hashed as its UTF-8 bytes, and bytes as they are, to 64 lower-case hex digits."""
    assert digest(text) == digest_bytes(text.encode()) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "carried"), [("a\ud800b", "a\ufffdb"), ("\udc00", "\ufffd"), ("\ud83d\ude00", "😀")]
)
def test_what_utf8_cannot_carry_is_hashed_as_its_replacement(text, carried):
    """Lone surrogates count as U+FFFD and surrogate pairs as their character; nothing raises."""
    assert digest(text) == hashlib.sha256(carried.encode()).hexdigest()


@given(texts=st.lists(st.text(st.characters(exclude_categories=[]))))
def test_digests_are_those_of_each_text(texts):
    """Several strings have the same digests as each alone, also if UTF-8 cannot carry one."""
    assert digests(texts) == [digest(text) for text in texts]


@pytest.mark.parametrize(
    "text", [SHA256, SHA256.upper(), f" {SHA256}\n", SHA256[:32] + SHA256[32:].upper()]
)
@pytest.mark.parametrize("refuse_others", [True, False])
def test_a_sha256_digest_is_recognized(text, refuse_others):
    """64 hex digits in any case, with or without white space around, are already a digest.

    Lower case, never hashed again.
    """
    assert recognize(text, refuse_others=refuse_others) == SHA256


@pytest.mark.parametrize("text", [MD5, MD5.upper(), f" {MD5} ", SHA1, SHA1.upper(), f"{SHA1}\n"])
def test_other_digests_are_refused(text):
    """Texts like MD5 and SHA-1 digests are refused, because Pinterest cannot match them."""
    assert recognize(text) is Dropped.UNMATCHABLE_DIGEST


@pytest.mark.parametrize("text", [MD5, SHA1])
def test_ids_may_look_like_other_digests(text):
    """If others are not refused, a string like an MD5 is ordinary.

    A UUID without its dashes is such an id.
    """
    assert recognize(text, refuse_others=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jane@example.com",
        SHA256[:-1],
        SHA256 + "0",
        "g" + SHA256[1:],
        "g" + MD5[1:],
        SHA256[:32] + " " + SHA256[33:],
        "٣" * 64,
        "\ud800" * 64,
        " " * 64,
    ],
)
def test_ordinary_text_is_no_digest(text):
    """Anything else is not recognized, whatever its length."""
    assert recognize(text) is None


@given(text=st.text(st.characters(), max_size=80))
def test_recognizing_never_raises(text):
    """Any text is a digest, a refused one, or none."""
    known = recognize(text)
    assert known is None or isinstance(known, Dropped) or known == text.strip().lower()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("refuse_others", [True, False])
def test_digest_of_nothing_is_nothing(algorithm, refuse_others):
    """The digest of an empty string is not a value, with any algorithm and in any form."""
    made = hashlib.new(algorithm, b"", usedforsecurity=False)
    written = [made.hexdigest(), made.hexdigest().upper(), "\\x" + made.hexdigest()]
    if algorithm in ("md5", "sha1", "sha256"):
        written.append(b64encode(made.digest()).decode())
    for text in written:
        assert recognize(text, refuse_others=refuse_others) is Dropped.EMPTY_DIGEST


@pytest.mark.parametrize(
    "digest",
    [
        *(hashlib.sha256(word).hexdigest() for word in (b" ", b"null", b"undefined")),
        hashlib.sha256(hashlib.sha256(b"").hexdigest().encode()).hexdigest(),
        hashlib.sha256(hashlib.md5(b"", usedforsecurity=False).hexdigest().encode()).hexdigest(),
        "0" * 64,
        "F" * 64,
    ],
)
def test_digest_of_no_value_is_nothing(digest):
    """What programs hash for a missing value identifies nobody, nor does a digest of one digit."""
    assert recognize(digest) is Dropped.EMPTY_DIGEST


@pytest.mark.parametrize("data", [b"jane", b"john", b"?", b"1", b"21", bytes(3)])
def test_sha256_in_other_writings(data):
    """Base64 of either alphabet, hex of databases, in quotes and with a name, are the digest."""
    made = hashlib.sha256(data)
    written = b64encode(made.digest()).decode()
    for text in (
        written,
        urlsafe_b64encode(made.digest()).decode(),
        written.rstrip("="),
        "\\x" + made.hexdigest(),
        "0x" + made.hexdigest().upper(),
        f"'{made.hexdigest()}'",
        f'"{made.hexdigest()}"',
        f"['{made.hexdigest()}']",
        f"b'{made.hexdigest()}'",
        f"sha256:{made.hexdigest()}",
        f"SHA-256={made.hexdigest().upper()}",
    ):
        assert recognize(text) == made.hexdigest()


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_other_digests_in_other_writings_are_refused(algorithm):
    """An MD5 or a SHA-1 in Base64 or in bytes is the same as in hex."""
    made = hashlib.new(algorithm, b"jane", usedforsecurity=False)
    written = b64encode(made.digest()).decode()
    for text in (written, written.rstrip("="), "\\x" + made.hexdigest()):
        assert recognize(text) is Dropped.UNMATCHABLE_DIGEST
        assert recognize(text, refuse_others=False) is None


def test_random_token_may_be_an_id():
    """Base64 without padding may be a token: as such it is hashed like any other."""
    made = hashlib.sha256(b"jane")
    token = b64encode(made.digest()).decode().rstrip("=")
    assert recognize(token, refuse_others=False, is_token=True) is None
    assert recognize(token, refuse_others=False) == made.hexdigest()  # no advertising id is such


@pytest.mark.parametrize("text", ["Phone-0041-44-668-1800", "Mobile:0041446681800", "x" * 27])
def test_text_as_long_as_an_unpadded_digest(text):
    """It is one only if capitals, lower-case letters and digits are mixed as in random text."""
    assert recognize(text) is None
