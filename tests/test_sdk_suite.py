"""The SDK's own target tests, against the sandbox: their records are not conversions."""

from collections.abc import Iterator
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_target_test_class
from singer_sdk.testing.suites import target_tests
from singer_sdk.testing.target_tests import TargetInvalidSchemaTest, TargetRecordMissingKeyProperty

from given import ACCOUNT, TOKEN
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.target import TargetPinterestCapi

EXCLUDED = (
    # A record without its key property must raise there; here it is a dead letter.
    TargetRecordMissingKeyProperty,
    # A schema without `properties` must raise there; taps of document stores send it, and here
    # columns are seen on records.
    TargetInvalidSchemaTest,
)
target_tests.tests = [test for test in target_tests.tests if test not in EXCLUDED]

_running = Sandbox()
_running.__enter__()

StandardTests: Any = get_target_test_class(
    TargetPinterestCapi,
    config={
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "api_url": _running.url,
        "dead_letter_path": "memory://suite",
    },
    suite_config=SuiteConfig(),
)


@pytest.fixture(scope="module", autouse=True)
def _stop() -> Iterator[None]:
    yield
    _running.__exit__(None, None, None)


class TestTargetPinterestCapi(StandardTests):
    """Every test of the SDK's suite except those excluded above."""
