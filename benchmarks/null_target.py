"""The SDK as it comes, into a sink that does nothing.

It is the least that a target built on its defaults costs.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from singer_sdk import Target
from singer_sdk.sinks import BatchSink


class NullSink(BatchSink):
    """Takes batches of 1,000 records and lets them go."""

    MAX_SIZE_DEFAULT = 1000

    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing with the batch."""


class NullTarget(Target):
    """A target with the SDK's defaults in every place."""

    name = "target-null"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    default_sink_class = NullSink


if __name__ == "__main__":
    NullTarget.cli()
