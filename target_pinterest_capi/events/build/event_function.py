"""Writes the function that builds a stream's events, from records or from rows.

It reads from top to bottom as an event is built: the required fields, the event's own members, the
customer, the custom data, the other objects. Values that nearly all taps send are handled inline;
any other goes to `rules` or to its converter, and the function continues. Only here it is decided
who is identified, and where each member is. docs/generated-code.md shows an example.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import coerce, keys
from target_pinterest_capi.events.build.columns import Columns
from target_pinterest_capi.events.build.converters import CLICK_ID, Converters, Options
from target_pinterest_capi.events.build.customer_cache import CustomerCache
from target_pinterest_capi.events.build.customer_lines import CustomerNames, write_customer
from target_pinterest_capi.events.build.function_source import FunctionSource, of_texts
from target_pinterest_capi.events.build.members import ITEMS, CompiledField, write_members
from target_pinterest_capi.events.build.plan import EventPlan
from target_pinterest_capi.events.build.readings import Readings
from target_pinterest_capi.events.build.rules import FUTURE_SECONDS, EventRules
from target_pinterest_capi.events.build.shapes import Kind
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.event import Event, encode
from target_pinterest_capi.events.fields import ACTION_SOURCES, EVENT_NAMES, OBJECTS
from target_pinterest_capi.events.traits import TraitsOfMembers
from target_pinterest_capi.events.warnings import HIGH_DIGITS, Home, decode_home


class EventSpec(NamedTuple):
    """What the function is generated from.

    `conditions` are read first. `required` are the required fields by path, those that are mapped;
    `members` are the other fields by object, in the table's order, `""` being the event's own.
    Without `customers` the members of each customer are converted.
    """

    plan: EventPlan
    options: Options
    conditions: Sequence[CompiledField]
    required: Mapping[str, CompiledField]
    members: Mapping[str, Sequence[CompiledField]]
    country: CompiledField | None
    converters: Converters
    rules: EventRules
    now: Callable[[], float]
    customers: CustomerCache | None


def write_event(spec: EventSpec, columns: Columns) -> FunctionSource:
    """Return the source of the function `build`, which has the parameters of `columns`."""
    return _EventWriter(spec, columns).write()


class _EventWriter:
    def __init__(self, spec: EventSpec, columns: Columns) -> None:
        self._spec = spec
        self._columns = columns
        self._source = FunctionSource(f"build({columns.parameters})")
        self._readings = Readings(self._source, columns)
        self._customer = CustomerNames()
        self._key = columns.key(self._source, spec.plan.key_properties)
        self._source.bind("rules", spec.rules)
        self._source.bind("null_spellings", spec.converters.null_words.spellings)

    def write(self) -> FunctionSource:
        self._columns.open(self._source)
        self._conditions()
        self._event_name()
        self._action_source()
        self._event_id()
        self._event_time()
        self._source.write(_EVENT)
        self._members("", "event")
        self._user_data()
        self._custom_data()
        for name in OBJECTS[2:]:
            if self._spec.members[name]:
                self._source.write("other = {{}}")
                self._members(name, "other")
                self._source.write('if other:\n    event["{name}"] = other', name=name)
        self._bind(encode=encode, Event=Event, origin=self._spec.plan.origin)
        if not self._spec.options.has_statistics:
            self._source.write(_RETURN)
            return self._source
        self._counted()
        return self._source

    def _bind(self, **values: Any) -> None:
        for name, value in values.items():
            self._source.bind(name, value)

    def _raw(self, path: str, variable: str) -> str:
        """Write the lines that read a required value; return the expression for the rules."""
        field = self._spec.required.get(path)
        if field is None:
            self._source.write(f"{variable} = None")
            return ""
        is_final = self._readings.write(field, variable)
        return "" if is_final else f"{variable} = {self._readings.again(field)}\n    "

    def _typed(self, template: str, path: str, variable: str) -> str:
        """Return a template without a look at the type of what is sure to be a text."""
        field = self._spec.required.get(path)
        is_text = field is not None and self._readings.kind(field) is Kind.TEXT
        return of_texts(template, variable) if is_text else template

    def _conditions(self) -> None:
        for condition in self._spec.conditions:
            self._bind(unmet=self._spec.rules.unmet)
            self._readings.write(condition, "value")
            self._source.write("if not value and rules.is_false(value):\n    return unmet")

    def _members(self, parent: str, into: str) -> None:
        write_members(self._source, self._spec.members[parent], into, self._readings)

    # Required fields

    def _event_name(self) -> None:
        names = self._spec.plan.event_names
        if names is None:
            names = {name: name for name in EVENT_NAMES}
        words = self._spec.converters.null_words.spellings
        common = {
            given: name
            for given, name in names.items()
            if name and given == coerce.text(given) and given not in words
        }
        self._bind(common_names=common)
        again = self._raw("event_name", "raw_name")
        template = self._typed(_EVENT_NAME, "event_name", "raw_name")
        self._source.write(template, key=self._key, again=again)

    def _action_source(self) -> None:
        words = self._spec.converters.null_words.spellings
        self._bind(action_sources=frozenset(ACTION_SOURCES) - words)
        again = self._raw("action_source", "raw_source")
        template = self._typed(_ACTION_SOURCE, "action_source", "raw_source")
        self._source.write(template, key=self._key, again=again)

    def _event_id(self) -> None:
        plan = self._spec.plan
        mapped = self._spec.required.get("event_id")
        whole = self._columns.whole(self._source, plan.key_properties)
        again = self._raw("event_id", "raw_id")
        if mapped is not None:
            self._bind(too_large=coerce.TOO_LARGE, too_small=coerce.TOO_SMALL)
            is_text = self._readings.kind(mapped) is Kind.TEXT
            self._source.write(of_texts(_TEXT_ID, "raw_id") if is_text else _TEXT_ID)
            if not is_text:
                self._source.write(_NUMBER_ID)
            self._source.write(_OTHER_ID, again=again)
            self._source.write(_OWN_ID, key=self._own_key(mapped.column))
            self._source.write(_DERIVED_ID, 2, whole=whole)
        else:
            self._source.write("has_derived_id = True")
            self._source.write(_DERIVED_ID, whole=whole)

    def _own_key(self, id_column: str) -> str:
        """Return the expression of the key of an event with an id of its own.

        Where that is the key's only value, it is the name: few events need the digest.
        """
        names, plain = self._spec.plan.key_properties, self._spec.options.plain_keys
        if not names:
            return "None"
        is_one = len(names) == 1 and not plain
        name = self._source.bind("key_property", names[0]) if is_one else ""
        if is_one and names[0] == id_column:
            return name
        read_key = self._source.bind("read_key", keys.compile_key(names, plain=plain))
        key = f"{read_key}({self._key})"
        if not is_one:
            return key
        return f"{name} if raw_id is {self._columns.value(self._source, names[0], '')} else {key}"

    def _event_time(self) -> None:
        self._bind(
            from_iso_format=datetime.fromisoformat,
            epoch=coerce.EPOCH,
            unix_time=coerce.unix_time,
            zone=self._spec.options.zone,
            date_format=self._spec.options.date_format,
            clock=self._spec.now,
            oldest_seconds=self._spec.rules.oldest_seconds,
            newest_seconds=FUTURE_SECONDS,
        )
        again = self._raw("event_time", "raw_time")
        if self._spec.converters.null_words.in_any_form:
            self._source.write(
                "{again}\nraw_time = rules.unless_null(raw_time)", again=again.strip()
            )
            again = ""
        day_seconds = str(coerce.DAY_SECONDS)
        template = self._typed(_EVENT_TIME, "event_time", "raw_time")
        self._source.write(template, day_seconds=day_seconds, key=self._key, again=again)

    # Objects

    def _user_data(self) -> None:
        self._customer = write_customer(self._source, self._spec, self._columns, self._readings)
        if self._spec.options.drop_url_query:
            self._source.write(_CUT_URL)
        elif "user_data.click_id" in self._spec.rules.derived:
            self._source.write(_URL)
        self._source.write(
            _IDENTIFIED,
            emails=self._customer.holder("em"),
            maids=self._customer.holder("hashed_maids"),
            addresses=self._customer.holder("client_ip_address"),
            agents=self._customer.holder("client_user_agent"),
            key=self._key,
        )
        self._source.write('event["user_data"] = {all}', all=self._customer.user_data)
        self._check_user({member.leaf for member in self._spec.members["user_data"]})

    def _check_user(self, leaves: Collection[str]) -> None:
        """Write the lines that warn about the customer's values, for mapped fields."""
        rules = self._spec.rules
        if "client_user_agent" in self._customer.of_person:
            self._source.write(_KNOWN_USER_AGENT)
        elif "client_user_agent" in leaves:
            self._bind(agents=rules.agents)
            self._source.write(_USER_AGENT)
        self._bind(is_due=rules.repeated.is_due, look_at=rules.repeated.look_at)
        self._source.write("if is_due():\n    look_at({all})", all=self._customer.whole)

    def _custom_data(self) -> None:
        members = self._spec.members["custom_data"]
        leaves = {member.leaf for member in members}
        if not leaves:
            return
        counts_items = self._counts_items(members)
        self._source.write("custom = {{}}")
        write_members(self._source, members, "custom", self._readings, counts_items=counts_items)
        self._source.write("if custom:")
        if "contents" in leaves:
            self._source.write(_FROM_ITEMS if counts_items else _FROM_CONTENTS, 2)
        if "value" in leaves:
            self._bind(high_digits=HIGH_DIGITS)
            self._source.write(_VALUE, 2)
        if "opt_out_type" in leaves:
            self._limited()
        self._source.write('event["custom_data"] = custom', 2)

    def _limited(self) -> None:
        """Write the lines that check limited data processing, by where the customer lives."""
        if self._customer.of_person:
            self._bind(decode_home=decode_home)
            home = 'decode_home(event["user_data"])'
        else:
            self._bind(Home=Home)
            home = 'Home(customer.get("st"), customer.get("country"))'
        self._source.write(_LIMITED, 2, home=home)

    def _counts_items(self, members: Sequence[CompiledField]) -> bool:
        """Return whether the loop over items counts what is derived from them, and nothing else."""
        fast_paths = {member.path: member.fast_path for member in members}
        derived = {"custom_data.content_ids", "custom_data.num_items"}
        is_derived = derived <= self._spec.rules.derived and derived.isdisjoint(fast_paths)
        return is_derived and fast_paths.get("custom_data.contents") == ITEMS

    def _counted(self) -> None:
        """Write the lines that return an event with what a report counts of it."""
        possible = {member.path for members in self._spec.members.values() for member in members}
        possible |= {CLICK_ID} & self._spec.rules.derived
        of_person = {f"user_data.{leaf}" for leaf in self._customer.of_person}
        tests = {}
        for component in COMPONENTS:
            paths = [path for path in component.fields if path in possible - of_person]
            if paths:  # the test of the last one includes the others
                tests[paths[-1]] = self._is_there(paths[-1])
        self._bind(traits_of_members=TraitsOfMembers(tuple(tests)))
        self._source.write(
            _RETURN_COUNTED,
            currency='custom.get("currency")' if "custom_data.currency" in possible else "None",
            leaves="person.leaves" if of_person else "()",
            are_there="".join(f", {test}" for test in tests.values()),
            amount='custom.get("value")' if "custom_data.value" in possible else "None",
        )

    @staticmethod
    def _is_there(path: str) -> str:
        """Return the expression of whether an event has a member; of items, their ids."""
        if path in _SPECIAL_TESTS:
            return _SPECIAL_TESTS[path]
        parent, _, leaf = path.rpartition(".")
        return f'"{leaf}" in {_HOLDERS[parent]}'


# The required fields. `again` is the line that reads a value once more, if the first one may not be
# the one that counts.
_EVENT_NAME: Final = """
    if type(raw_name) is not str or (name := common_names.get(raw_name)) is None:
        {again}name = rules.event_name(raw_name, {key})
        if type(name) is not str:
            return name
    """
_ACTION_SOURCE: Final = """
    source = raw_source
    if type(raw_source) is not str or raw_source not in action_sources:
        {again}source = rules.action_source(raw_source, {key})
        if type(source) is not str:
            return source
    """
_TEXT_ID: Final = """
    if (
        type(raw_id) is str
        and (event_id := raw_id.strip())
        and event_id.isprintable()
        and event_id not in null_spellings
    ):
        pass
    """
_NUMBER_ID: Final = """
    elif type(raw_id) is int and too_small < raw_id < too_large:
        event_id = str(raw_id)
    """
_OTHER_ID: Final = """
    else:
        {again}event_id = rules.event_id(raw_id)
    """
_OWN_ID: Final = """
    has_derived_id = event_id is None
    if not has_derived_id:
        key = {key}
    else:
    """
_DERIVED_ID: Final = """
    whole = {whole}
    event_id = rules.derived_id(raw_id, whole, account, name)
    if type(event_id) is not str:
        return event_id
    key = rules.key(whole)
    """
# `coerce.unix_time`, after a shorter path for what nearly all taps send: ISO 8601 with `T` and an
# offset.
_EVENT_TIME: Final = """
    if type(raw_time) is str and raw_time[10:11] == "T" and raw_time[4] == "-":
        try:
            since = from_iso_format(raw_time) - epoch
        except (ValueError, TypeError):  # another form of time, or one without offset
            seconds = unix_time(raw_time, zone, date_format)
        else:
            seconds = since.days * {day_seconds} + since.seconds
    else:
        seconds = unix_time(raw_time, zone, date_format)
    now = clock()
    if type(seconds) is not int or not now - oldest_seconds <= seconds <= now + newest_seconds:
        {again}seconds = rules.event_time(raw_time, now, {key}, (account, name, event_id))
        if type(seconds) is not int:
            return seconds
    """
_EVENT: Final = """
    event = {{
        "event_name": name,
        "action_source": source,
        "event_time": seconds,
        "event_id": event_id,
    }}
    """
_CUT_URL: Final = """
    if "event_source_url" in event:
        rules.derive_from_url(event["event_source_url"], event, customer)
    """
_URL: Final = """
    if "click_id" not in customer and "epik=" in event.get("event_source_url", ""):
        rules.derive_from_url(event["event_source_url"], event, customer)
    """
_IDENTIFIED: Final = """
    if (
        "em" not in {emails}
        and "hashed_maids" not in {maids}
        and not ("client_ip_address" in {addresses} and "client_user_agent" in {agents})
    ):
        return rules.unidentified({key})
    """
_FROM_CONTENTS: Final = """
    if "contents" in custom and ("content_ids" not in custom or "num_items" not in custom):
        rules.derive_from_contents(custom)
    """
# The same, from what the loop over the items counted.
_FROM_ITEMS: Final = """
    if "contents" in custom:
        if ids is None:
            rules.derive_from_contents(custom)
        else:
            if ids:
                custom["content_ids"] = ids if len(ids) == 1 else list(dict.fromkeys(ids))
            custom["num_items"] = num_items
    """
# A value with fewer digits in all, which does not begin with 0 or a sign, is not examined.
_VALUE: Final = """
    if "value" in custom:
        value = custom["value"]
        if len(value) >= high_digits or value < "1" or "currency" not in custom:
            rules.check_value(custom)
    """
_USER_AGENT: Final = """
    if "client_user_agent" in customer and (warning := agents[customer["client_user_agent"]]):
        rules.check_user_agent(warning)
    """
_KNOWN_USER_AGENT: Final = """
    if person.agent_warning:
        rules.check_user_agent(person.agent_warning)
    """
_LIMITED: Final = """
    if "opt_out_type" in custom:
        rules.check_limited(custom, {home})
    """
_RETURN: Final = """
    deduplicable = source != "offline"
    return Event(encode(event), account, origin, name, event_id, deduplicable, seconds, key)
    """
# With what a report counts, so that no body is read again.
_RETURN_COUNTED: Final = """
    deduplicable = source != "offline"
    amount = {amount}
    traits = traits_of_members[source, {currency}, has_derived_id, {leaves}{are_there}]
    return Event(
        encode(event), account, origin, name, event_id, deduplicable, seconds, key, traits, amount
    )
    """
_HOLDERS: Final = {"": "event", "user_data": "customer", "custom_data": "custom"}
_SPECIAL_TESTS: Final = {
    "custom_data.value": "amount is not None",
    "custom_data.contents": (
        '("content_ids" in custom'
        ' or "contents" in custom and any([item.id is not None for item in custom["contents"]]))'
    ),
}
