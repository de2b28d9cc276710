"""Removes people from the customer lists of a configuration, by their e-mail addresses.

From lists of e-mail addresses, and from lists of rows: there with everything on record of the row,
because it is not documented which identifiers Pinterest compares. Records of full refreshes are
deleted too, once Pinterest removed the members. Lists of device ids have no addresses.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes, list_key
from target_pinterest_capi.customer_lists.list_delivery import configured_list
from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.customer_lists.remote_list import ConfiguredList, RemoteList
from target_pinterest_capi.pinterest.calls import Flow
from target_pinterest_capi.pinterest.list_records import ListMember, ListRow
from target_pinterest_capi.settings import CustomerListEntry, Settings

EMAIL = "EMAIL"


class AffectedLists(NamedTuple):
    """The lists from which addresses are removed, and those that stay as they are, with reasons.

    `unnamed` are entries whose lists are named by records and not known here.
    """

    removed_from: tuple[CustomerListEntry, ...]
    left: tuple[tuple[str, str], ...]
    unnamed: tuple[str, ...] = ()


def affected_lists(settings: Settings, names: Sequence[str] = ()) -> AffectedLists:
    """Return the lists in the settings that can have an address, each once.

    `names` are lists named by records: any entry with such names may have created them.
    """
    entries: dict[ConfiguredList, CustomerListEntry] = {}
    left: dict[str, str] = {}
    unnamed: dict[str, None] = {}
    for entry in _named(settings.customer_lists, names):
        if entry.list_name_expression is not None:
            unnamed[entry.label] = None
        elif not entry.has_rows and entry.list_type != EMAIL:
            left[entry.label] = (
                f"it is a list of {entry.list_type}, which an e-mail address cannot identify"
            )
        else:
            entries.setdefault(configured_list(settings, entry), entry)
    return AffectedLists(tuple(entries.values()), tuple(left.items()), tuple(unnamed))


def _named(
    entries: Sequence[CustomerListEntry], names: Sequence[str]
) -> Iterator[CustomerListEntry]:
    """Yield the entries; those with names from records once for each of the names."""
    for entry in entries:
        if entry.list_name_expression is None or not names:
            yield entry
            continue
        for name in names:
            yield entry.model_copy(update={"list_name": name, "list_name_expression": None})


class ListRemoval:
    """The removal of address digests from one list, and its result."""

    def __init__(
        self,
        remote: RemoteList,
        digests: Sequence[str],
        refreshes: FullRefreshes | None,
        *,
        has_rows: bool,
    ) -> None:
        self.removed = 0
        self.refused = 0
        self.is_there = True
        self._remote = remote
        self._digests = digests
        self._refreshes = refreshes
        self._has_rows = has_rows
        self._key = list_key(remote.configured.ad_account_id, remote.configured.name)

    def flow(self) -> Flow:
        """Find the list, and remove the members."""
        yield from self._remote.find()
        self.is_there = self._remote.id is not None
        if self.is_there:
            members = list(self._rows()) if self._has_rows else list(self._digests)
            yield from self._remote.send(Action.REMOVE, members, self)

    def _rows(self) -> Iterator[ListMember]:
        """Yield the recorded rows of the people, and for each address a row with only that."""
        if self._refreshes is not None:
            identities = {("email", bytes.fromhex(one)) for one in self._digests}
            yield from self._refreshes.rows_with(self._key, identities)
        yield from (ListRow(email=one) for one in self._digests)

    def settle_accepted(self, action: Action, members: Sequence[ListMember]) -> None:  # noqa: ARG002 - it is REMOVE
        """Delete members from the record that Pinterest removed."""
        if self._refreshes is not None:
            self._refreshes.forget_members(self._key, members)
        self.removed += len(members)

    def settle_refused(self, member: ListMember, message: str) -> None:  # noqa: ARG002 - shown nowhere
        """Count a member that Pinterest refused."""
        self.refused += 1
