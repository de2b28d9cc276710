"""The unchanged SDK, with a sink that does nothing.

It is the minimum cost of a target built on its defaults.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from singer_sdk import Target
from singer_sdk.sinks import BatchSink


class NullSink(BatchSink):
    """Receives batches of 1,000 records and does nothing."""

    MAX_SIZE_DEFAULT = 1000

    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing with the batch."""


class NullTarget(Target):
    """A target with the SDK's defaults only."""

    name = "target-null"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    default_sink_class = NullSink


if __name__ == "__main__":
    NullTarget.cli()
