"""The address of a page, and the click id, as people map them."""

import pytest
from test_warnings import Bench

from target_pinterest_capi.events.page_addresses import click_id

PAGE, CLICK = "event_source_url", "user_data.click_id"


@pytest.mark.parametrize(
    ("address", "is_full"),
    [
        ("https://shop.example.com/p/1", True),
        ("http://shop.example.com", True),
        ("HTTPS://shop.example.com/p/1", True),
        ("shop+app-1.0://product/1", True),
        ("/p/1", False),
        ("p/1", False),
        ("//shop.example.com/p/1", False),
        ("shop.example.com/p/1", False),
        ("/go?to=https://shop.example.com", False),
        ("https://", False),
    ],
)
def test_partial_address_is_sent_and_counted(address: str, is_full: bool):
    """An address without scheme or host is sent as it is, with a warning."""
    bench = Bench()
    assert bench.event(**{PAGE: address})[PAGE] == address
    assert bench.notes == ({} if is_full else {(PAGE, "partial_address"): 1})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("dj0yJnU9", "dj0yJnU9"),
        (" dj0yJnU9== ", "dj0yJnU9=="),
        ("_epik=dj0yJnU9; cart=1", "dj0yJnU9"),
        ('cart=1; _epik="dj0yJnU9"', "dj0yJnU9"),
        ("Cookie: _epik=dj0yJnU9", "dj0yJnU9"),
        ("epik=dj0yJnU9", "dj0yJnU9"),
        ("?utm_source=pinterest&epik=dj0yJnU9%3D#top", "dj0yJnU9="),
        ("https://shop.example.com/p?epik=dj0yJnU9", "dj0yJnU9"),
        ("_epik=dj0yJnU9; _epik=dj0yJnU9", "dj0yJnU9"),
        ("_epik=dj0yJnU9; _epik=dj0yOTHER", None),
        ("_epik=; cart=1", None),
        ("cart=1; session=2", None),
        ("not_epik=dj0yJnU9", None),
        ("epik=a%3Db", None),
    ],
)
def test_click_id_in_cookies_and_addresses(given: str, expected: str | None):
    """The one click id in them is read; without one, or with two, the value is dropped."""
    bench = Bench()
    assert bench.event(**{CLICK: given})["user_data"].get("click_id") == expected
    assert bench.notes == ({} if expected else {(CLICK, "not_a_click_id"): 1})
    if expected:
        assert click_id(expected) == expected
