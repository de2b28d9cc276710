"""The builder of events as an interpreter: no generated code, no fast path, no cache.

It implements the rules of an event a second time, one field after the other, so that tests can
compare the generated function with it. It shares only the converters.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.builder import Result
from target_pinterest_capi.events.build.converters import Converters, Note, Options
from target_pinterest_capi.events.build.plan import NOW, EventPlan
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.event import (
    Account,
    Event,
    InvalidRecord,
    SkippedRecord,
    encode,
)
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, FIELDS
from target_pinterest_capi.events.keys import derive_event_id, read_key
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned
from target_pinterest_capi.events.traits import traits_of
from target_pinterest_capi.events.warnings import SAMPLED, user_agent_warning

REQUIRED = ("event_name", "action_source", "event_time", "event_id")
HOUR = 3600
DAY = 24 * HOUR


def statistics(event: dict[str, Any], has_derived_id: bool) -> dict[str, Any]:
    """Return what an event says of itself for a report."""
    custom = event.get("custom_data", {})
    has = [any(has_field(event, path) for path in component.fields) for component in COMPONENTS]
    traits = traits_of[event["action_source"], custom.get("currency"), has_derived_id, *has]
    return {"traits": traits, "value": custom.get("value")}


def has_field(event: dict[str, Any], path: str) -> bool:
    """Return whether an event has a field; of items, whether one has an id."""
    parent, _, leaf = path.rpartition(".")
    found = (event.get(parent, {}) if parent else event).get(leaf)
    return (
        any(item.id is not None for item in found or ())
        if leaf == "contents"
        else found is not None
    )


class NoEventError(Exception):
    """The record does not become an event; `result` is its result instead."""

    def __init__(self, result: InvalidRecord | SkippedRecord) -> None:
        super().__init__(result.reason)
        self.result = result


class Oracle:
    """Builds the events of a plan, one field after the other."""

    def __init__(
        self, plan: EventPlan, options: Options, note: Note, now: Callable[[], float]
    ) -> None:
        self.plan = plan
        self.options = options
        self.note = note
        self.now = now
        self.converters = Converters(options, note)
        self.customers = 0

    def build(self, account: Account, record: Mapping[str, Any]) -> Result:
        """Return what the generated function should return."""
        try:
            for condition in self.plan.conditions:
                value = condition.get(record)
                if value is None or value is False or value in ("", [], {}):
                    return SkippedRecord(self.plan.origin, Skipped.WHEN)
            return self._event(account, record)
        except NoEventError as error:
            return error.result

    def _event(self, account: Account, record: Mapping[str, Any]) -> Event:
        raw = {"event_name": self._read("event_name", record)}
        event: dict[str, Any] = {"event_name": self._name(raw, record)}
        raw["action_source"] = self._read("action_source", record)
        event["action_source"] = self._convert("action_source", raw["action_source"])
        if event["action_source"] is None:
            raise self._missing("action_source", raw, record)
        event["event_time"] = None  # keeps its place: an id comes first
        raw["event_id"] = self._read("event_id", record)
        event["event_id"] = self._convert("event_id", raw["event_id"])
        key: Any = self._key(record)
        has_derived_id = event["event_id"] is None
        if has_derived_id:
            event["event_id"] = self._derived_id(raw, record, account, event["event_name"])
        elif self._key_is_the_id(raw["event_id"], record):
            key = self.plan.key_properties[0]
        identity = (account, event["event_name"], event["event_id"])
        raw["event_time"] = self._read("event_time", record)
        event["event_time"] = self._time(raw, record, identity)
        event |= self._members("", record)
        event["user_data"] = self._members("user_data", record, self._region(record))
        self._derive_from_url(event)
        if not identified(event["user_data"]):
            raise self._invalid(Invalid.NO_IDENTIFIER, "user_data", record)
        self._check_customer(event["user_data"])
        custom = self._members("custom_data", record)
        self._derive_from_contents(custom)
        self._check_value(custom)
        self._check_limited(custom, event["user_data"])
        if custom:
            event["custom_data"] = custom
        for name in ("app_info", "device_info"):
            if members := self._members(name, record):
                event[name] = members
        return Event(
            body=encode(event),
            account=account,
            origin=self.plan.origin,
            name=event["event_name"],
            id=event["event_id"],
            deduplicable=event["action_source"] != "offline",
            time=event["event_time"],
            key=key,
            **(statistics(event, has_derived_id) if self.options.has_statistics else {}),
        )

    def _read(self, path: str, record: Mapping[str, Any]) -> Any:
        field = self.plan.fields.get(path)
        return None if field is None else field.get(record)

    def _convert(self, path: str, value: Any, *region: str | None) -> Any:
        return None if value is None else self.converters.convert(BY_PATH[path])(value, *region)

    def _members(
        self, parent: str, record: Mapping[str, Any], region: str | None = None
    ) -> dict[str, Any]:
        members = {}
        for field in FIELDS:
            if field.parent == parent and field.path not in REQUIRED:
                regional = field.form in ("phone", "postal_code")
                value = self._read(field.path, record)
                value = self._convert(field.path, value, *([region] if regional else []))
                if value is not None:
                    members[field.leaf] = value
        return members

    def _region(self, record: Mapping[str, Any]) -> str | None:
        """Return the country for phones and postal codes, if they are mapped."""
        region = self.options.default_country
        if self.plan.fields.keys() & {"user_data.ph", "user_data.zp"}:
            value = self._read("user_data.country", record)
            if value is not None:
                region = self.converters.region(value) or region
        return region

    # What is required

    def _name(self, raw: dict[str, Any], record: Mapping[str, Any]) -> str:
        name = self._convert("event_name", raw["event_name"])
        names = self.plan.event_names
        if names is not None:
            given, spelling = name, self._spelling(name or "", names)
            name = self.plan.fallback_name or (given if self.plan.sends_unlisted else None)
            if spelling is not None:
                name = names[spelling]
            if name is None and given is not None:
                is_known = given in {*EVENT_NAMES, *self.plan.known_names}
                shown = spelling or (given if is_known else None)
                raise NoEventError(SkippedRecord(self.plan.origin, Skipped.NOT_LISTED, shown))
        if name is None:
            raise self._missing("event_name", raw, record)
        return str(name)

    def _spelling(self, given: str, names: Mapping[str, str | None]) -> str | None:
        """Return the listed spelling of a name: its own, or the first equivalent one."""
        if given in names:
            return given
        same = [name for name in names if name.casefold().split() == given.casefold().split()]
        return same[0] if same else None

    def _time(
        self, raw: dict[str, Any], record: Mapping[str, Any], identity: tuple[Account, str, str]
    ) -> int:
        value, now = raw["event_time"], self.now()
        if value is NOW:
            return int(now)
        seconds = self._convert("event_time", value)
        if not isinstance(seconds, int):
            raise self._missing("event_time", raw, record)
        if seconds > now + HOUR:
            raise self._invalid(Invalid.EVENT_IN_FUTURE, "event_time", record)
        days = self.options.max_event_age_days
        if days is not None and seconds < now - days * DAY:
            raise self._invalid(Invalid.EVENT_TOO_OLD, "event_time", record, repeat_of=identity)
        return seconds

    def _derived_id(
        self, raw: dict[str, Any], record: Mapping[str, Any], account: Account, name: str
    ) -> str:
        plan = self.plan
        if "event_id" in plan.underived:
            raise self._missing("event_id", raw, record)
        derived = derive_event_id(
            record, plan.key_properties, account.ad_account_id, name, plan.origin.stream
        )
        if derived is None:
            raise self._invalid(Invalid.MISSING_KEY, "event_id", record)
        return derived

    def _missing(self, path: str, raw: dict[str, Any], record: Mapping[str, Any]) -> NoEventError:
        if raw[path] is None or coerce.is_nothing(raw[path]):
            return self._invalid(Invalid.MISSING_FIELD, path, record)
        reasons: list[str] = []
        converters = Converters(self.options, lambda _, reason: reasons.append(reason))
        converters.convert(BY_PATH[path])(raw[path])
        unusable = [reason for reason in reasons if reason in [*Dropped]]
        detail = unusable[0] if unusable else None
        return self._invalid(Invalid.BAD_FIELD, path, record, detail=detail)

    def _invalid(
        self, reason: Invalid, path: str, record: Mapping[str, Any], **more: Any
    ) -> NoEventError:
        key = self._key(record)
        return NoEventError(InvalidRecord(self.plan.origin, reason, path, key=key, **more))

    def _key(self, record: Mapping[str, Any]) -> dict[str, str] | None:
        return read_key(record, self.plan.key_properties, plain=self.options.plain_keys)

    def _key_is_the_id(self, raw_id: Any, record: Mapping[str, Any]) -> bool:
        if len(self.plan.key_properties) != 1 or self.options.plain_keys:
            return False
        return raw_id is record.get(self.plan.key_properties[0])

    # What is derived, and checked of the whole

    def _derive_from_url(self, event: dict[str, Any]) -> None:
        url, customer = event.get("event_source_url"), event["user_data"]
        if url is None:
            return
        if "user_data.click_id" not in self.plan.underived and "click_id" not in customer:
            click_id = query_parameter(url, "epik")
            if click_id:
                customer["click_id"] = click_id
        if self.options.drop_url_query:
            event["event_source_url"] = url.partition("#")[0].partition("?")[0]

    def _derive_from_contents(self, custom: dict[str, Any]) -> None:
        contents = custom.get("contents", [])
        derived = {
            "content_ids": list(dict.fromkeys(item.id for item in contents if item.id is not None)),
            "num_items": sum(1 if item.quantity is None else item.quantity for item in contents),
        }
        for leaf, value in derived.items():
            wanted = f"custom_data.{leaf}" not in self.plan.underived and leaf not in custom
            if contents and wanted and value != []:
                custom[leaf] = value

    def _check_customer(self, customer: dict[str, Any]) -> None:
        """Warn about values; repeated identifiers, which only many events show, are not covered."""
        agent = customer.get("client_user_agent")
        if agent is not None and (warning := user_agent_warning(agent)):
            self.note("user_data.client_user_agent", warning)
        is_examined = self.customers % SAMPLED == 0
        self.customers += 1
        if is_examined and "fn" in customer and customer["fn"] == customer.get("ln"):
            self.note("user_data.ln", Warned.SAME_NAMES)

    def _check_value(self, custom: dict[str, Any]) -> None:
        if "value" not in custom:
            return
        if Decimal(custom["value"]) <= 0:
            self.note("custom_data.value", Warned.VALUE_NOT_POSITIVE)
        elif Decimal(custom["value"]) >= 10**9:
            self.note("custom_data.value", Warned.VALUE_UNUSUALLY_HIGH)
        if "currency" not in custom:
            self.note("custom_data.currency", Warned.NO_CURRENCY)

    def _check_limited(self, custom: dict[str, Any], customer: dict[str, Any]) -> None:
        if "opt_out_type" not in custom:
            return
        if custom["opt_out_type"].upper() != "LDP":
            self.note("custom_data.opt_out_type", Warned.UNKNOWN_OPT_OUT_TYPE)
            return
        custom["opt_out_type"] = "LDP"
        if not {"st", "country"} <= customer.keys():
            self.note("custom_data.opt_out_type", Warned.LDP_INCOMPLETE)
        elif sha256(b"us").hexdigest() not in customer["country"]:
            self.note("custom_data.opt_out_type", Warned.LDP_WITHOUT_EFFECT)


def identified(customer: Mapping[str, Any]) -> bool:
    """Return whether Pinterest can match the customer: docs/pinterest-api.md, The event."""
    return (
        "em" in customer
        or "hashed_maids" in customer
        or {"client_ip_address", "client_user_agent"} <= customer.keys()
    )


def query_parameter(url: str, name: str) -> str | None:
    """Return the first value of a query parameter, also where no `?` begins the query."""
    if f"{name}=" not in url:
        return None
    path, mark, query = url.partition("#")[0].partition("?")
    pairs = parse_qsl(query if mark else path)
    return dict(reversed(pairs)).get(name)
