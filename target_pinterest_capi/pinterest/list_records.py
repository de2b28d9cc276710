"""Members of customer lists in requests: single identifiers, or rows of several.

Owns Pinterest's names for both, and how many fit in a request. Never normalizes and never hashes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec


class ListRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Identifiers of one person, sent as one row.

    `email`, `maid` and `hashed_phone_number` are digests, the others plain, as Pinterest requires.
    docs/pinterest-api.md: Customer lists.
    """

    email: str | None = None
    maid: str | None = None
    hashed_phone_number: str | None = None
    external_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None

    def __repr__(self) -> str:
        """Name the identifiers that are set, without values."""
        return f"ListRow({', '.join(self.given())})"

    def given(self) -> dict[str, str]:
        """Return the identifiers that are set, by Pinterest's names."""
        return {
            name: value for name, value in msgspec.structs.asdict(self).items() if value is not None
        }


ListMember = str | ListRow  # the digest of a single identifier, or a row


def request_records(members: Sequence[ListMember]) -> dict[str, Any]:
    """Return the member of a request's body with these members, which are all of one kind."""
    if any(isinstance(member, ListRow) for member in members):
        return {"records_v2": members}
    return {"records": ",".join(map(str, members))}


def split_by_request(
    members: Sequence[ListMember], most: int, most_bytes: int
) -> Iterator[Sequence[ListMember]]:
    """Yield the members of each request, within `most` members and `most_bytes` bytes.

    A member that is larger by itself gets its own request.
    """
    start, size = 0, 0
    for place, member in enumerate(members):
        added = _size(member)
        if place > start and (place - start >= most or size + added > most_bytes):
            yield members[start:place]
            start, size = place, 0
        size += added
    if members:
        yield members[start:]


def _size(member: ListMember) -> int:
    """Return how many bytes of a body a member needs, with the comma after it."""
    return len(member if isinstance(member, str) else msgspec.json.encode(member)) + 1
