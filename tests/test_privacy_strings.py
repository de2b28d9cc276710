"""Consent in the strings of the IAB and of Google: `us_opt_out` and `consented`.

The strings are encoded here, bit by bit, by the specifications.
"""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.expressions.compiler import compile_expression

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
CODES = {
    2: "011",
    5: "00011",
    6: "10011",
    7: "01011",
    8: "000011",
    9: "100011",
    10: "010011",
    11: "001011",
    12: "101011",
    13: "0000011",
    14: "1000011",
    15: "0100011",
    16: "0010011",
    17: "1010011",
    18: "0001011",
    19: "1001011",
    20: "0101011",
    21: "00000011",
    22: "10000011",
    23: "01000011",
    24: "00100011",
    25: "10100011",
    26: "00010011",
    27: "10010011",
}  # Fibonacci codes
# Of each section: how many fields of two bits stand before its opt-outs, and which those are.
SECTIONS = {
    7: (6, ["sale", "sharing", "targeted"]),
    8: (3, ["sale", "sharing"]),
    9: (3, ["sale", "targeted"]),
    10: (3, ["sale", "targeted"]),
    11: (4, ["sale", "targeted"]),
    12: (3, ["sale", "targeted"]),
    13: (3, ["sale", "targeted"]),
    14: (3, ["sale", "targeted"]),
    15: (3, ["sale", "targeted"]),
    16: (3, ["sale", "targeted"]),
    17: (3, ["sale", "targeted"]),
    18: (4, ["sale", "targeted"]),
    19: (3, ["sale", "targeted"]),
    20: (3, ["sale", "targeted"]),
    21: (3, ["sale", "targeted"]),
    22: (3, ["sale", "targeted"]),
    23: (3, ["sale", "targeted"]),
    24: (5, ["sale", "targeted"]),
    25: (5, ["sale", "targeted"]),
    26: (5, ["sale", "targeted"]),
    27: (5, ["sale", "targeted"]),
}
GPC_ON = ".YA"


def encoded(bits):
    """Return bits in base 64 for URLs, six a character."""
    padded = bits + "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(padded[at : at + 6], 2)] for at in range(0, len(padded), 6))


def gpp(**sections):
    """Return a GPP string of one section: `s12="..."`."""
    ((name, section),) = sections.items()
    header = f"{3:06b}{1:06b}{1:012b}0{CODES[int(name[1:])]}"
    return f"{encoded(header)}~{section}"


def us_section(number, notices, opt_outs, version=1):
    """Return a US section; opt-outs are 0 (not applicable), 1 (out) or 2 (in)."""
    before, names = SECTIONS[number]
    fields = [notices] * before + [opt_outs.get(name, 0) for name in names] + [2] * 12
    return encoded(f"{version:06b}" + "".join(f"{field:02b}" for field in fields))


def tc_string(*purposes, version=2):
    """Return a TC string whose core allows these purposes, followed by another segment."""
    allowed = "".join("1" if number in purposes else "0" for number in range(1, 25))
    return encoded(f"{version:06b}" + "0" * 146 + allowed + "0" * 70) + ".IAAA"


def opted_out(text):
    return compile_expression("us_opt_out(text)")({"text": text})


def allowed(state, purpose):
    return compile_expression("consented(state, purpose)")({"state": state, "purpose": purpose})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1YYN", True),
        ("1YYY", True),
        ("1NYN", True),
        (" 1yyn ", True),
        ("1YNN", False),
        ("1NNN", False),
        ("1---", False),
        ("2YYN", None),
        ("1YY", None),
        ("1YYNN", None),
        ("1YXN", None),
        ("", None),
        ("LDP", None),
        (1, None),
        (["1YYN"], None),
    ],
)
def test_us_privacy(text, answer):
    """The third character of a US Privacy string is the opt-out from sale."""
    assert opted_out(text) is answer


@pytest.mark.parametrize("number", SECTIONS)
def test_opt_outs_of_every_section(number):
    """Each opt-out of a US section counts, and no notice or other field does."""
    name = f"s{number}"
    for opt_out in SECTIONS[number][1]:
        assert opted_out(gpp(**{name: us_section(number, 2, {opt_out: 1})})) is True
    stayed = dict.fromkeys(SECTIONS[number][1], 2)
    for notices in (0, 1, 2):
        assert opted_out(gpp(**{name: us_section(number, notices, stayed)})) is False
        assert opted_out(gpp(**{name: us_section(number, notices, {})})) is False


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("number", SECTIONS)
def test_versions_of_every_section(number, version):
    """The version of a section does not change the position of its opt-outs."""
    for answer, opt_out in ((True, 1), (False, 2)):
        section = us_section(number, 1, {"sale": opt_out}, version)
        assert opted_out(gpp(**{f"s{number}": section})) is answer


@pytest.mark.parametrize("number", SECTIONS)
def test_global_privacy_control(number):
    """Global Privacy Control, switched on in the browser, is an opt-out.

    Indiana, Kentucky and Rhode Island have consents to sensitive data in its place.
    """
    section = us_section(number, 1, {"sale": 2})
    assert opted_out(gpp(**{f"s{number}": section + GPC_ON})) is (number not in (25, 26, 27))
    assert opted_out(gpp(**{f"s{number}": section + ".QA"})) is False


def test_strings_of_others():
    """The examples of the specification and of other libraries are read."""
    no_purpose = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
    assert opted_out("DBABVg~BVVVVVVg.YA") is True
    assert opted_out("DBABVg~BAAAAAEA") is False
    assert opted_out("DBABBg~BAAAAACA") is False
    assert opted_out(gpp(s24="BVVV.Y")) is True
    assert opted_out(gpp(s24="BVWV.Q")) is True  # from targeted advertising alone
    assert opted_out(gpp(s24="BVWp.Q")) is False
    assert opted_out(f"DBACNYA~{no_purpose}~1YYN") is True
    assert opted_out(f"DBACNYA~{no_purpose}~1YNN") is False
    assert opted_out(f"DBABMA~{no_purpose}") is None
    assert opted_out("DBABjw~x~1YYN") is True  # sections 5 to 6, as a range
    assert allowed(f"DBABMA~{no_purpose}", 1) is False


@pytest.mark.parametrize(
    "text", ["DBABVg", "DBABVg~", "DBABVg~B", "DBABVg~*", "DBABVg~B~B", "DBA~1YYN", "~", "D~1YYN"]
)
def test_strings_that_are_cut(text):
    """A truncated or invalid string has no value."""
    assert opted_out(text) is None


@pytest.mark.parametrize("purpose", range(1, 25))
def test_purposes(purpose):
    """Each purpose of a TC string has its own bit, also inside a GPP string."""
    others = set(range(1, 25)) - {purpose}
    for wrap in (str, lambda tc: gpp(s2=tc)):
        assert allowed(wrap(tc_string(purpose)), purpose) is True
        assert allowed(wrap(tc_string(*others)), purpose) is False
    assert allowed(tc_string(purpose), str(purpose)) is True


@pytest.mark.parametrize(
    ("state", "purpose"),
    [
        (tc_string(1), 0),
        (tc_string(1), 25),
        (tc_string(1), 1.5),
        (tc_string(1, version=1), 1),
        (tc_string(1)[:29], 1),
        ("not a string!", 1),
        (None, 1),
        ({"1": True}, 1),
        (tc_string(1), None),
        (tc_string(1), "ad_storage"),
    ],
)
def test_purposes_that_a_string_does_not_have(state, purpose):
    """If a string does not say, it is neither allowed nor denied."""
    assert allowed(state, purpose) is None


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("granted", True),
        ("GRANTED", True),
        ("Yes", True),
        (True, True),
        (1, True),
        ("denied", False),
        ("No", False),
        (False, False),
        (0, False),
        ("unset", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
@pytest.mark.parametrize("encode", [dict, json.dumps])
def test_consent_mode(value, answer, encode):
    """A member of consent mode's object is granted or denied, in the usual words."""
    for purpose in ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage"):
        assert allowed(encode({purpose: value}), purpose) is answer
    assert allowed(encode({"ad_storage": value}), "ad_user_data") is None


@pytest.mark.parametrize(
    ("gcs", "ads", "analytics"),
    [
        ("G111", True, True),
        ("G101", False, True),
        ("G110", True, False),
        ("g100", False, False),
        ("G1--", None, None),
        ("G1", None, None),
        ("H111", None, None),
    ],
)
def test_google_signal(gcs, ads, analytics):
    """Google's parameter gcs has a digit for ads and one for analytics."""
    assert allowed(gcs, "ad_storage") is ads
    assert allowed(gcs, "analytics_storage") is analytics
    assert allowed(gcs, "ad_user_data") is None


@given(st.text(alphabet=ALPHABET + "~.=1YN", max_size=200))
def test_no_text_fails(text):
    """Any text has a result or null, and never raises."""
    for prefix in ("", "DBA", "DBAB", "C"):
        assert opted_out(prefix + text) in (True, False, None)
        assert allowed(prefix + text, 1) in (True, False, None)
