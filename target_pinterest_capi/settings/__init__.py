"""All settings: the model, its sources and checks, and what is generated from it.

Every problem of a configuration is reported at once, in messages without given values, and no
secret is in an error or a repr. Never reads a record, a clock or the network.
"""

from target_pinterest_capi.settings.json_schema import sdk_schema
from target_pinterest_capi.settings.loading import (
    Purpose,
    collect,
    load,
    load_config,
    load_files,
    parse_mapping,
)
from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.objects import CustomerListEntry, MappingEntry, OAuth
from target_pinterest_capi.settings.problems import ConfigurationError, Problem
from target_pinterest_capi.settings.reference import (
    environment_example,
    mapping_table,
    meltano_settings,
    settings_groups,
    settings_table,
)
from target_pinterest_capi.settings.sources import read_files
from target_pinterest_capi.settings.variables import (
    ENVIRONMENT_PREFIX,
    environment,
    read_environment,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "ConfigurationError",
    "CustomerListEntry",
    "MappingEntry",
    "OAuth",
    "Problem",
    "Purpose",
    "Settings",
    "collect",
    "environment",
    "environment_example",
    "load",
    "load_config",
    "load_files",
    "mapping_table",
    "meltano_settings",
    "parse_mapping",
    "read_environment",
    "read_files",
    "sdk_schema",
    "settings_groups",
    "settings_table",
]
