"""Configurations that tests of the settings vary, and what is wrong with one."""

import pytest

from given import ACCOUNT, TOKEN
from target_pinterest_capi.settings import ConfigurationError, load

MINIMAL = {"ad_account_id": ACCOUNT, "conversion_token": TOKEN}


def problems_of(raw, **options):
    """`{path: message}` of a configuration that must be refused."""
    with pytest.raises(ConfigurationError) as raised:
        load(raw, **options)
    problems = {problem.path: problem.message for problem in raised.value.problems}
    assert len(problems) == len(raised.value.problems), "two problems have one path"
    return problems


def entry_with(**members):
    """A configuration with one mapping entry."""
    return {**MINIMAL, "mappings": [{"stream": "orders", **members}]}


def problems_or_none(configuration):
    """The problems of a configuration, or None if there are none."""
    try:
        load(configuration)
    except ConfigurationError as error:
        return error.problems
    return None
