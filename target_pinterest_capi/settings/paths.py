"""Pinterest's field paths as people write them: nested or dotted, or under another name."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from target_pinterest_capi.events.fields import BY_PATH, OBJECTS, Field
from target_pinterest_capi.settings.problems import Problem, joined, nearest

SAME_PARENT_CUTOFF: Final = 0.5
# common names for fields whose own name is too short for a comparison by letters
COMMON_NAMES: Final = {
    "email": "user_data.em",
    "emails": "user_data.em",
    "email_address": "user_data.em",
    "phone": "user_data.ph",
    "phone_number": "user_data.ph",
    "gender": "user_data.ge",
    "first_name": "user_data.fn",
    "last_name": "user_data.ln",
    "birth_date": "user_data.db",
    "birthday": "user_data.db",
    "date_of_birth": "user_data.db",
    "dob": "user_data.db",
    "city": "user_data.ct",
    "state": "user_data.st",
    "region": "user_data.st",
    "zip": "user_data.zp",
    "zip_code": "user_data.zp",
    "postal_code": "user_data.zp",
    "postcode": "user_data.zp",
    "user_id": "user_data.external_id",
    "customer_id": "user_data.external_id",
    "ip": "user_data.client_ip_address",
    "ip_address": "user_data.client_ip_address",
    "user_agent": "user_data.client_user_agent",
    "epik": "user_data.click_id",
    "url": "event_source_url",
    "timestamp": "event_time",
    "total": "custom_data.value",
    "items": "custom_data.contents",
    "products": "custom_data.contents",
}


def flatten(raw: Mapping[Any, Any], where: str, problems: list[Problem]) -> dict[str, Any]:
    """Return `{field path: value}` of a nested, dotted or mixed object.

    The value of a known path is kept as it is, also if it is an object. A path that is not a field,
    or is given twice, is a problem and dropped.
    """
    flat: dict[str, Any] = {}
    for path, value in _walk(raw, ""):
        if path in BY_PATH and path not in flat:
            flat[path] = value
        else:
            advice = _advice(path, is_known=path in flat)
            problems.append(Problem(joined(where, path), advice))
    return flat


def _advice(path: str, *, is_known: bool) -> str:
    if is_known:
        return "is given twice, nested and dotted: keep one"
    if path in OBJECTS:
        return f"is an object of several fields: name one, such as {_first_member(path)}"
    return (
        f"is not a field of Pinterest's events; did you mean {nearest_path(path)}? "
        "`pinterest-capi fields` lists them all"
    )


def nearest_path(path: str) -> str:
    """Return the field path that is closest to an unknown one."""
    parent, _, leaf = path.rpartition(".")
    if parent.removesuffix("[]") in BY_PATH:  # a member of the items, which are mapped as a whole
        return parent.removesuffix("[]")
    if leaf in COMMON_NAMES:
        return COMMON_NAMES[leaf]
    by_leaf = _by_leaf(reversed(BY_PATH.values()))
    if leaf in by_leaf:
        return by_leaf[leaf]
    siblings = _by_leaf(_members(parent))
    sibling = nearest(leaf, siblings, SAME_PARENT_CUTOFF)
    if sibling:
        return siblings[sibling]
    found = nearest(leaf, by_leaf)
    if found:
        return by_leaf[found]
    return nearest(path, BY_PATH, cutoff=0) or "event_name"


def _by_leaf(fields: Iterable[Field]) -> dict[str, str]:
    return {field.leaf: field.path for field in fields}


def _members(parent: str) -> list[Field]:
    return [field for field in BY_PATH.values() if field.parent == parent]


def _walk(raw: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in raw.items():
        path = f"{prefix}{key}"
        # only within the objects of an event: an object given for a field is its value
        if isinstance(value, Mapping) and path in OBJECTS:
            yield from _walk(value, f"{path}.")
        else:
            yield path, value


def _first_member(parent: str) -> str:
    return _members(parent)[0].path
