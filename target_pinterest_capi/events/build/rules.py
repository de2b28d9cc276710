"""The rules for an event: what Pinterest requires, and what can be derived.

The generated function handles the common values itself and calls this module for all others.
"""

from collections.abc import Mapping
from typing import Any, Final

from target_pinterest_capi.events import coerce, keys, warnings
from target_pinterest_capi.events.build.converters import Converters, Note, Options
from target_pinterest_capi.events.build.normal_forms import LONGEST_AGENT, BoundedCache
from target_pinterest_capi.events.build.plan import NOW, EventPlan, Record, name_key
from target_pinterest_capi.events.build.value_check import drop_reasons
from target_pinterest_capi.events.event import Account, InvalidRecord, SkippedRecord
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES
from target_pinterest_capi.events.page_addresses import PARAMETER, query_values
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned

REQUIRED: Final[tuple[str, ...]] = ("event_name", "action_source", "event_time", "event_id")
FUTURE_SECONDS: Final = 3600
DERIVABLE: Final = (
    "event_id",
    "user_data.click_id",
    "custom_data.content_ids",
    "custom_data.num_items",
)

Object = dict[str, Any]


class EventRules:
    """The rules for the events of one plan.

    A method about a required field returns the field's value, or the record's result without it.
    `key` is a record, or another mapping with its key properties.
    """

    def __init__(
        self, plan: EventPlan, options: Options, note: Note, converters: Converters
    ) -> None:
        self.unmet: Final = SkippedRecord(plan.origin, Skipped.WHEN)
        self.derived: Final = frozenset(DERIVABLE) - plan.underived
        self._derives_ids = "custom_data.content_ids" in self.derived
        self._derives_number = "custom_data.num_items" in self.derived
        self._plan = plan
        self._options = options
        self._note = note
        self._convert = {path: converters.convert(BY_PATH[path]) for path in REQUIRED}
        self._listed = {name_key(name): name for name in reversed(tuple(plan.event_names or ()))}
        self._null_words = converters.null_words.spellings
        days = options.max_event_age_days
        self.repeated: Final = warnings.RepeatedIdentifiers(note)
        self.agents: Final = BoundedCache(_agent_warning, longest=LONGEST_AGENT)
        self.oldest_seconds = float("inf") if days is None else days * coerce.DAY_SECONDS

    @staticmethod
    def is_false(value: Any) -> bool:
        """Return whether the value of a condition is false: null, false, or empty; 0 is true."""
        return value is None or value is False or value in ("", [], {})

    # Required fields

    def event_name(self, value: Any, key: Record) -> str | InvalidRecord | SkippedRecord:
        """Return the name that the event is sent with: translated if the plan has names."""
        name: str | None = self._converted("event_name", value)
        if self._plan.event_names is not None:
            if name is not None:
                return self._listed_event(name, self._plan.event_names)
            name = self._plan.event_names.get("", self._plan.fallback_name)
        return self._without("event_name", value, key) if name is None else name

    def _listed_event(self, given: str, names: Mapping[str, str | None]) -> str | SkippedRecord:
        """Return the listed translation of a name: of the exact one, or one in any case."""
        listed = given if given in names else self._listed.get(name_key(given))
        if listed is not None:
            name = names[listed]
        else:
            name = self._plan.fallback_name or (given if self._plan.sends_unlisted else None)
        if name is not None:
            return name
        is_known = listed is not None or given in EVENT_NAMES or given in self._plan.known_names
        shown = (listed or given) if is_known else None
        return SkippedRecord(self._plan.origin, Skipped.NOT_LISTED, shown)

    def action_source(self, value: Any, key: Record) -> str | InvalidRecord:
        """Return the source."""
        source: str | None = self._converted("action_source", value)
        return self._without("action_source", value, key) if source is None else source

    def event_id(self, value: Any) -> str | None:
        """Return the id of a value, or None."""
        event_id: str | None = self._converted("event_id", value)
        return event_id

    def derived_id(
        self, value: Any, record: Record, account: Account, name: str
    ) -> str | InvalidRecord:
        """Return the id for a record whose own `value` is not an id, derived from its key."""
        if "event_id" not in self.derived:
            return self._without("event_id", value, record)
        properties, stream = self._plan.key_properties, self._plan.origin.stream
        event_id = keys.derive_event_id(record, properties, account.ad_account_id, name, stream)
        if event_id is None:
            return self._invalid(Invalid.MISSING_KEY, "event_id", record)
        return event_id

    def event_time(
        self, value: Any, now: float, key: Record, identity: tuple[Account, str, str]
    ) -> int | InvalidRecord:
        """Return Unix seconds; `identity` is the account, name and id of the event."""
        if value is NOW:
            return int(now)
        seconds = self._converted("event_time", value)
        if type(seconds) is not int:
            return self._without("event_time", value, key)
        if now - self.oldest_seconds <= seconds <= now + FUTURE_SECONDS:
            return seconds
        if seconds > now:
            return self._invalid(Invalid.EVENT_IN_FUTURE, "event_time", key)
        return self._invalid(Invalid.EVENT_TOO_OLD, "event_time", key, repeat_of=identity)

    def unless_null(self, value: Any) -> Any:
        """Return a time, or None for a word that means a missing one, which is noted."""
        if type(value) is str and value.strip() in self._null_words:
            self._note("event_time", Dropped.NULL_VALUE)
            return None
        return value

    def unidentified(self, key: Record) -> InvalidRecord:
        """Return the result of a record whose event identifies nobody."""
        return self._invalid(Invalid.NO_IDENTIFIER, "user_data", key)

    def key(self, record: Record) -> keys.Key | None:
        """Return the record's key as a dead letter shows it."""
        plain = self._options.plain_keys
        return keys.read_key(record, self._plan.key_properties, plain=plain)

    # Derived values, and checks of the whole event

    def derive_from_url(self, url: str, event: Object, customer: Object) -> None:
        """Set the customer's `click_id` from the page's URL, and cut the URL if configured."""
        wanted = "user_data.click_id" in self.derived and "click_id" not in customer
        if wanted and f"{PARAMETER}=" in url:
            click_id = next(filter(None, query_values(url, PARAMETER)), None)
            if click_id:
                customer["click_id"] = click_id
        if self._options.drop_url_query:
            event["event_source_url"] = url.partition("#")[0].partition("?")[0]

    def derive_from_contents(self, custom: Object) -> None:
        """Set the ids and the number of the items in `contents` if they are not given."""
        contents = custom["contents"]
        if self._derives_ids and "content_ids" not in custom:
            ids = [item.id for item in contents if item.id is not None]
            if ids:
                custom["content_ids"] = ids if len(ids) == 1 else list(dict.fromkeys(ids))
        if self._derives_number and "num_items" not in custom:
            custom["num_items"] = sum(
                [1 if item.quantity is None else item.quantity for item in contents]
            )

    # What is warned about

    def check_limited(self, custom: Object, home: warnings.Home) -> None:
        """Write LDP in capitals, as Pinterest requires, and warn if it has no effect."""
        if custom["opt_out_type"].upper() == warnings.LIMITED:
            custom["opt_out_type"] = warnings.LIMITED
        self._warn(
            "custom_data.opt_out_type", warnings.limited_warning(custom["opt_out_type"], home)
        )

    def check_value(self, custom: Object) -> None:
        """Warn about a value that is unlikely, or has no currency."""
        self._warn("custom_data.value", warnings.amount_warning(custom["value"]))
        if "currency" not in custom:
            self._warn("custom_data.currency", Warned.NO_CURRENCY)

    def check_user_agent(self, warning: Warned) -> None:
        """Warn about a user agent."""
        self._warn("user_data.client_user_agent", warning)

    def _warn(self, path: str, warning: Warned | None) -> None:
        if warning is not None:
            self._note(path, warning)

    def _converted(self, path: str, value: Any) -> Any:
        return None if value is None else self._convert[path](value)

    def _without(self, path: str, value: Any, key: Record) -> InvalidRecord:
        """Return the result of a record whose required field has no value, or an unusable one."""
        if value is None or coerce.is_nothing(value):
            return self._invalid(Invalid.MISSING_FIELD, path, key)
        reasons = drop_reasons(path, value, self._options)
        return self._invalid(Invalid.BAD_FIELD, path, key, detail=reasons[0] if reasons else None)

    def _invalid(
        self,
        reason: Invalid,
        path: str,
        key: Record,
        detail: str | None = None,
        repeat_of: tuple[Account, str, str] | None = None,
    ) -> InvalidRecord:
        origin = self._plan.origin
        return InvalidRecord(origin, reason, path, detail, self.key(key), repeat_of)


def _agent_warning(agent: str) -> str:
    """Return the warning, or an empty text, because None is not cached."""
    return warnings.user_agent_warning(agent) or ""
