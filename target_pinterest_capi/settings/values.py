"""The normal form of each setting that is more than a string, a number or a choice.

Pure functions that return the value to use or raise WrongValueError; no message has the value.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import iso3166
from pydantic import SecretStr

from target_pinterest_capi.events import old_events
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.settings.problems import WrongValueError, did_you_mean

MAX_ACCOUNT_DIGITS: Final = 18  # docs/pinterest-api.md: Conversion events
REPORT_ENDINGS: Final = (".json", ".html")
METRICS_ENDING: Final = ".prom"

_ACCOUNT: Final = re.compile(rf"[0-9]{{1,{MAX_ACCOUNT_DIGITS}}}")
_DATABASE: Final = re.compile(r"(sqlite|postgresql)(\+[a-z0-9_]+)?://")
_IN_MEMORY: Final = re.compile(r"^sqlite[^:]*:///?(\?|$)|^sqlite.*(:memory:|[?&]mode=memory)")
_LARGEST_PORT: Final = 65_535
_COMMON_CODES: Final = {"UK": "GB", "USA": "US"}
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")  # what an Authorization header can carry


class Frozen(Mapping[str, Any]):
    """A read-only, hashable view of an object setting; its repr shows the keys only."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(_hashable(self._items))

    def __repr__(self) -> str:
        return f"Frozen({', '.join(self._items)})"


def as_plain(items: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object setting as plain dictionaries, including nested ones."""
    return {
        name: as_plain(member) if isinstance(member, Mapping) else member
        for name, member in items.items()
    }


def _hashable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset((key, _hashable(member)) for key, member in value.items())
    if isinstance(value, list | tuple):
        return tuple(_hashable(member) for member in value)
    return value


def account_id(text: str) -> str:
    """An ad account's id: 1 to 18 digits."""
    if not _ACCOUNT.fullmatch(text):
        raise WrongValueError(
            f"must be the ad account's id, digits only, {MAX_ACCOUNT_DIGITS} at most"
        )
    return text


def token(text: str) -> str:
    """A secret that goes into a request header: visible ASCII without white space."""
    if not _TOKEN.fullmatch(text):
        raise WrongValueError(
            "has white space or characters that a request header cannot carry: use only the "
            "token, without 'Bearer'"
        )
    ends = text[0] + text[-1]
    if ends in {"''", '""'}:
        raise WrongValueError("is in quotes, which are not part of a token: remove them")
    if ends == "<>":
        raise WrongValueError("is a placeholder: replace it with your own token")
    if text.startswith("$"):
        raise WrongValueError(
            "is the name of a variable that was not replaced by its value: set that variable"
        )
    return text


def api_url(text: str) -> str:
    """Return the base of all endpoints, without a slash at its end.

    It is https, or http if the host is this machine.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise WrongValueError("is not a URL: write it as https://host/v5") from None
    is_web = parts.scheme in {"http", "https"}
    if not host or not is_web or re.search(r"[^\x21-\x7e]", text):
        raise WrongValueError("is not a URL: write it as https://host/v5")
    if parts.scheme == "http" and not is_loopback(host):
        raise WrongValueError(
            "must start with https://: plain http is allowed only for this machine, because "
            "each request carries the token"
        )
    if parts.username is not None or parts.password is not None:
        raise WrongValueError("must not carry a user or a password: set conversion_token instead")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise WrongValueError("must end with its path, without ? and #")
    is_pinterest = host.endswith(".pinterest.com") and parts.path.rstrip("/") != "/v5"
    if is_pinterest or "/ad_accounts" in parts.path:
        raise WrongValueError(
            "must be the base of all addresses, ending in /v5: https://api.pinterest.com/v5"
        )
    return text.rstrip("/")


def notify_url(url: SecretStr) -> SecretStr:
    """The address of a webhook; secret, because whoever has it can post there."""
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or re.search(r"[^\x21-\x7e]", text):
        raise WrongValueError("is not a URL: write it as https://host/path")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise WrongValueError(
            "must start with https://: plain http is allowed only for this machine"
        )
    return url


def database_url(url: SecretStr) -> SecretStr:
    """An SQLAlchemy URL of SQLite or PostgreSQL; secret, because it may have a password."""
    if not _DATABASE.match(url.get_secret_value()):
        raise WrongValueError(
            "must be an SQLAlchemy URL: sqlite:///ledger.db, or "
            "postgresql+psycopg://user:password@host/database"
        )
    if _IN_MEMORY.search(url.get_secret_value()):
        raise WrongValueError(
            "must name a file, such as sqlite:///ledger.db: a database in memory is lost at the "
            "end of the run"
        )
    # as SQLAlchemy reads it: a password may contain what elsewhere ends a host
    address = re.split(r"[/?]", url.get_secret_value().partition("://")[2].rpartition("@")[2])[0]
    port = re.sub(r"^(\[.*\]|[^:]*):?", "", address)
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) <= _LARGEST_PORT):
        raise WrongValueError("has a port that is not a number from 1 to 65535")
    return url


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1.

    Requests to it are never proxied, and only they may use plain http.
    """
    host = host.rstrip(".").casefold()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def timezone(name: str) -> str:
    """An IANA time zone's name, as in the zone database."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        hint = did_you_mean(name, available_timezones())
        raise WrongValueError(
            f"must be the IANA name of a time zone, such as UTC or Europe/Paris{hint}"
        ) from None
    return name


def country(code: str) -> str:
    """An ISO 3166 alpha-2 code, upper case."""
    code = code.upper()
    if code in iso3166.countries_by_alpha2:
        return code
    by_word = iso3166.countries_by_alpha3.get(code) or iso3166.countries_by_name.get(code)
    meant = by_word.alpha2 if by_word else _COMMON_CODES.get(code)
    hint = f"; did you mean {meant}?" if meant else ""
    raise WrongValueError(
        f"must be the ISO 3166 code of a country in two letters, such as US or DE{hint}"
    )


def report_path(path: str) -> str:
    """A file whose ending decides its format: `.json` or `.html`."""
    if not path.casefold().endswith(REPORT_ENDINGS):
        raise WrongValueError("must end in .json or .html, which decides the report's format")
    return path


def old_events_path(path: str) -> str:
    """A folder, or a prefix, below which each ad account has its own files for each run."""
    if path.casefold().endswith(".csv"):
        raise WrongValueError("is a folder in which files are created: write it without .csv")
    return path


def old_events_names(names: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the names of the file's columns, events and sources, by those of the API.

    Keys may be nested at their dots, as Meltano passes them.
    """
    names = dict(_flat(names))
    for ours, theirs in names.items():
        if ours not in old_events.NAMEABLE:
            raise WrongValueError(
                f"has an unknown name {ours!r}{did_you_mean(ours, old_events.NAMEABLE)}"
            )
        if theirs is None and ours in old_events.MAY_BE_NULL:
            continue
        if not isinstance(theirs, str) or not theirs.strip():
            raise WrongValueError(f"must be a string for {ours}, as in Ads Manager's template")
    columns = [name for path, name in {**old_events.NAMES, **names}.items() if _is_column(path)]
    taken = [*old_events.FIXED_COLUMNS, *filter(None, columns)]
    if len(set(taken)) < len(taken):
        raise WrongValueError("has two columns with the same name")
    return Frozen(names)


def _flat(names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in names.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{leaf}", inner) for leaf, inner in value.items())
        else:
            yield name, value


def _is_column(name: str) -> bool:
    return name in (*old_events.ALWAYS, *old_events.OTHER_COLUMNS)


def metrics_path(path: str) -> str:
    """A text file with the ending that the node exporter's collector reads."""
    if not path.endswith(METRICS_ENDING):
        raise WrongValueError("must end in .prom: the node exporter reads no other file")
    return path


# What a `quality` gate can require: the share of events with a component, in per cent; a number of
# events, or that in per cent of the usual number; for all events together also how many arrive
# within an hour.
EVENTS: Final = "events"
EVENTS_OF_USUAL: Final = "events_of_usual"
WITHIN_AN_HOUR: Final = "within_an_hour"
ALL_EVENTS: Final = "all"
SHARES: Final = (*(component.name for component in COMPONENTS), EVENTS_OF_USUAL, WITHIN_AN_HOUR)


def quality(gates: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return gates by event name: each an object of measures, such as {"hashed_email": 80}."""
    return Frozen({name: Frozen(dict(_measures(name, asked))) for name, asked in gates.items()})


def _measures(name: str, asked: Any) -> Iterator[tuple[str, float]]:
    if not isinstance(asked, Mapping):
        raise WrongValueError("must be an object of event names: {checkout: {hashed_email: 80}}")
    for measure, least in asked.items():
        if measure not in (EVENTS, *SHARES):
            hint = did_you_mean(measure, (EVENTS, *SHARES))
            raise WrongValueError(f"has no measure {measure!r}{hint}")
        if measure == WITHIN_AN_HOUR and name != ALL_EVENTS:
            raise WrongValueError(
                f"{measure} can be measured only for all events: put it below {ALL_EVENTS}"
            )
        is_number = isinstance(least, int | float) and not isinstance(least, bool)
        if not is_number or least < 0 or (measure in SHARES and least > 100):  # noqa: PLR2004
            asked_for = (
                "a share of 0 to 100 per cent" if measure in SHARES else "a number of events"
            )
            raise WrongValueError(f"must be {asked_for} for {measure}")
        yield measure, float(least)
