"""Which JSON a request may be: every member, its type, range, length and choices, and the check of them.

Owns the tables, written from docs/pinterest-api.md and its data (ConversionEvents and the objects it
names, customer lists and audiences), with the two members that live requests were seen to carry.
Promises one problem or none for any JSON value, in linear time. Never looks at what
a value means (that is `rules` and its neighbours), and never repeats a value in a problem: only member
names and limits.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple


class Property(NamedTuple):
    """One member of an object, in JSON Schema's words; an array's `maximum` and lengths belong to nothing but itself."""

    name: str
    type: str
    nullable: bool = False
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    min_items: int | None = None
    max_items: int | None = None
    items: "str | ObjectShape | None" = None
    shape: "ObjectShape | None" = None
    int64: bool = False


class ObjectShape(NamedTuple):
    """A closed object: its members, and those that must be there."""

    members: tuple[Property, ...]
    required: tuple[str, ...] = ()


class ShapeProblem(NamedTuple):
    """Why a value is refused: `path` leads to it (None where Pinterest's message names no place), `rule` is what it broke."""

    path: str | None
    rule: str

    @property
    def message(self) -> str:
        """The sentence of a 400 body."""
        return (
            f"Invalid request: {self.rule}"
            if self.path is None
            else f"Invalid request: {self.path} {self.rule}"
        )

    def below(self, step: str) -> "ShapeProblem":
        """The same problem, seen from the object or array that holds its value under `step`."""
        return (
            self
            if self.path is None
            else ShapeProblem(f"{step}.{self.path}" if self.path else step, self.rule)
        )


def _texts(
    names: str, max_length: int | None = None, *, nullable: bool = False
) -> tuple[Property, ...]:
    return tuple(
        Property(name, "string", nullable, max_length=max_length) for name in names.split()
    )


def _integers(names: str, maximum: int) -> tuple[Property, ...]:
    return tuple(Property(name, "integer", minimum=0, maximum=maximum) for name in names.split())


def _flags(names: str) -> tuple[Property, ...]:
    return tuple(Property(name, "boolean") for name in names.split())


def _text_lists(names: str) -> tuple[Property, ...]:
    return tuple(Property(name, "array", items="string") for name in names.split())


def _choice(name: str, choices: str) -> Property:
    return Property(name, "string", choices=tuple(choices.split()))


HASHED: Final = (
    "em",
    "ph",
    "ge",
    "db",
    "ln",
    "fn",
    "ct",
    "st",
    "zp",
    "country",
    "external_id",
    "hashed_maids",
)

# docs/pinterest-api.md: user_data (ConversionEventsUserDataProperties), the one object that is not
# marked closed in the data. Closed here all the same: whether Pinterest lets unknown
# members of it pass is open, and a stand-in had better be too strict
USER_DATA: Final = ObjectShape((
    *_text_lists(" ".join(HASHED)),
    *_texts("client_ip_address client_user_agent"),
    *_texts("click_id partner_id", nullable=True),
))  # fmt: skip

# docs/pinterest-api.md: custom_data (contents); item_brand_id with its limit was seen live
CONTENTS_ITEM: Final = ObjectShape((
    *_texts("id item_name item_price item_category item_brand"),
    *_texts("item_brand_id", 64),
    Property("quantity", "integer", int64=True),
))  # fmt: skip

# docs/pinterest-api.md: custom_data
CUSTOM_DATA: Final = ObjectShape((
    *_texts("currency value order_id search_string opt_out_type content_name content_category content_brand", nullable=True),
    *_texts("predicted_ltv np external_measurement_id", nullable=True),
    Property("external_measurement_vendor_id", "integer", nullable=True),
    Property("num_items", "integer", int64=True),
    *_text_lists("content_ids"),
    Property("contents", "array", items=CONTENTS_ITEM),
))  # fmt: skip

# docs/pinterest-api.md: The event (ConversionEventAppInfo)
APP_INFO: Final = ObjectShape((
    *_texts("app_id app_name app_package_name", 200),
    *_texts("app_store app_version", 100),
    Property("install_time", "integer", minimum=0),
    *_texts("user_agent", 16384),
    *_integers("window_height window_width", 30720),
))  # fmt: skip

# docs/pinterest-api.md: The event (ConversionEventDeviceInfo)
DEVICE_INFO: Final = ObjectShape((
    *_integers("battery_level", 100),
    *_texts("brand carrier kernel_version model os_name os_release_name os_version type", 100),
    *_integers("cpu_cores", 1152),
    *_integers("external_storage_free_space external_storage_size storage_free_space storage_size", 1048576),
    _choice("form_factor", "desktop laptop cellphone tablet smartwatch tv vr console other"),
    Property("languages", "array", min_items=0, max_items=100, items="string"),
    *_texts("locale", 35),
    _choice("network_type", "wifi cellular_2g cellular_3g cellular_4g cellular_5g cellular_6g ethernet unknown"),
    _choice("os_family", "ios android macos windows linux bsd other"),
    *_integers("screen_density", 100000),
    *_integers("screen_height screen_width", 30720),
    *_texts("timezone", 40),
    *_texts("timezone_abbr", 5),
))  # fmt: skip

# docs/pinterest-api.md: The event; advertiser_tracking_enabled was seen live
EVENT: Final = ObjectShape((
    *_texts("event_name event_id"),
    _choice("action_source", "app_android app_ios web offline"),
    Property("event_time", "integer", int64=True),
    Property("user_data", "object", shape=USER_DATA),
    Property("custom_data", "object", shape=CUSTOM_DATA),
    Property("app_info", "object", shape=APP_INFO),
    Property("device_info", "object", shape=DEVICE_INFO),
    *_flags("opt_out wifi advertiser_tracking_enabled"),
    *_texts("event_source_url partner_name app_id app_name app_version", nullable=True),
    *_texts("device_brand device_carrier device_model device_type os_version language", nullable=True),
), required=("event_name", "action_source", "event_time", "user_data", "event_id"))  # fmt: skip

# docs/pinterest-api.md: Conversion events (ConversionEvents)
BODY: Final = ObjectShape(
    (Property("data", "array", min_items=1, max_items=1000, items=EVENT),), required=("data",)
)

# docs/pinterest-api.md: Customer lists, and Audiences. The bodies are open there; closed here all the same
CUSTOMER_LIST: Final = ObjectShape((
    *_texts("name records"),
    _choice("list_type", "EMAIL IDFA MAID LR_ID DLX_ID HASHED_PINNER_ID"),
), required=("name", "records"))  # fmt: skip
CUSTOMER_LIST_UPDATE: Final = ObjectShape((
    _choice("operation_type", "ADD REMOVE"),
    *_texts("records"),
), required=("operation_type", "records"))  # fmt: skip
# Of the rule's members, the one that CUSTOMER_LIST has
AUDIENCE_RULE: Final = ObjectShape(_texts("customer_list_id"), required=("customer_list_id",))
AUDIENCE: Final = ObjectShape((
    *_texts("ad_account_id name description"),
    _choice("audience_type", "CUSTOMER_LIST VISITOR ENGAGEMENT ACTALIKE PERSONA"),
    Property("rule", "object", shape=AUDIENCE_RULE),
), required=("audience_type", "name", "rule"))  # fmt: skip

_INT64: Final = range(-(2**63), 2**63)

Check = Callable[[Any], ShapeProblem | None]


def _wrong_type(type_: str) -> ShapeProblem:
    return ShapeProblem("", f"is not of type '{type_}'")


def _check_string(member: Property) -> Check:
    wrong, limit, choices = _wrong_type("string"), member.max_length, frozenset(member.choices)
    plain = limit is None and not choices

    def check(value: Any) -> ShapeProblem | None:
        if type(value) is not str:
            return wrong
        if plain:
            return None
        if limit is not None and len(value) > limit:
            return ShapeProblem("", f"is longer than {limit} characters")
        if choices and value not in choices:
            return ShapeProblem("", f"is not one of {sorted(choices)}")
        return None

    return check


def _check_integer(member: Property) -> Check:
    wrong, low, high = _wrong_type("integer"), member.minimum, member.maximum

    def check(value: Any) -> ShapeProblem | None:
        if type(value) is not int:  # true and false are no integers, and neither is 1.0
            return wrong
        if low is not None and value < low:
            return ShapeProblem("", f"is less than the minimum of {low}")
        if high is not None and value > high:
            return ShapeProblem("", f"is greater than the maximum of {high}")
        if member.int64 and value not in _INT64:
            return ShapeProblem("", "is beyond 64 bits")
        return None

    return check


def _check_boolean(_member: Property) -> Check:
    wrong = _wrong_type("boolean")
    return lambda value: None if type(value) is bool else wrong


def _check_array(member: Property) -> Check:
    wrong, low, high = _wrong_type("array"), member.min_items or 0, member.max_items
    item_type = str if member.items == "string" else dict
    item_check = object_check(member.items) if isinstance(member.items, ObjectShape) else None

    def check(value: Any) -> ShapeProblem | None:
        if type(value) is not list:
            return wrong
        if len(value) < low:
            return ShapeProblem("", f"has fewer than {low} items")
        if high is not None and len(value) > high:
            return ShapeProblem("", f"has more than {high} items")
        for position, item in enumerate(value):
            if type(item) is not item_type:
                return _wrong_type("string" if item_type is str else "object").below(str(position))
            problem = item_check(item) if item_check else None
            if problem is not None:
                return problem.below(str(position))
        return None

    return check


def _check_object(member: Property) -> Check:
    return object_check(member.shape or ObjectShape(()))


def _or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


_CHECKS: Final[dict[str, Callable[[Property], Check]]] = {
    "string": _check_string,
    "integer": _check_integer,
    "boolean": _check_boolean,
    "array": _check_array,
    "object": _check_object,
}


def _unexpected(names: Iterable[str]) -> ShapeProblem:
    extras = sorted(names)
    listed, verb = ", ".join(map(repr, extras)), "was" if len(extras) == 1 else "were"
    # seen: Invalid request: Additional properties are not allowed ('category_name' was unexpected)
    return ShapeProblem(None, f"Additional properties are not allowed ({listed} {verb} unexpected)")


def object_check(shape: ObjectShape) -> Check:
    """Compile `shape` to a function from any JSON value to the first problem of it, or None."""
    checks = {member.name: _CHECKS[member.type](member) for member in shape.members}
    checks |= {
        member.name: _or_null(checks[member.name]) for member in shape.members if member.nullable
    }
    free_texts = {
        member.name
        for member in shape.members
        if member.type == "string" and not (member.max_length or member.choices)
    }
    wrong = _wrong_type("object")

    def check(value: Any) -> ShapeProblem | None:
        if type(value) is not dict:
            return wrong
        for name, held in value.items():
            if (
                type(held) is str and name in free_texts
            ):  # most members are: a quarter of the time saved
                continue
            member_check = checks.get(name)
            if member_check is None:
                return _unexpected(value.keys() - checks.keys())
            problem = member_check(held)
            if problem is not None:
                return problem.below(name)
        for name in shape.required:
            if name not in value:
                return ShapeProblem("", f"lacks '{name}', which is a required property")
        return None

    return check


check_body: Final = object_check(BODY)
check_list: Final = object_check(CUSTOMER_LIST)
check_list_update: Final = object_check(CUSTOMER_LIST_UPDATE)
check_audience: Final = object_check(AUDIENCE)
