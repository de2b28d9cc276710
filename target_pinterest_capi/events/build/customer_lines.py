"""Writes the lines that make an event's `user_data`.

Members of which it is known what they are made from are taken from the cache, encoded, if the same
person was there before. The others are set in `customer`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.events.build.columns import Columns
from target_pinterest_capi.events.build.converters import CLICK_ID
from target_pinterest_capi.events.build.customer_cache import CustomerCache, encoded
from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.members import CompiledField, Steps, write_members
from target_pinterest_capi.events.build.readings import Readings
from target_pinterest_capi.events.build.shapes import ANY_USE, Kind, Uses

if TYPE_CHECKING:
    from target_pinterest_capi.events.build.event_function import EventSpec


class CustomerNames(NamedTuple):
    """What the lines after the customer's call it.

    `user_data` is the expression of the event's member, and `whole`, once that is set, the one of
    an object with all leaves. Those of `of_person` are in the person's `Customer`.
    """

    user_data: str = "customer"
    whole: str = "customer"
    of_person: frozenset[str] = frozenset()

    def holder(self, leaf: str) -> str:
        """Return the expression of what has the name of a leaf, if the customer has that leaf."""
        return "person.leaves" if leaf in self.of_person else "customer"


def write_customer(
    source: FunctionSource, spec: "EventSpec", columns: Columns, readings: Readings
) -> CustomerNames:
    """Write the lines of a function that reads `columns` by `readings`."""
    return _CustomerWriter(source, spec, columns, readings).write()


class _CustomerWriter:
    def __init__(
        self, source: FunctionSource, spec: "EventSpec", columns: Columns, readings: Readings
    ) -> None:
        self._source = source
        self._spec = spec
        self._columns = columns
        self._readings = readings

    def write(self) -> CustomerNames:
        members = self._spec.members["user_data"]
        customers = self._spec.customers
        of_person = [*takewhile(self._is_of_person, members)]
        others = members[len(of_person) :]
        if customers is None or not of_person or self._need_region(others):
            self._convert(members, self._readings, 1)
            return CustomerNames()
        self._look_up(of_person, customers)
        self._source.write("customer = {{}}")
        write_members(self._source, others, "customer", self._readings)
        self._source.bind("decode", msgspec.json.decode)
        leaves = frozenset(member.leaf for member in of_person)
        return CustomerNames(_JOINED, 'decode(event["user_data"])', leaves)

    def _is_of_person(self, member: CompiledField) -> bool:
        """Return whether values decide a member, and it is not of one event only, as a click is."""
        needed = [member, self._spec.country] if member.regional else [member]
        return member.path != CLICK_ID and all(map(self._is_decided, filter(None, needed)))

    @staticmethod
    def _need_region(members: Sequence[CompiledField]) -> bool:
        return any(member.regional for member in members)

    def _is_decided(self, field: CompiledField) -> bool:
        """Return whether what a field is made from is known before it is converted."""
        can_be_read = bool(field.codes) and not any(code.failures for code in field.codes)
        return can_be_read or self._columns_of(field) is not None

    def _columns_of(self, field: CompiledField) -> list[Steps] | None:
        """Return the steps to all that a field is made from; None if it is not whole columns."""
        plan = self._spec.plan.fields[field.path]
        return self._whole(plan.reads or {} if plan.column is None else {plan.column: ANY_USE})

    def _whole(self, reads: Mapping[Any, Uses], steps: Steps = ()) -> list[Steps] | None:
        columns: list[Steps] = []
        for name, uses in reads.items():
            here = (*steps, name)
            found = self._columns.at(here)
            if found is None:  # there is nothing
                continue
            below: list[Steps] | None = None
            if found.kind in (Kind.TEXT, Kind.ANY) and not uses.members:
                below = [here]
            elif found.kind is Kind.OBJECT and not uses.is_tested:
                below = self._whole(uses.members, here)
            if below is None:
                return None
            columns += below
        return columns

    def _made_from(self, field: CompiledField) -> Iterator[tuple[str, bool]]:
        """Yield the expressions of all that a field is made from.

        Each with whether it is sure to be a text or None. Columns are read faster than calls are
        evaluated; where a field takes parts of a list or of JSON text, the rest is of no account.
        """
        columns = self._columns_of(field)
        if columns is None:
            yield from self._readings.write_each(field)
            return
        for steps in columns:
            found = self._columns.at(steps)
            yield str(self._readings.place(steps)), found is not None and found.kind is Kind.TEXT

    def _look_up(self, members: Sequence[CompiledField], customers: CustomerCache) -> None:
        """Write the lines that take a person's members from the cache, or convert and keep them."""
        read = {member.path: member for member in members}
        if self._spec.country is not None and self._need_region(members):
            read[self._spec.country.path] = self._spec.country
        made_from = dict(pair for field in read.values() for pair in self._made_from(field))
        texts = [value for value, is_text in made_from.items() if is_text]
        others = [value for value, is_text in made_from.items() if not is_text]
        self._source.bind("customers", customers)
        self._source.bind("numbers", customers.numbers)
        self._source.bind("encoded", encoded)
        self._source.bind("agents", self._spec.rules.agents)
        parts = [str(next(customers.numbers)), *texts]
        # 1, True and "1" are different values. Nothing equals a tuple but the same of its kind.
        parts += [
            f"{one} if {one} is None or type({one}) is str else (repr({one}),)" for one in others
        ]
        self._source.write(_OF_VALUES if others else _OF_TEXTS, parts=", ".join(parts))
        self._source.write(_LOOK_UP)
        self._convert(members, self._readings.inner(), 2)
        self._source.write(_KEEP, 2)

    def _convert(self, members: Sequence[CompiledField], readings: Readings, depth: int) -> None:
        """Write the lines that convert members."""
        if self._need_region(members):
            self._source.bind("default_region", self._spec.options.default_country)
            self._source.write("region = default_region", depth)
            if self._spec.country is not None:
                self._region(self._spec.country, readings, depth)
        self._source.write("customer = {{}}", depth)
        write_members(self._source, members, "customer", readings, depth)

    def _region(self, country: CompiledField, readings: Readings, depth: int) -> None:
        """Write the lines that set the region to the record's country."""
        converters = self._spec.converters
        self._source.bind("regions", converters.regions)
        self._source.bind("region_of", converters.region)
        if country.collects and any(code.failures for code in country.codes):
            self._source.write("value = {again}", depth, again=readings.again(country))
            self._source.write(_REGION, depth)
        elif readings.write(country, "value"):
            is_text = readings.kind(country) is Kind.TEXT
            self._source.write(_REGION_OF_TEXT if is_text else _REGION, depth)
        else:
            self._source.write(_FIRST_REGION, depth, again=readings.again(country))


_OF_TEXTS: Final = """
    number = hash(({parts}))
    """
# Other values are told apart by type too: 1 is not "1", nor True, nor 1.0.
_OF_VALUES: Final = """
    try:
        number = hash(({parts}))
    except RecursionError:  # lists in lists: like nobody else's
        number = next(numbers)
    """
_LOOK_UP: Final = """
    if (person := customers.get(number)) is not None:
        customers.hits += 1
    else:
        notes = customers.notes
    """
_KEEP: Final = """
    person = encoded(customer, agents)
    if customers.notes == notes:
        customers.keep(number, person)
    """
_JOINED: Final = "person.joined(customer) if customer else person.encoded"
_REGION: Final = """
    if type(value) is str:
        region = regions[value] or region
    elif value is not None:
        region = region_of(value) or region
    """
_REGION_OF_TEXT: Final = """
    if value is not None:
        region = regions[value] or region
    """
_FIRST_REGION: Final = """
    if type(value) is str and (found := regions.get(value)):
        region = found
    elif value is not None and (value := {again}) is not None:
        region = region_of(value) or region
    """
