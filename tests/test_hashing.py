"""Digests: how they are made, and which texts are digests already."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.events.hashing import digest, digest_bytes, recognize
from target_pinterest_capi.events.reasons import LeftOut

SHA256 = hashlib.sha256(b"jane@example.com").hexdigest()
SHA1 = hashlib.sha1(b"jane@example.com").hexdigest()
MD5 = hashlib.md5(b"jane@example.com").hexdigest()


@given(text=st.text())
def test_a_digest_is_sha256_of_utf8(text):
    """A text is hashed as its UTF-8 bytes, and bytes as they are, to 64 lower-case hex digits."""
    assert digest(text) == digest_bytes(text.encode()) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "carried"), [("a\ud800b", "a\ufffdb"), ("\udc00", "\ufffd"), ("\ud83d\ude00", "😀")]
)
def test_what_utf8_cannot_carry_is_hashed_as_its_replacement(text, carried):
    """Lone surrogates count as U+FFFD and surrogate pairs as their character; nothing raises."""
    assert digest(text) == hashlib.sha256(carried.encode()).hexdigest()


@pytest.mark.parametrize(
    "text", [SHA256, SHA256.upper(), f" {SHA256}\n", SHA256[:32] + SHA256[32:].upper()]
)
@pytest.mark.parametrize("refuse_others", [True, False])
def test_a_sha256_digest_is_recognized(text, refuse_others):
    """64 hex digits in any case, with white space around or not, are a digest already.

    Lower case, never hashed again.
    """
    assert recognize(text, refuse_others=refuse_others) == SHA256


@pytest.mark.parametrize("text", [MD5, MD5.upper(), f" {MD5} ", SHA1, SHA1.upper(), f"{SHA1}\n"])
def test_other_digests_are_refused(text):
    """Texts like MD5 and SHA-1 digests are refused, since Pinterest cannot match them."""
    assert recognize(text) is LeftOut.UNMATCHABLE_DIGEST


@pytest.mark.parametrize("text", [MD5, SHA1])
def test_ids_may_look_like_other_digests(text):
    """Where others are not refused, a text like an MD5 is ordinary.

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
    assert known is None or isinstance(known, LeftOut) or known == text.strip().lower()
