"""Built-in mapping entries: YAML files in the users' own form.

Preset `pinterest` has none: it is made of a stream's columns.
"""

from collections.abc import Collection
from functools import cache
from importlib import resources
from typing import Final

from target_pinterest_capi.mapping import flat_columns
from target_pinterest_capi.settings import MappingEntry, parse_mapping

PINTEREST: Final = "pinterest"


def load(
    name: str, stream_columns: Collection[str], members: flat_columns.Members | None = None
) -> MappingEntry:
    """Return a preset as a mapping entry, checked as a user's own entry would be.

    `members` are those that the stream's objects are known to have.
    """
    if name == PINTEREST:
        return MappingEntry(stream="*", fields=flat_columns.entry_fields(stream_columns, members))
    return _load(name)


def text(name: str) -> str:
    """Return a preset's YAML, to be shown and copied."""
    return resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


@cache
def _load(name: str) -> MappingEntry:
    import yaml  # noqa: PLC0415 - takes 40 ms, and preset pinterest needs none

    return parse_mapping(yaml.safe_load(text(name)), f"preset {name}")
