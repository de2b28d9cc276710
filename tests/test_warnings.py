"""Warnings: values that are sent unchanged, and counted with advice, since they may be wrong."""

import json
from collections import Counter
from datetime import UTC

import pytest

from shopper import digest
from target_pinterest_capi.events.build.builder import compile_builder
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.plan import EventPlan, FieldPlan
from target_pinterest_capi.events.event import Account, Event, Origin
from target_pinterest_capi.events.fields import BY_PATH
from target_pinterest_capi.events.reasons import Warned
from target_pinterest_capi.events.warnings import COUNTERS, FEWEST, SAMPLED

AT = 1_780_000_000
BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
)
NEEDED = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": AT,
    "event_id": "o-1",
    "user_data.em": "shopper@example.com",
}
VALUE, CURRENCY = "custom_data.value", "custom_data.currency"
ADDRESS, AGENT = "user_data.client_ip_address", "user_data.client_user_agent"
OPT_OUT = "custom_data.opt_out_type"
IN_CALIFORNIA = {"user_data.st": "CA", "user_data.country": "US"}


class Bench:
    """A builder of every field, and its notes."""

    def __init__(self, *, in_plain=False):
        self.notes = Counter()
        fields = {
            path: FieldPlan(lambda record, path=path: record.get(path), path) for path in BY_PATH
        }
        self._build = compile_builder(
            EventPlan(Origin("s", "m"), fields),
            Options(zone=UTC, in_plain=in_plain),
            lambda field, reason: self.notes.update([(field, str(reason))]),
            lambda: AT,
        ).of_record

    def event(self, **columns):
        made = self._build(Account("1", "t"), {**NEEDED, **columns})
        assert isinstance(made, Event)
        return json.loads(made.body)


@pytest.mark.parametrize(
    ("columns", "field", "warning"),
    [
        ({VALUE: 0, CURRENCY: "EUR"}, VALUE, Warned.VALUE_NOT_POSITIVE),
        ({VALUE: "0.00", CURRENCY: "EUR"}, VALUE, Warned.VALUE_NOT_POSITIVE),
        ({VALUE: -5, CURRENCY: "EUR"}, VALUE, Warned.VALUE_NOT_POSITIVE),
        ({VALUE: "-0.01", CURRENCY: "EUR"}, VALUE, Warned.VALUE_NOT_POSITIVE),
        ({VALUE: "0.01", CURRENCY: "EUR"}, VALUE, None),
        ({VALUE: "999999999.99", CURRENCY: "EUR"}, VALUE, None),
        ({VALUE: 10**9, CURRENCY: "EUR"}, VALUE, Warned.VALUE_UNUSUALLY_HIGH),
        ({VALUE: "1000000000.00", CURRENCY: "EUR"}, VALUE, Warned.VALUE_UNUSUALLY_HIGH),
        ({VALUE: "9.90"}, CURRENCY, Warned.NO_CURRENCY),
        ({CURRENCY: "EUR"}, CURRENCY, None),
        ({ADDRESS: "10.0.0.5", AGENT: BROWSER}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "127.0.0.1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "192.168.1.1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "172.31.255.1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "172.32.0.1"}, ADDRESS, None),
        ({ADDRESS: "100.64.0.1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "100.128.0.1"}, ADDRESS, None),
        ({ADDRESS: "169.254.1.1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "::1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "fd00::1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "fe80::1"}, ADDRESS, Warned.PRIVATE_ADDRESS),
        ({ADDRESS: "192.0.2.7"}, ADDRESS, None),
        ({ADDRESS: "2001:db8::1"}, ADDRESS, None),
        ({AGENT: BROWSER}, AGENT, None),
        ({AGENT: "CUBOT/1.0 (Android 14)"}, AGENT, None),
        ({AGENT: "Mozilla/5.0 (compatible; Googlebot/2.1)"}, AGENT, Warned.BOT_USER_AGENT),
        ({AGENT: "Mozilla/5.0 HeadlessChrome/130.0"}, AGENT, Warned.BOT_USER_AGENT),
        ({AGENT: "python-requests/2.32"}, AGENT, Warned.BOT_USER_AGENT),
        ({AGENT: "curl/8.5"}, AGENT, Warned.BOT_USER_AGENT),
        ({AGENT: "Chrome"}, AGENT, Warned.IMPOSSIBLE_USER_AGENT),
        ({AGENT: "true"}, AGENT, Warned.IMPOSSIBLE_USER_AGENT),
        ({OPT_OUT: "LDP", **IN_CALIFORNIA}, OPT_OUT, None),
        ({OPT_OUT: "ldp", **IN_CALIFORNIA}, OPT_OUT, None),
        ({OPT_OUT: "LDP"}, OPT_OUT, Warned.LDP_INCOMPLETE),
        ({OPT_OUT: "ldp", "user_data.st": "BE", "user_data.country": "DE"}, OPT_OUT, Warned.LDP_WITHOUT_EFFECT),
        ({OPT_OUT: "XYZ", **IN_CALIFORNIA}, OPT_OUT, Warned.UNKNOWN_OPT_OUT_TYPE),
        ({OPT_OUT: "LDP,GDPR", **IN_CALIFORNIA}, OPT_OUT, Warned.UNKNOWN_OPT_OUT_TYPE),
    ],
    ids=lambda value: str(value)[-60:],
)  # fmt: skip
@pytest.mark.parametrize("in_plain", [False, True], ids=["hashed", "plain"])
def test_the_value_is_sent_and_counted(columns, field, warning, in_plain):
    """Nothing is dropped: the value is sent, and its warning is counted under its field.

    A preview with plain values warns as a run does.
    """
    bench = Bench(in_plain=in_plain)
    event = bench.event(**columns)
    for path in columns.keys() & {VALUE, ADDRESS, AGENT}:
        parent, leaf = path.split(".")
        assert leaf in event[parent] or path == VALUE
    assert bench.notes == ({(field, str(warning)): 1} if warning else {})


@pytest.mark.parametrize("given", ["LDP", "ldp", " Ldp "])
def test_ldp_is_sent_in_capitals(given):
    """Pinterest processes exactly LDP, so it is written that way in other cases."""
    event = Bench().event(**{OPT_OUT: given, **IN_CALIFORNIA})
    assert event["custom_data"]["opt_out_type"] == "LDP"


REPEATED = ("user_data.em", "repeated_identifier")


def test_an_identifier_on_a_large_share_of_events_is_counted():
    """A hard-coded test address is found among other people's, whatever their number."""
    bench = Bench()
    for number in range(SAMPLED * FEWEST * 4):
        is_test = number // SAMPLED % 3 == 0
        mail = "test@example.com" if is_test else f"shopper{number}@example.com"
        bench.event(**{"user_data.em": mail})
    assert bench.notes[REPEATED] > FEWEST / 2
    assert set(bench.notes) == {REPEATED}


@pytest.mark.parametrize(
    ("address", "warning"),
    [("192.0.2.7", "repeated_identifier"), ("2001:db8::1", "repeated_identifier"),
     ("10.0.0.5", None)],
)  # fmt: skip
def test_an_address_of_a_server_is_found(address, warning):
    """A public IP address on a large share of events is counted; a private one is already."""
    bench = Bench()
    for number in range(SAMPLED * FEWEST * 2):
        is_server = number // SAMPLED % 3 == 0
        mail = f"shopper{number}@example.com"
        other = f"2001:db8::{number + 2:x}"
        bench.event(**{"user_data.em": mail, ADDRESS: address if is_server else other})
    assert {reason for _, reason in bench.notes} == {warning or str(Warned.PRIVATE_ADDRESS)}


FIRST, LAST = "user_data.fn", "user_data.ln"


@pytest.mark.parametrize(
    ("first", "last", "is_same"),
    [
        ("Jane Doe", "Jane Doe", True),
        ("Jane Doe", " jane doe ", True),
        ("Jane", "Doe", False),
        ("Jane", None, False),
        (None, "Doe", False),
        (None, None, False),
    ],
)
def test_one_name_in_both_fields_is_counted(first, last, is_same):
    """A full name as first and last name matches nobody; the first event is examined already."""
    bench = Bench()
    event = bench.event(**{FIRST: first, LAST: last})
    assert bench.notes == ({(LAST, "same_names"): 1} if is_same else {})
    assert ("fn" in event["user_data"], "ln" in event["user_data"]) == (bool(first), bool(last))


def test_usual_customers_are_no_repeated_identifier():
    """People with several events each, and a few events of one person, are normal."""
    bench = Bench()
    for number in range(SAMPLED * FEWEST * 4):
        bench.event(**{"user_data.em": f"shopper{number // SAMPLED % 10}@example.com"})
    for _ in range(SAMPLED * FEWEST - 1):
        Bench().event()
    assert bench.notes == {}


def test_counting_identifiers_is_bounded():
    """However many people come, a limited number of digests is kept, and no plain identifier."""
    bench = Bench()
    rules = bench._build.__globals__["look_at"].__self__
    for number in range(SAMPLED * 1000):
        bench.event(**{"user_data.em": f"shopper{number}@example.com"})
    kept = dict(rules._shares)["em"]._counts
    assert len(kept) <= COUNTERS
    assert all(len(identifier) == len(digest("")) for identifier in kept)
