"""What a mapping entry defines for a stream's events: where each field's value comes from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.build.shapes import Uses
from target_pinterest_capi.events.event import Origin

Get = Callable[[Any], Any]
Has = Callable[[Sequence[str | int]], bool]  # whether a record can have a value where steps lead to
Record = Mapping[str, Any]


class Now:
    """The constant `now` of `event_time`: the time of building. No text in a record means this."""


NOW: Final = Now()


class Code(NamedTuple):
    """An expression that writes itself into the generated function.

    `write` returns the code of its value, from the function's readings (`readings.Readings`). It
    may raise any of the exceptions `failures`; none if it cannot fail. `steps` lead to its value,
    where it is nothing else than members of members, and elements by their number. `is_text` says
    by the readings whether its value is sure to be a text or null.
    """

    write: Callable[[Any], str]
    failures: tuple[type[Exception], ...] = ()
    steps: tuple[str | int, ...] | None = None
    is_text: Callable[[Any], bool] = lambda _: False


class Selection(NamedTuple):
    """A list of objects made from those of another list.

    `base` is the other list; `members` read those of a new object from one of its objects, unless
    `left_out` is true for it.
    """

    base: Code
    members: Mapping[str, "FieldPlan"]
    left_out: Code | None = None


class FieldPlan(NamedTuple):
    """Where a field's value comes from.

    `get` reads it from a record; `column` names it where it is one column and nothing else.
    `reads` are the columns that `get` reads, with their uses; None where it may read any.
    `selection` is the first of what it reads, where that makes a list of objects. Where there are
    `codes`, `get` returns their value: that of the only one, those of all in a list if it
    `collects`, or else the first that the field can hold, and the `constant` where there is none.
    `within` returns the plan for records that have nothing where it is told so; None where nothing
    is left.
    """

    get: Get
    column: str | None = None
    reads: Mapping[str, Uses] | None = None
    selection: Selection | None = None
    codes: tuple[Code, ...] = ()
    constant: Any = None
    collects: bool = False
    within: Callable[[Has], "FieldPlan | None"] | None = None


def name_key(name: str) -> str:
    """Return what two spellings of one event name have in common, ignoring case and blanks."""
    return " ".join(name.split()).casefold()


class EventPlan(NamedTuple):
    """What a builder is compiled from.

    `origin` names the entry in counts. `fields` are by path; `underived` are the paths that are
    not derived although they could be. `event_names` translates and selects names, in any
    case: None for one that is not to be sent. `fallback_name` stands for a name that it does not
    list, and without one `sends_unlisted` says whether such a name is sent as it is. Of the names
    that are skipped only `known_names` are shown: any other came with a record. `key_properties`
    are the stream's. A record for which one of `conditions` is false is skipped.
    """

    origin: Origin
    fields: Mapping[str, FieldPlan]
    key_properties: tuple[str, ...] = ()
    underived: frozenset[str] = frozenset()
    event_names: Mapping[str, str | None] | None = None
    fallback_name: str | None = None
    sends_unlisted: bool = False
    known_names: frozenset[str] = frozenset()
    conditions: tuple[FieldPlan, ...] = ()
