"""What tests of customer lists start from: people, their digests, and a target's settings."""

import hashlib
from typing import Any

from given import record, schema

LIST = "VIPs"
ACCESS_TOKEN = "sandbox-access-token"  # the sandbox's own
SCHEMA = schema("vips", "id", "email", "action", key_properties=("id",))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def person(number: int) -> str:
    """Return the digest of a person's address."""
    return digest(f"person{number}@example.com")


def people(*numbers: int) -> frozenset[str]:
    return frozenset(person(number) for number in numbers)


def row(number: int, action: str | None = "add", **columns: Any) -> bytes:
    """Return the RECORD line of a person."""
    return record(
        "vips",
        **{"id": number, "email": f"Person{number}@Example.com ", "action": action, **columns},
    )


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry of customer_lists; a member set to None is dropped."""
    given = {
        "stream": "vips",
        "list_name": LIST,
        "member": ["email"],
        "operation": "action",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def list_settings(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the settings of a target with lists but without events."""
    return {
        "conversion_token": None,
        "mappings": [],
        "oauth": {"access_token": ACCESS_TOKEN},
        "customer_lists": list(entries) or [entry()],
        **changes,
    }
