"""A tap built with Meltano's SDK: orders as RECORD messages, or as files of BATCH messages.

Its configuration decides, as in every tap of the SDK: `batch_config`. The SDK writes JSON lines and
parquet; arrow, which some taps send, is added here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.helpers._batch import BatchConfig

ORDERS: Final = 250
PLACED_AT: Final = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def order(number: int) -> dict[str, Any]:
    """Return an order with values as they are in databases and shops."""
    return {
        "id": number,
        "event_name": "checkout",
        "event_time": PLACED_AT.isoformat(),
        "action_source": "web",
        "em": [f" Buyer.{number}@Example.com", None],
        "ph": "+44 (0) 20 7946 0958" if number % 2 else None,
        "db": "1990-04-23",
        "fn": "Zoë" if number % 3 else "N/A",
        "opt_out": number % 5 == 0,
        "value": Decimal("19.90") + number,
        "currency": "eur",
        "num_items": 2,
        "predicted_ltv": 0.1 + 0.2,
        "contents": [{"id": f"sku-{number}", "item_price": 9.95, "quantity": 2}],
        "user_data": {"client_ip_address": "203.0.113.9", "client_user_agent": "Mozilla/5.0"},
    }


class Orders(Stream):
    """The stream of orders."""

    name = "orders"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("event_name", th.StringType),
        th.Property("event_time", th.DateTimeType),
        th.Property("action_source", th.StringType),
        th.Property("em", th.ArrayType(th.StringType)),
        th.Property("ph", th.StringType),
        th.Property("db", th.DateType),
        th.Property("fn", th.StringType),
        th.Property("opt_out", th.BooleanType),
        th.Property("value", th.NumberType),
        th.Property("currency", th.StringType),
        th.Property("num_items", th.IntegerType),
        th.Property("predicted_ltv", th.NumberType),
        th.Property(
            "contents",
            th.ArrayType(
                th.ObjectType(
                    th.Property("id", th.StringType),
                    th.Property("item_price", th.NumberType),
                    th.Property("quantity", th.IntegerType),
                )
            ),
        ),
        th.Property(
            "user_data",
            th.ObjectType(
                th.Property("client_ip_address", th.StringType),
                th.Property("client_user_agent", th.StringType),
            ),
        ),
    ).to_dict()

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's
        """Yield every order."""
        yield from map(order, range(ORDERS))

    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """Return how to send batches; `arrow_batches` is for the encoding that the SDK refuses."""
        raw = config.get("arrow_batches") or config.get("batch_config")
        return BatchConfig.from_dict(raw) if raw else None

    def get_batches(self, batch_config: Any, context: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield the SDK's files, or one arrow file."""
        if batch_config.encoding.format != "arrow":
            yield from super().get_batches(batch_config, context)
            return
        import pyarrow as pa

        table = pa.Table.from_pylist(list(self._sync_records(context, write_messages=False)))
        name = f"{uuid4()}.arrow"
        with (
            batch_config.storage.open(name, "wb") as file,
            pa.ipc.new_file(file, table.schema) as writer,
        ):
            writer.write_table(table)
        yield batch_config.encoding, [batch_config.storage.get_url(name)]


class BatchTap(Tap):
    """The tap."""

    name = "tap-batches"
    config_jsonschema = th.PropertiesList(th.Property("arrow_batches", th.ObjectType())).to_dict()

    def discover_streams(self) -> list[Stream]:
        """Return the one stream."""
        return [Orders(self)]


if __name__ == "__main__":
    BatchTap.cli()
