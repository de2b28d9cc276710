"""The normal forms: every personal value before it is hashed, field by field."""

# ruff: noqa: RUF001 - digits, dashes and letters of other scripts are what is tested

import re
import subprocess
import sys
from datetime import date
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from unicodedata import is_normalized, normalize

import iso3166
import phonenumbers
import pytest
from hypothesis import assume, example, find, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from given import examples
from target_pinterest_capi.events import codes
from target_pinterest_capi.events import normalize as forms
from target_pinterest_capi.events.characters import well_formed
from target_pinterest_capi.events.phones import NATIONAL, completed_by_library, zero_after_code
from target_pinterest_capi.events.reasons import Dropped, Warned

# Characters that the rules are about, dense enough to meet: signs, digits of other scripts, marks,
# odd cases, spaces, surrogates.
TELLING = (
    "0123456789 .,:;-/+#%()[]@&'xXtTaAuUsSzZéÉİıßẞΣςǅ²½日東"
    "\u0301\u0338\u0130\u00a0\u200b\u200d\ufeff\u0663\u0968\uff11\uff0b\ud83d\ude00\ud800"
)
TEXTS = st.text(st.characters()) | st.text(st.sampled_from(TELLING), max_size=14)


def joined(*parts):
    """Return a strategy of strings that join one draw from each part."""
    return st.tuples(*parts).map("".join)


def cased(*words):
    """Return a strategy of the words, in any case, with odd ends."""
    ends = st.sampled_from(["", " ", "-", ".", "_x", "\u0301"])
    return joined(
        st.sampled_from(words + tuple(map(str.upper, words)) + tuple(map(str.title, words))), ends
    )


DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=4)
SIGNS = st.sampled_from(["", "", " ", "-", ".", "/", ":", ", ", "(0)", "\u00a0"])
NUMBERS = joined(
    st.sampled_from(["", "+", "00", "("]),
    *[DIGITS, SIGNS] * 5,
    st.sampled_from(["", "x5", " ext. 5", "#5", "USA", "z"]),
)
EMAILS = joined(
    TEXTS.filter(bool), st.just("@"), TEXTS.filter(bool), st.just("."), TEXTS.filter(bool)
)
DATES = (
    joined(DIGITS, st.sampled_from("-/. "), DIGITS, st.sampled_from("-/. "), DIGITS)
    | st.dates().map(str)
    | st.dates().map("{:%d %B %Y}".format)
)
ADDRESSES = joined(
    st.ip_addresses().map(str), st.sampled_from(["", ":80", ", 192.0.2.1", "%eth0", " "])
)
PLACES = cased(*codes.COUNTRY_NAMES, *codes.STATE_NAMES, *codes.ALPHA_3, "us-ca", "n.y.", "gb-eng")

# Every form with its settings fixed, and strings that it is likely to take, so that the rules of
# all are stated once.
FORMS = {
    "email": (forms.email, EMAILS),
    "phone": (lambda text: forms.phone(text, None)[0], NUMBERS),
    "gender": (forms.gender, cased(*codes.GENDERS["f"], *codes.GENDERS["m"], *codes.GENDERS["n"])),
    "birth_date": (lambda text: forms.birth_date(text, None), DATES),
    "birth_date dmy": (lambda text: forms.birth_date(text, "dmy"), DATES),
    "name": (forms.name, TEXTS),
    "city": (forms.city, TEXTS),
    "state": (forms.state, PLACES),
    "postal_code": (lambda text: forms.postal_code(text, None, digits_only=False), NUMBERS),
    "postal_code us": (lambda text: forms.postal_code(text, "us", digits_only=False), NUMBERS),
    "postal_code digits": (lambda text: forms.postal_code(text, "gb", digits_only=True), NUMBERS),
    "postal_code us digits": (
        lambda text: forms.postal_code(text, "us", digits_only=True),
        NUMBERS,
    ),
    "country": (forms.country, PLACES),
    "external_id": (lambda text: forms.external_id(text, lower=False), TEXTS),
    "external_id lower": (lambda text: forms.external_id(text, lower=True), TEXTS),
    "maid": (forms.maid, st.uuids().map(str)),
    "currency": (forms.currency, cased(*sorted(codes.CURRENCIES))),
    "language": (forms.language, cased(*sorted(codes.LANGUAGES), *codes.WITHDRAWN_LANGUAGES)),
    "ip_address": (forms.ip_address, ADDRESSES),
    "customer_type": (
        forms.customer_type,
        cased(*codes.CUSTOMER_TYPES["new"], *codes.CUSTOMER_TYPES["returning"]),
    ),
}
EVERY_FORM = pytest.mark.parametrize("form", [form for form, _ in FORMS.values()], ids=FORMS.keys())


@pytest.mark.parametrize(("form", "likely"), FORMS.values(), ids=FORMS.keys())
@given(data=st.data())
def test_a_normal_form_is_its_own_normal_form(form, likely, data):
    """Normalizing twice equals normalizing once."""
    normal = form(data.draw(likely | TEXTS))
    assert isinstance(normal, Dropped) or form(normal) == normal


@pytest.mark.parametrize(("form", "likely"), FORMS.values(), ids=FORMS.keys())
def test_likely_texts_are_taken(form, likely):
    """The strings for these rules do reach a normal form, so the rules are really tested."""
    assert find(likely, lambda text: not isinstance(form(text), Dropped)) is not None


@EVERY_FORM
@given(text=TEXTS)
def test_a_normal_form_is_something_that_utf8_carries(form, text):
    """The result is not empty, is in NFC, and can be encoded, lone surrogates or not."""
    normal = form(text)
    assert isinstance(normal, Dropped) or (
        normal and normal.encode().decode() == normal and is_normalized("NFC", normal)
    )


@EVERY_FORM
@given(text=TEXTS)
def test_composed_and_decomposed_text_have_one_normal_form(form, text):
    """Canonically equivalent strings give the same result."""
    text = well_formed(text)
    assert form(normalize("NFC", text)) == form(normalize("NFD", text))


@EVERY_FORM
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0\u3000"])
def test_blank_text_is_empty(form, blank):
    """White space of any kind is EMPTY in every field, and never a bad format."""
    assert form(blank) is Dropped.EMPTY


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" Jane@Example.COM ", "jane@example.com"),
        ("jane@example.com", "jane@example.com"),
        ("J.A.N.E+pins@Example.com", "j.a.n.e+pins@example.com"),
        ("jane @ example . com", "jane@example.com"),
        ("jane@example.com;", "jane@example.com"),
        ("jane@example.com.", "jane@example.com"),
        ("jane@example.com/", "jane@example.com"),
        ("'jane@example.com'", "jane@example.com"),
        ("'jane@example.com", "jane@example.com"),
        ("\u201cjane@example.com\u201d", "jane@example.com"),
        ("<jane@example.com>", "jane@example.com"),
        ("[jane@example.com]", "jane@example.com"),
        ("Jane Doe <Jane@example.com>", "jane@example.com"),
        ('"Doe, Jane" <jane@example.com>', "jane@example.com"),
        ("jane@example.com (Jane)", "jane@example.com"),
        ("mailto:jane@example.com?subject=x", "jane@example.com"),
        ("jane%40example.com", "jane@example.com"),
        ("\u202ajane@example.com\u202c", "jane@example.com"),
        ("ja\u00adne@example.com", "jane@example.com"),
        ("jane@exam\x00ple.com", "jane@example.com"),
        ("jane\u00a0@example.com\n", "jane@example.com"),
        ("\ufeffjane@example.com\u200b", "jane@example.com"),
        ("o'brien_%-1@sub.example.co.uk", "o'brien_%-1@sub.example.co.uk"),
        ("JÜRGEN@bücher.example", "jürgen@bücher.example"),
        ("Ju\u0308rgen@example.com", "jürgen@example.com"),
        ("जेन@उदाहरण.example", "जेन@उदाहरण.example"),
    ],
)
def test_email(text, normal):
    """E-mails lose their white space and capitals and nothing else: dots and plus-tags stay."""
    assert forms.email(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "jane",
        "jane@",
        "@example.com",
        "jane@example",
        "jane@@example.com",
        "jane@example.",
        "jane@.com",
        "jane@example..com",
        "a@example.com;b@example.com",
        "a@example.com,b@example.com",
        "n/a",
    ],
)
def test_email_that_is_none(text):
    """A value that is not of the form x@y.z, or has more than one address, is refused."""
    assert forms.email(text) is Dropped.NOT_AN_EMAIL


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+1 (212) 555-0100", "12125550100"),
        ("+12125550100", "12125550100"),
        (" +1.212.555.0100 ", "12125550100"),
        ("(+44) 20 7946 0958", "442079460958"),
        ("+44 (0)20 7946 0958", "442079460958"),
        ("+49(0)30/901820", "4930901820"),
        ("+49 \uff080\uff0930 901820", "4930901820"),
        ("+39 06 1234 5678", "390612345678"),
        ("0044 20 7946 0958", "442079460958"),
        ("+0044 20 7946 0958", "442079460958"),
        ("0047 21 23 45 67", "4721234567"),
        ("+47 21 23 45 67", "4721234567"),
        (
            "\uff0b\uff11 \uff12\uff11\uff12 \uff15\uff15\uff15 \uff10\uff11\uff10\uff10",
            "12125550100",
        ),
        ("+٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨", "442079460958"),
        ("٠٠٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨", "442079460958"),
        ("\u202a+1\u00a0212\u2011555\u20110100\u202c", "12125550100"),
        ("+1 212 555 0100 ext. 5", "12125550100"),
        ("+1 212 555 0100 Extension 1234", "12125550100"),
        ("+12125550100x5", "12125550100"),
        ("+1 212 555 0100 X 5", "12125550100"),
        ("+1 212 555 0100 #5", "12125550100"),
        ("+33 1 23 45 67 89 poste 5", "33123456789"),
        ("+1-212-555-0100;ext=5", "12125550100"),
    ],
)
@pytest.mark.parametrize("region", [None, "DE", "us"])
def test_phone_with_country_code(text, digits, region):
    """A number written with + or 00 is its digits, for any country.

    Extension, (0) and leading zeros are removed.
    """
    assert forms.phone(text, region) == (digits, None)


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("020 7946 0958", "GB", "442079460958"),
        ("(0)20 7946 0958", "gb", "442079460958"),
        ("030 901820", "DE", "4930901820"),
        ("0151 12345678", "de", "4915112345678"),
        ("(212) 555-0100", "US", "12125550100"),
        ("212.555.0100 x5", "us", "12125550100"),
        ("1-212-555-0100", "US", "12125550100"),
        ("416 555 0100", "CA", "14165550100"),
        ("011 44 20 7946 0958", "US", "442079460958"),
        ("01 23 45 67 89", "FR", "33123456789"),
        ("(11) 91234-5678", "BR", "5511912345678"),
        ("03-1234-5678", "JP", "81312345678"),
        ("０３－１２３４－５６７８", "JP", "81312345678"),
        ("06 1234 5678", "IT", "390612345678"),
        ("0612345678", "NL", "31612345678"),
    ],
)
def test_phone_with_a_region(text, region, digits):
    """A national number gets its region's country code, and loses its trunk zero."""
    assert forms.phone(text, region) == (digits, None)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("442079460958", "GB"),
        ("4915112345678", "DE"),
        ("12125550100", "US"),
        ("390612345678", "IT"),
        ("447700900123", "US"),
        ("4721234567", "US"),
    ],
)
def test_phone_with_country_code_but_no_plus(text, region):
    """Digits that already begin with their country code do not get a second one."""
    assert forms.phone(text, region) == (text, None)


@pytest.mark.parametrize(
    ("text", "region", "digits", "warning"),
    [
        ("5550100", None, "5550100", Warned.PHONE_WITHOUT_COUNTRY),
        ("555-0100", "US", "5550100", Warned.PHONE_WITHOUT_COUNTRY),
        ("020 7946 0958", None, "2079460958", Warned.PHONE_WITHOUT_COUNTRY),
        ("0612345678", "ZZ", "612345678", Warned.PHONE_WITHOUT_COUNTRY),
        ("2125550100", None, "2125550100", Warned.PHONE_WITHOUT_COUNTRY),
        ("12125550100", None, "12125550100", None),
        ("442079460958", None, "442079460958", None),
    ],
)
def test_phone_without_country(text, region, digits, warning):
    """Without a country the digits are used without leading zeros.

    Fewer than 11 of them are counted.
    """
    assert forms.phone(text, region) == (digits, warning)


@pytest.mark.parametrize(
    "text",
    [
        "1-800-FLOWERS",
        "+1 212 555 01xx",
        "unknown",
        "x5",
        "---",
        "+",
        "000",
        "(0)",
        "+1",
        "+ 49",
        "+1 415",
        "+12345",
        "٠",
        "電話 0312345678",
    ],
)
@pytest.mark.parametrize("region", [None, "US"])
def test_phone_that_is_none(text, region):
    """Letters other than an extension, and strings without digits, are refused."""
    assert forms.phone(text, region) == (Dropped.NOT_A_PHONE, None)


@given(
    digits=st.from_regex(r"\A[2-9][0-9]{2}[2-9][0-9]{6}\Z"), region=st.sampled_from(["US", "CA"])
)
def test_the_short_way_for_north_american_numbers_is_the_librarys(digits, region):
    """If the library knows a ten-digit number of the region, its form is the library's."""
    number = phonenumbers.parse(digits, region)
    assume(phonenumbers.is_valid_number(number))
    assert forms.phone(digits, region) == (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:],
        None,
    )


NATIONAL_NUMBERS = [
    # country, number, the number that is dialled from abroad
    ("GB", "020 7946 0958", "442079460958"),
    ("GB", "(07400) 123456", "447400123456"),
    ("DE", "06172 555012", "496172555012"),
    ("DE", "0171 / 5550123", "491715550123"),
    ("FR", "06 12 34 56 78", "33612345678"),
    ("IT", "06 6988 2345", "390669882345"),
    ("IT", "345 123 4567", "393451234567"),
    ("ES", "612 34 56 78", "34612345678"),
    ("BR", "(11) 96123-4567", "5511961234567"),
    ("BR", "011 96123-4567", "5511961234567"),
    ("MX", "55 1234 5678", "525512345678"),
    ("IN", "098765 43210", "919876543210"),
    ("IN", "98765 43210", "919876543210"),
    ("JP", "090-1234-5678", "819012345678"),
    ("PL", "512 345 678", "48512345678"),
    ("CO", "301 2345678", "573012345678"),
]


@pytest.mark.parametrize(("region", "text", "digits"), NATIONAL_NUMBERS)
def test_national_numbers_get_their_country_code(region, text, digits):
    """The trunk zero is removed, except in Italy, where it is part of the number."""
    assert forms.phone(text, region) == (digits, None)


@tried(max_examples=examples(1_000))
@given(data=st.data(), region=st.sampled_from(sorted(NATIONAL)))
def test_the_short_ways_for_national_numbers_are_the_librarys(data, region):
    """Decisions without the library agree with it, also for numbers that it does not know."""
    code, form = NATIONAL[region]
    digits = data.draw(st.from_regex(form, fullmatch=True, alphabet=st.sampled_from("0123456789")))
    assert completed_by_library(digits, region) == code + re.fullmatch(form, digits)[1]


def test_odd_national_numbers_alone_load_the_library():
    """Numbers with their country code, and common national ones, do not need the library.

    It is slow to import, and most runs never do.
    """
    script = (
        "import sys; from target_pinterest_capi.events import normalize;"
        "normalize.phone('+1 212 555 0100', 'US');"
        "normalize.phone('212 555 0100', 'US');"
        "normalize.phone('020 7946 0958', 'GB');"
        "normalize.phone('5550100', None);"
        "assert 'phonenumbers' not in sys.modules;"
        "normalize.phone('7946 0958', 'GB'); assert 'phonenumbers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@given(
    text=st.text() | st.text(st.sampled_from("0123456789 +()-x#"), max_size=20),
    region=st.sampled_from([None, "US", "GB", "DE", "IT", "BR", "ZZ", ""]),
)
def test_phone_gives_digits_or_a_reason(text, region):
    """For any text and country, the result is digits from 1 on, or a reason."""
    digits, _ = forms.phone(text, region)
    assert isinstance(digits, Dropped) or (
        digits.isascii() and digits.isdigit() and digits[0] != "0"
    )


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("f", "f"),
        ("F", "f"),
        ("female", "f"),
        (" Female ", "f"),
        ("WOMAN", "f"),
        ("weiblich", "f"),
        ("Fe\u0301minin", "f"),
        ("w", "f"),
        ("m", "m"),
        ("Male", "m"),
        ("man", "m"),
        ("männlich", "m"),
        ("HOMBRE", "m"),
        ("n", "n"),
        ("non-binary", "n"),
        ("Non Binary", "n"),
        ("non_binary", "n"),
        ("nonbinary", "n"),
        ("NB", "n"),
        ("x", "n"),
        ("Diverse", "n"),
    ],
)
def test_gender(text, normal):
    """The usual words become f, m or n."""
    assert forms.gender(text) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("new", "new"),
        (" NEW ", "new"),
        ("first_time", "new"),
        ("First-Time", "new"),
        ("first time buyer", "new"),
        ("NewCustomer", "new"),
        ("returning", "returning"),
        ("Repeat", "returning"),
        ("repeat_customer", "returning"),
        ("existing", "returning"),
        ("Recurring", "returning"),
        ("vip", Dropped.UNKNOWN_CHOICE),
        ("1", Dropped.UNKNOWN_CHOICE),
        ("true", Dropped.UNKNOWN_CHOICE),
        ("new, returning", Dropped.UNKNOWN_CHOICE),
        (" ", Dropped.EMPTY),
    ],
)
def test_customer_type(text, normal):
    """Words of shops for a first and a later order become new or returning; others are unknown."""
    assert forms.customer_type(text) is normal or forms.customer_type(text) == normal


@pytest.mark.parametrize("text", ["u", "unknown", "1", "2", "0", "prefer not to say", "fm", "?"])
def test_gender_that_is_unknown(text):
    """Other words, and numbers, which differ between systems, are refused."""
    assert forms.gender(text) is Dropped.UNKNOWN_GENDER


@pytest.mark.parametrize(
    "text",
    [
        "1990-04-23",
        "19900423",
        " 1990-04-23 ",
        "1990/04/23",
        "1990/4/23",
        "1990.04.23",
        "1990-04-23T23:30:00-08:00",
        "1990-04-23T00:00:00Z",
        "1990-04-23 00:00:00",
        "1990-04-23 00:00:00.000000 UTC",
        "19900423T000000",
        "23/04/1990",
        "04/23/1990",
        "23.4.1990",
        "23-04-1990",
        "04-23-1990",
        "1990-W17-1",
        "640828800",
        "640828800000",
        "4/23/1990 12:00:00 AM",
        "23 04 1990",
        "23 Apr 1990",
        "23-APR-1990",
        "23rd April 1990",
        "April 23, 1990",
        "Apr. 23 1990",
        "apr 23rd, 1990",
        "１９９０-０４-２３",
        "٢٣/٠٤/١٩٩٠",
    ],
)
@pytest.mark.parametrize("date_format", [None, "dmy", "mdy"])
def test_birth_date(text, date_format):
    """Unambiguous dates are YYYYMMDD as written, for any date_format."""
    assert forms.birth_date(text, date_format) == "19900423"


@pytest.mark.parametrize(
    ("text", "date_format", "normal"),
    [
        ("03/04/1990", None, Dropped.AMBIGUOUS_DATE),
        ("03.04.1990", None, Dropped.AMBIGUOUS_DATE),
        ("03/04/1990", "dmy", "19900403"),
        ("03/04/1990", "mdy", "19900304"),
        ("3-4-1990 00:00:00", "mdy", "19900304"),
        ("04/04/1990", None, "19900404"),
    ],
)
def test_birth_date_that_could_be_either(text, date_format, normal):
    """A day and month that could be swapped are refused, unless date_format decides."""
    assert forms.birth_date(text, date_format) == normal


@pytest.mark.parametrize(
    "text",
    [
        "1990-02-30",
        "19901301",
        "31/31/1990",
        "29/02/1991",
        "0000-00-00",
        "0001-01-01",
        "1799-12-31",
        "2100-01-01",
        "90-04-23",
        "23/04/90",
        "1990",
        "1990-04",
        "19900423.0",
        "19900423.5",
        "1990042312",
        "19900423xx",
        "1990-04-2x",
        "640742401",
        "640742400001",
        "1990-04/23",
        "23 Foo 1990",
        "1990-04-23 and more",
        "unknown",
        "04231990",
    ],
)
@pytest.mark.parametrize("date_format", [None, "dmy"])
def test_birth_date_that_is_none(text, date_format):
    """Impossible days, placeholder years, two-digit years and timestamps are refused."""
    assert forms.birth_date(text, date_format) is Dropped.NOT_A_DATE


@given(born=st.dates(min_value=date(1850, 1, 1), max_value=date(2099, 12, 31)))
def test_every_day_has_one_birth_date_form(born):
    """The ISO form, the compact form, and both orders under their setting agree on every day."""
    expected = f"{born.year:04}{born.month:02}{born.day:02}"
    assert forms.birth_date(born.isoformat(), None) == expected
    assert forms.birth_date(expected, None) == expected
    assert forms.birth_date(f"{born.day}/{born.month}/{born.year}", "dmy") == expected
    assert forms.birth_date(f"{born.month:02}/{born.day:02}/{born.year}", "mdy") == expected


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Jane", "jane"),
        (" Mary  Ann ", "mary ann"),
        ("Mary\u00a0Ann", "mary ann"),
        ("O'Brien", "o'brien"),
        ("Smith-Jones Jr.", "smith-jones jr."),
        ("ÉMILE", "émile"),
        ("E\u0301mile", "émile"),
        ("T\u0308", "ẗ"),
        ("李", "李"),
        ("ΝΙΚΟΣ", "νικος"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_name(text, normal):
    """Names are lower case with single spaces; their punctuation stays."""
    assert forms.name(text) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("San Diego", "sandiego"),
        ("St. Louis", "stlouis"),
        ("Saint-Denis", "saintdenis"),
        ("L'Aquila", "laquila"),
        ("L\u2019Aquila", "laquila"),
        ("São Paulo", "sãopaulo"),
        ("Sa\u0303o Paulo", "sãopaulo"),
        ("東京 ・ 港区", "東京港区"),
        ("नई दिल्ली", "नईदिल्ली"),
        ("Stadt 22", "stadt22"),
        ("İstanbul", "i\u0307stanbul"),
        ("Winston–Salem™", "winstonsalem"),
        ("e-\u0301", "é"),
    ],
)
def test_city(text, normal):
    """Cities keep lower-case letters, marks and digits of any script, and nothing else."""
    assert forms.city(text) == normal


@pytest.mark.parametrize("text", ["-", "...", "™", "😀"])
def test_city_of_signs_only(text):
    """A city without letters and digits is empty."""
    assert forms.city(text) is Dropped.EMPTY


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("CA", "ca"),
        (" ca ", "ca"),
        ("N.Y.", "ny"),
        ("D. C.", "dc"),
        ("US-CA", "ca"),
        ("us-ca", "ca"),
        ("CA-QC", "qc"),
        ("GB-ENG", "eng"),
        ("FR-75", "75"),
        ("California", "ca"),
        ("NEW  YORK", "ny"),
        ("District of Columbia", "dc"),
        ("Washington, D.C.", "dc"),
        ("Washington", "wa"),
        ("Québec", "qc"),
        ("Que\u0301bec", "qc"),
        ("quebec", "qc"),
        ("Newfoundland and Labrador", "nl"),
        ("Newfoundland & Labrador", "nl"),
        ("Puerto Rico", "pr"),
        ("Nordrhein-Westfalen", "nordrhein-westfalen"),
        ("New South Wales", "newsouthwales"),
        ("NSW", "nsw"),
        ("Île-de-France", "île-de-france"),
        ("東京都", "東京都"),
        ("ZZ-AB", "zz-ab"),
        ("CA-US", "ca"),
        ("CA-USA", "ca"),
        ("USA-CA", "ca"),
        ("TX-USA", "tx"),
        ("TX-Texas", "tx"),
        ("CA-ON", "on"),
        ("DE-BY", "by"),
        ("CO-DC", "dc"),
        ("Hawai\u02bbi", "hi"),
        ("Hawai\u2018i", "hi"),
    ],
)
def test_state(text, normal):
    """States and provinces are two-letter codes if they have one.

    Other regions are in lower case, without spaces.
    """
    assert forms.state(text) == normal


def test_every_named_state_has_a_code_of_two_letters():
    """All states, territories and provinces are found by name, and only by their own code."""
    found = {forms.state(written) for written in codes.STATE_NAMES}
    assert len(found) == 50 + 1 + 5 + 13
    assert all(len(code) == 2 and code.isalpha() and code.islower() for code in found)


@pytest.mark.parametrize(
    ("text", "region", "normal"),
    [
        ("94105", "us", "94105"),
        ("94105", "US", "94105"),
        ("94105-1234", "US", "94105"),
        ("94105 1234", "us", "94105"),
        ("941051234", "us", "94105"),
        ("2101", "us", "02101"),
        ("501", "us", "00501"),
        ("21011234", "us", "02101"),
        ("5011234", "us", "00501"),
        ("901", "pr", "00901"),
        ("94105-1234", None, "94105"),
        ("94105–1234", None, "94105"),
        ("94105 - 1234", None, "94105"),
        ("CA 94105", "us", "94105"),
        ("94105-1234 USA", "us", "94105"),
        ("M5V 3L9", "us", "m5v3l9"),
        ("2101", None, "2101"),
        ("2101", "au", "2101"),
        ("1010", "at", "1010"),
        ("01310-100", "br", "01310100"),
        ("150-0001", "jp", "1500001"),
        ("１５０－０００１", "jp", "1500001"),
        ("00-950", "pl", "00950"),
        ("110 00", "cz", "11000"),
        ("٩٤١٠٥", None, "94105"),
        ("SW1A 1AA", "gb", "sw1a1aa"),
        ("sw1a1aa", None, "sw1a1aa"),
        ("1234 AB", "nl", "1234ab"),
        ("M5V 3L9", "ca", "m5v3l9"),
        ("k1a-0b1", "ca", "k1a0b1"),
    ],
)
def test_postal_code(text, region, normal):
    """US codes have five digits, with leading zeros restored.

    Other codes are their digits, or lower-case letters and digits.
    """
    assert forms.postal_code(text, region, digits_only=False) == normal


@pytest.mark.parametrize(
    ("text", "region", "normal"),
    [
        ("SW1A 1AA", "gb", "11"),
        ("1234 AB", "nl", "1234"),
        ("94105-1234", "us", "94105"),
        ("2101", "us", "02101"),
        ("EC", "gb", Dropped.NOT_A_POSTAL_CODE),
    ],
)
def test_postal_code_of_digits_only(text, region, normal):
    """With digits_only, letters are dropped, and a code of letters alone is refused."""
    assert forms.postal_code(text, region, digits_only=True) == normal


@pytest.mark.parametrize("region", [None, "us", "gb"])
def test_postal_code_that_is_none(region):
    """Punctuation alone is not a postal code."""
    assert forms.postal_code("- -", region, digits_only=False) is Dropped.NOT_A_POSTAL_CODE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "us"),
        ("us", "us"),
        (" Us ", "us"),
        ("USA", "us"),
        ("U.S.A.", "us"),
        ("U.S.", "us"),
        ("United States", "us"),
        ("UNITED STATES OF AMERICA", "us"),
        ("the United States", "us"),
        ("UK", "gb"),
        ("uk", "gb"),
        ("U.K.", "gb"),
        ("GBR", "gb"),
        ("Great Britain", "gb"),
        ("United Kingdom", "gb"),
        ("England", "gb"),
        ("DEU", "de"),
        ("Germany", "de"),
        ("South Korea", "kr"),
        ("Republic of Korea", "kr"),
        ("Korea, Republic of", "kr"),
        ("North Korea", "kp"),
        ("Russia", "ru"),
        ("Vietnam", "vn"),
        ("Viet Nam", "vn"),
        ("Czech Republic", "cz"),
        ("Czechia", "cz"),
        ("Ivory Coast", "ci"),
        ("Côte d'Ivoire", "ci"),
        ("Cote d\u2019Ivoire", "ci"),
        ("The Netherlands", "nl"),
        ("Holland", "nl"),
        ("Turkey", "tr"),
        ("Türkiye", "tr"),
        ("Iran", "ir"),
        ("Taiwan", "tw"),
        ("Bosnia & Herzegovina", "ba"),
        ("St. Lucia", "lc"),
        ("Réunion", "re"),
        ("Reunion", "re"),
        ("British Virgin Islands", "vg"),
        ("U.S. Virgin Islands", "vi"),
        ("Democratic Republic of the Congo", "cd"),
        ("Hong Kong SAR", "hk"),
        ("Macau", "mo"),
        ("Burma", "mm"),
        ("Myanmar (Burma)", "mm"),
        ("Türkiye (Turkey)", "tr"),
        ("Eswatini (Swaziland)", "sz"),
        ("Czechia / Czech Republic", "cz"),
        ("Holy See (Vatican City State)", "va"),
        ("United States (US) Minor Outlying Islands", "um"),
        ("Saint Martin (Dutch part)", "sx"),
        ("Bonaire, Saint Eustatius and Saba", "bq"),
        ("Belau", "pw"),
        ("Slovak Republic", "sk"),
        ("Kyrgyz Republic", "kg"),
        ("U.A.E.", "ae"),
    ],
)
def test_country(text, code):
    """Countries are ISO 3166 alpha-2 in lower case, from codes and common English names."""
    assert forms.country(text) == code


@pytest.mark.parametrize("row", iso3166.countries, ids=lambda row: row.alpha2)
def test_every_iso_country_is_found(row):
    """Every country is found by both its codes and by its ISO name, in any case."""
    for text in (row.alpha2, row.alpha3.lower(), row.name, row.apolitical_name.upper()):
        assert forms.country(text) == row.alpha2.lower()


@pytest.mark.parametrize(
    "text",
    ["XX", "ZZZ", "Korea", "Virgin Islands", "Atlantis", "840", "Europe", "?", "Serbia-Montenegro"],
)
def test_country_that_is_unknown(text):
    """A value that is no country, or could be two, is refused."""
    assert forms.country(text) is Dropped.UNKNOWN_COUNTRY


@pytest.mark.parametrize(
    ("text", "lower", "normal"),
    [
        (" Cust_1 ", False, "Cust_1"),
        ("Cust_1", True, "cust_1"),
        ("Ü-1", True, "ü-1"),
        ("U\u0308-1", False, "Ü-1"),
        ("a b", False, "a b"),
    ],
)
def test_external_id(text, lower, normal):
    """External ids are only trimmed, and in lower case if the setting says so."""
    assert forms.external_id(text, lower=lower) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("AEBE52E7-03EE-455A-B3C4-E57283966239", "aebe52e7-03ee-455a-b3c4-e57283966239"),
        (" aebe52e7-03ee-455a-b3c4-e57283966239", "aebe52e7-03ee-455a-b3c4-e57283966239"),
        ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
        ("00000000-0000-0000-0000-000000000000", Dropped.TRACKING_OFF),
        ("00000000000000000000000000000000", Dropped.TRACKING_OFF),
    ],
)
def test_maid(text, normal):
    """Advertising ids are in lower case; the all-zero id means that tracking is off."""
    assert forms.maid(text) == normal


@pytest.mark.parametrize(
    ("text", "code"),
    [("USD", "USD"), ("usd", "USD"), (" Eur ", "EUR"), ("JPY", "JPY"), ("XCG", "XCG")],
)
def test_currency(text, code):
    """Currencies are ISO 4217 codes in upper case."""
    assert forms.currency(text) == code


@pytest.mark.parametrize(
    "text", ["$", "\u00a3", "kr", "XXX", "XTS", "DOLLAR", "EURO", "BTC", "840"]
)
def test_currency_that_is_unknown(text):
    """Symbols, names, and codes without a currency are refused."""
    assert forms.currency(text) is Dropped.UNKNOWN_CURRENCY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-US", "en"),
        ("en_US.UTF-8", "en"),
        (" pt-BR ", "pt"),
        ("zh-Hans-CN", "zh"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("de;q=1", "de"),
        ("iw", "he"),
        ("in-ID", "id"),
        ("ji", "yi"),
    ],
)
def test_language(text, code):
    """Languages are the ISO 639-1 code at the start of a locale.

    Withdrawn codes become the current ones.
    """
    assert forms.language(text) == code


@pytest.mark.parametrize("text", ["eng", "English", "xx", "xx-US", "*", "e", "1"])
def test_language_that_is_unknown(text):
    """A value without a two-letter code at its start is refused."""
    assert forms.language(text) is Dropped.UNKNOWN_LANGUAGE


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("192.0.2.1, 198.51.100.7", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1%eth0", "2001:db8::1"),
        ("2001:db8::1, 192.0.2.1", "2001:db8::1"),
        ("[2001:db8::1%25eth0]:80", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:db8::192.0.2.1", "2001:db8::192.0.2.1"),
        ("::1:2:3:4:5:6:7", "::1:2:3:4:5:6:7"),
    ],
)
def test_ip_address(text, address):
    """Addresses are plain: the first of a forwarded list, without port, brackets and zone.

    IPv4 written as IPv6 is IPv4.
    """
    assert forms.ip_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "0.0.0.0:80",
        "::",
        "[::]:80",
        "0:0:0:0:0:0:0:0",
        "::ffff:0.0.0.0",
        "unknown",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.01",
        "192.0.2.1.5",
        "192.0.2.1/24",
        "٠.٠.٠.١",
        "2001:db8::g",
        "2001:db8:::1",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::8:9",
        "example.com",
        "\ud800::1",
    ],
)
def test_ip_address_that_is_none(text):
    """Names, truncated addresses, and addresses of no host are refused."""
    assert forms.ip_address(text) is Dropped.NOT_AN_IP_ADDRESS


@given(
    text=st.ip_addresses(v=6).map(str)
    | st.ip_addresses(v=6).map(lambda address: address.exploded)
    | st.from_regex(r"\A[0-9a-f:.]{2,24}\Z")
)
@example(text="::ffff:0:0")
def test_an_ip_address_is_what_the_library_takes_for_one(text):
    """An IPv6 address is valid if the standard library reads it, and stays the same address."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        taken = forms.ip_address(text)
        assert taken is Dropped.NOT_AN_IP_ADDRESS or "." in text or text.count(":") == 1
        return
    expected = address.ipv4_mapped or address
    nobodys = (IPv4Network("0.0.0.0/8"), IPv4Network("224.0.0.0/3"), IPv6Network("ff00::/8"))
    if expected.is_unspecified or any(expected in network for network in nobodys):
        assert forms.ip_address(text) is Dropped.NOT_AN_IP_ADDRESS
        return
    taken = forms.ip_address(text)
    assert (IPv4Address(taken) if address.ipv4_mapped else IPv6Address(taken)) == expected


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.5, 203.0.113.9", "203.0.113.9"),
        ("unknown, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("-, 203.0.113.9:8080", "203.0.113.9"),
        ("192.168.1.1 203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0, 2001:db8::2", "2001:db8::2"),
        ('for="[2001:db8::1]:4711";proto=https, for=198.51.100.17', "2001:db8::1"),
        ("203.0.113.9, 198.51.100.17", "203.0.113.9"),
        ("10.0.0.5", "10.0.0.5"),
        ("172.16.0.1, 10.0.0.5", "172.16.0.1"),
        ("fd00::1", "fd00::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_ip_address_of_a_forwarded_list(text, address):
    """The first public address is the user's; a private one is sent only if there is no other."""
    assert forms.ip_address(text) == address
    private = ("10.", "127.", "172.16.", "fd00:", "::1")
    assert forms.is_private(address) == address.startswith(private)


PRIVATE = [
    ip_network(network)
    for network in (
        "10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16", "169.254.0.0/16", "172.16.0.0/12",
        "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10",
    )
]  # fmt: skip


@given(
    st.ip_addresses()
    | st.sampled_from(PRIVATE).flatmap(lambda network: st.ip_addresses(network=network))
)
def test_private_addresses_are_those_of_the_networks_set_aside(address):
    """RFC 1918, 6598 and 4193, loopback and link-local; 0.0.0.0/8 is no host's address."""
    text = forms.ip_address(str(address))
    if type(text) is str:
        address = ip_address(text)
        is_inside = any(address.version == net.version and address in net for net in PRIVATE)
        assert forms.is_private(text) == is_inside


@pytest.mark.parametrize("text", ["0.0.0.0", "0.1.2.3", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"])
def test_ip_address_of_nobody(text):
    """An address of no host is dropped."""
    assert forms.ip_address(text) is Dropped.NOT_AN_IP_ADDRESS


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("14155550132.0", None, "14155550132"),
        ("+14155550132.00", None, "14155550132"),
        ("4155550132.0", "US", "14155550132"),
        ("1.4155550132E10", None, "14155550132"),
        ("+4407911123456", None, "447911123456"),
        ("+44 020 7946 0958", "US", "442079460958"),
        ("+49 (030) 901820", None, "4930901820"),
        ("0049 030 901820", None, "4930901820"),
        ("+33 06 12 34 56 78", None, "33612345678"),
        ("+61 0412 345 678", None, "61412345678"),
        ("4407911123456", "GB", "447911123456"),
        ("+39 06 6982", None, "39066982"),
        ("+378 0549 882345", None, "3780549882345"),
        ("+225 0123456789", None, "2250123456789"),
        ("+1 (202) 555-0134", None, "12025550134"),
        ("030/901820", "DE", "4930901820"),
    ],
)
def test_phone_that_is_nearly_right(text, region, digits):
    """A fraction of zeros is not part of a phone, nor is a zero after most countries' codes."""
    assert forms.phone(text, region) == (digits, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.41556E+10", Dropped.DIGITS_LOST),
        ("4,41556E+11", Dropped.DIGITS_LOST),
        ("1234567890123456", Dropped.NOT_A_PHONE),
        ("+1234567890123456", Dropped.NOT_A_PHONE),
        ("+12025550134 / +12025550135", Dropped.NOT_A_PHONE),
        ("5550134, 5550135", Dropped.NOT_A_PHONE),
    ],
)
@pytest.mark.parametrize("region", [None, "US"])
def test_phone_that_is_none_or_several(text, reason, region):
    """Missing digits, too many of them, and two numbers in one are not a phone."""
    assert forms.phone(text, region) == (reason, None)


def test_every_country_code_is_known_before_a_zero():
    """The fast path without the library knows every country's code, except +1 and +7."""
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        assert (zero_after_code(f"{code}0123") is not None) == (code not in (1, 7)), code


@pytest.mark.parametrize(
    ("split", "text", "parts"),
    [
        (
            forms.split_emails,
            "a@x.example.com,b@x.example.com",
            ["a@x.example.com", "b@x.example.com"],
        ),
        (forms.split_emails, "a@example.com b@example.com", ["a@example.com", "b@example.com"]),
        (
            forms.split_emails,
            "[a@example.com, b@example.com]",
            ["[a@example.com", " b@example.com]"],
        ),
        (forms.split_emails, "Doe, Jane <a@example.com>", ["Doe, Jane <a@example.com>"]),
        (forms.split_phones, "+12025550134 / 2025550135", ["+12025550134", "2025550135"]),
        (forms.split_phones, "+12025550134/+12025550135", ["+12025550134", "+12025550135"]),
        (forms.split_phones, "2025550134 or 2025550135", ["2025550134", "2025550135"]),
        (forms.split_phones, "030/901820", ["030/901820"]),
        (forms.split_phones, "+12025550134,,12", ["+12025550134,,12"]),
        (forms.split_maids, f"{'a' * 32};{'b' * 32}", ["a" * 32, "b" * 32]),
        (forms.split_maids, f"{{{'a' * 32}}}", ["a" * 32]),
        (forms.split_maids, "n/a, none", ["n/a, none"]),
    ],
)
def test_text_of_several_values(split, text, parts):
    """A string that can only be several values is split, and any other is not."""
    assert split(text) == parts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("United States (US)", "us"),
        ("united states (us)", "us"),
        ("US - United States", "us"),
        ("United States of America (USA)", "us"),
        ("UK (United Kingdom)", "gb"),
        ("DE: Germany", "de"),
        ("C\u00f4te d'Ivoire (CI)", "ci"),
        ("Deutschland (DE)", "de"),
        ("Virgin Islands (US)", "vi"),
    ],
)
def test_country_with_its_code(text, code):
    """A name and the code of the same country are that country."""
    assert forms.country(text) == code


@pytest.mark.parametrize("text", ["Georgia (US)", "Mexico (US)", "CA, US", "NO - not available"])
def test_country_that_is_two(text):
    """If name and code differ, nothing is guessed."""
    assert forms.country(text) is Dropped.UNKNOWN_COUNTRY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("California (CA)", "ca"),
        ("CA - California", "ca"),
        ("Quebec, QC", "qc"),
        ("California (CO)", "california(co)"),
    ],
)
def test_state_with_its_code(text, code):
    """A name with its own code is the code; any other text is unchanged."""
    assert forms.state(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("501", "00501"),
        ("2134", "02134"),
        ("94110.0", "94110"),
        ("2134-1234", "02134"),
        ("21341234", "02134"),
        ("123456", Dropped.NOT_A_POSTAL_CODE),
        ("12", Dropped.NOT_A_POSTAL_CODE),
        ("94110-123", Dropped.NOT_A_POSTAL_CODE),
        ("9411012345", Dropped.NOT_A_POSTAL_CODE),
        ("not available", Dropped.NOT_A_POSTAL_CODE),
    ],
)
def test_length_of_a_us_postal_code(text, code):
    """A code has five or nine digits, with lost leading zeros restored; no other is shortened."""
    assert forms.postal_code(text, "us", digits_only=False) == code


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("6D92078A-8246-4BA4-AE5B-76104861E7DC", "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
        ("6D92078A82464BA4AE5B76104861E7DC", "6d92078a82464ba4ae5b76104861e7dc"),
        ("(not set)", Dropped.NOT_A_MAID),
        ("jane@example.com", Dropped.NOT_A_MAID),
        ("6D92078A-8246-4BA4-AE5B", Dropped.NOT_A_MAID),
        ("0" * 32, Dropped.TRACKING_OFF),
        ("5d41402abc4b2a76b9719d911017c592", Dropped.UNMATCHABLE_DIGEST),
    ],
)
def test_only_an_id_is_a_maid(text, normal):
    """An advertising id has its form, with or without dashes; anything else is refused."""
    assert forms.maid(text) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("jane\uff20example.com", "jane@example.com"),
        ("\uff4a\uff41\uff4e\uff45\uff20example\uff0ecom", "jane@example.com"),
        ("jane@example\u3002com", "jane@example.com"),
        ("smtp:Jane@Example.com", "jane@example.com"),
        ("E-mail: jane@example.com", "jane@example.com"),
        ("Jane <mailto:jane@example.com?subject=x>", "jane@example.com"),
        ("jane@@example.com", Dropped.NOT_AN_EMAIL),
        ("jane at example.com", Dropped.NOT_AN_EMAIL),
        ("web:jane@example.com", Dropped.NOT_AN_EMAIL),
    ],
)
def test_email_as_keyboards_and_directories_write_it(text, normal):
    """Full-width characters become normal ones, and labels are not part of an address."""
    assert forms.email(text) == normal


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("p:+12025550134", "12025550134"),
        ("tel:+1-202-555-0134", "12025550134"),
        ("Phone : +1 202 555 0134", "12025550134"),
        ("+1 202 555 0134 (mobile)", "12025550134"),
        ("whatsapp:+12025550134", "12025550134"),
        ("'+12025550134", "12025550134"),
        ("+(44) 20 7946 0958", "442079460958"),
        ("+6834002", "6834002"),
        ("+1", Dropped.NOT_A_PHONE),
        ("+44", Dropped.NOT_A_PHONE),
        ("0044", Dropped.NOT_A_PHONE),
        ("order:12025550134", Dropped.NOT_A_PHONE),
        ("1-800-FLOWERS", Dropped.NOT_A_PHONE),
        ("+1 202 555 0134 (Jane)", Dropped.NOT_A_PHONE),
    ],
)
def test_phone_with_words_and_code_alone(text, digits):
    """Words for a phone are not part of its number, and a country code alone is not a phone."""
    assert forms.phone(text, None) == (digits, None)


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("D-10115", None, "10115"),
        ("D - 10115", "de", "10115"),
        ("DE 10115", "de", "10115"),
        ("S-111 22", "se", "11122"),
        ("CH-8001", None, "8001"),
        ("MA 02116", None, "02116"),
        ("US-02116", None, "02116"),
        ("LV-1010", "lv", "lv1010"),
        ("NL-1012 AB", "nl", "nl1012ab"),
        ("XX-10115", None, "xx10115"),
        ("D02 AF30", "ie", "d02af30"),
        ("SW1A 1AA", "gb", "sw1a1aa"),
    ],
)
def test_postal_code_with_its_country(text, region, code):
    """A country or state before a numeric code is removed, unless it is part of every code."""
    assert forms.postal_code(text, region, digits_only=False) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("us_ca", "ca"),
        ("CA, USA", "ca"),
        ("California, US", "ca"),
        ("Ontario, Canada", "on"),
        ("Ontario, CA", "ontario,ca"),  # the province, or the city in California
        ("CA, Canada", "ca,canada"),
        ("Bayern, Germany", "bayern,germany"),
        ("--", Dropped.EMPTY),
        ("?", Dropped.EMPTY),
    ],
)
def test_state_with_its_country(text, code):
    """A state before its own country is its code; punctuation alone is not a state."""
    assert forms.state(text) == code


@pytest.mark.parametrize("text", [".", "-", "--", "???", "*", "\U0001f600", "\u3000."])
def test_name_of_signs_only(text):
    """Punctuation that people enter for a required name is not a name."""
    assert forms.name(text) is Dropped.EMPTY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Deutschland", "de"),
        ("ESPAÑA", "es"),
        ("Österreich", "at"),
        ("Belgique", "be"),
        ("Brasil", "br"),
        ("Ελλάδα", "gr"),
        ("Россия", "ru"),
        ("\u65e5\u672c", "jp"),
        ("대한민국", "kr"),
        ("EL", "gr"),
        ("Deutschland (DE)", "de"),
        ("Allemagne", Dropped.UNKNOWN_COUNTRY),
        ("en-US", Dropped.UNKNOWN_COUNTRY),
        ("840", Dropped.UNKNOWN_COUNTRY),  # ISO 3166, or a shop's own number
    ],
)
def test_country_in_its_own_language(text, code):
    """A country is known by its name in other languages; a language or a number is not enough."""
    assert forms.country(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("€", "EUR"), ("US$", "USD"), ("R$", "BRL"), ("zł", "PLN"), ("₹", "INR"), (" € ", "EUR")],
)
def test_currency_by_a_sign_of_its_own(text, code):
    """A symbol of a single currency is that currency."""
    assert forms.currency(text) == code


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9/32", "203.0.113.9"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("203.0.113.0/24", Dropped.NOT_AN_IP_ADDRESS),
        ("224.0.0.1", Dropped.NOT_AN_IP_ADDRESS),
        ("255.255.255.255", Dropped.NOT_AN_IP_ADDRESS),
        ("ff02::1", Dropped.NOT_AN_IP_ADDRESS),
        ("255.255.255.255, 203.0.113.9", "203.0.113.9"),
        ("223.255.255.9", "223.255.255.9"),
    ],
)
def test_ip_address_of_one_machine(text, address):
    """A network of one address is that address; larger ones and those of no host are refused."""
    assert forms.ip_address(text) == address


@pytest.mark.parametrize("around", ["'{}'", '"{}"', "['{}']", "{{{}}}"])
def test_maid_in_quotes(around):
    """Quotes and brackets are not part of an advertising id."""
    written = around.format("2F3A1C9E-0B7D-4F6A-9C55-1E2D3C4B5A69")
    assert list(map(forms.maid, forms.split_maids(written))) == [
        "2f3a1c9e-0b7d-4f6a-9c55-1e2d3c4b5a69"
    ]
