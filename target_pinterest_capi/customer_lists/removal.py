"""People taken out of the customer lists of a configuration, by their e-mail addresses.

Removes from a list of addresses, and from a list of rows: there with all that is on record of the
row, since it is open which identifiers Pinterest compares. What is on record for full refreshes
goes too, once Pinterest has removed it. Lists of device ids know no addresses.
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
    """The lists that addresses are removed from, and those that stay as they are, and why.

    `unnamed` are entries whose lists are named by records: which there are is not known.
    """

    removed_from: tuple[CustomerListEntry, ...]
    left: tuple[tuple[str, str], ...]
    unnamed: tuple[str, ...] = ()


def affected_lists(settings: Settings, names: Sequence[str] = ()) -> AffectedLists:
    """Return which lists of the settings can hold an address, each once.

    `names` are those of lists that records have named: each entry that does so may have made them.
    """
    entries: dict[ConfiguredList, CustomerListEntry] = {}
    left: dict[str, str] = {}
    unnamed: dict[str, None] = {}
    for entry in _named(settings.customer_lists, names):
        if entry.list_name_expression is not None:
            unnamed[entry.label] = None
        elif not entry.has_rows and entry.list_type != EMAIL:
            left[entry.label] = f"it is of {entry.list_type}, which no address leads to"
        else:
            entries.setdefault(configured_list(settings, entry), entry)
    return AffectedLists(tuple(entries.values()), tuple(left.items()), tuple(unnamed))


def _named(
    entries: Sequence[CustomerListEntry], names: Sequence[str]
) -> Iterator[CustomerListEntry]:
    """Yield the entries, those of lists that records name once for each of the names."""
    for entry in entries:
        if entry.list_name_expression is None or not names:
            yield entry
            continue
        for name in names:
            yield entry.model_copy(update={"list_name": name, "list_name_expression": None})


class ListRemoval:
    """The removal of digests of addresses from one list, and what became of them."""

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
        """Yield what is on record of the people, and for each address a row of it alone."""
        if self._refreshes is not None:
            identities = {("email", bytes.fromhex(one)) for one in self._digests}
            yield from self._refreshes.rows_with(self._key, identities)
        yield from (ListRow(email=one) for one in self._digests)

    def settle_accepted(self, action: Action, members: Sequence[ListMember]) -> None:  # noqa: ARG002 - it is REMOVE
        """Forget members that Pinterest has removed."""
        if self._refreshes is not None:
            self._refreshes.forget_members(self._key, members)
        self.removed += len(members)

    def settle_refused(self, member: ListMember, message: str) -> None:  # noqa: ARG002 - shown nowhere
        """Count a member that Pinterest refused."""
        self.refused += 1
