"""What a run says of each customer list: what was sent, what Pinterest's last answer told, and what that means."""

from typing import Final, NamedTuple

from target_pinterest_capi.audiences.members import Action
from target_pinterest_capi.audiences.updates import RemoteList, exceptions_of

# spec 5.23.0: CustomerList, status
STATUSES: Final = {
    "UPLOADING": "Pinterest is still taking the members in",
    "PROCESSING": "Pinterest is still matching the members with its users",
    "READY": "it can be used in ads",
    "TOO_SMALL": "fewer than 100 of its members are matched Pinterest users, and it can be used in ads from 100 on",
}


class ListReport(NamedTuple):
    """One list after a run: names and numbers only.

    `added` and `removed` count members of requests that Pinterest took in this run; `uploaded` and `taken_off` are Pinterest's own
    counters over the list's life, which rise for repeated and absent members too. `exceptions` are those of the last answer, and
    `with_exceptions` counts the answers of this run that had some. `audience` is "found" or "made" where it is certain.
    """

    name: str
    ad_account_id: str
    list_id: str | None
    was_created: bool
    added: int
    removed: int
    status: str
    uploaded: int
    taken_off: int
    exceptions: dict[str, str]
    with_exceptions: int
    audience: str | None

    def lines(self) -> list[str]:
        """Give it in words, a line for each thing to know."""
        made = ", made in this run" if self.was_created else ""
        head = f"customer list {self.name} (id {self.list_id}{made}): {self.added} members added, {self.removed} removed"
        if self.audience is not None:
            head += f"; its audience was {'there' if self.audience == 'found' else 'made'}"
        lines = [f"{head}."]
        if self.status:
            lines.append(f"customer list {self.name}: status {self.status}: {STATUSES.get(self.status, 'not described')}.")
            lines.append(
                f"customer list {self.name}: Pinterest has counted {self.uploaded} uploaded and {self.taken_off} removed records "
                "over the list's life; repeated and absent ones count too, so this is not its size."
            )
        if self.exceptions:
            told = ", ".join(f"{name} {value}".strip() for name, value in self.exceptions.items())
            lines.append(
                f"customer list {self.name}: {self.with_exceptions} answers told of records that could not be used; the last: "
                f"{told}. Pinterest does not say which."
            )
        return lines


def report_of(remote: RemoteList) -> ListReport:
    """Give the report of a list as this process knows it."""
    last = remote.last
    return ListReport(
        name=remote.address.name,
        ad_account_id=remote.address.ad_account_id,
        list_id=remote.id,
        was_created=remote.was_created,
        added=remote.changed[Action.ADD],
        removed=remote.changed[Action.REMOVE],
        status=last.status if last is not None else "",
        uploaded=int(last.num_uploaded_user_records) if last is not None else 0,
        taken_off=int(last.num_removed_user_records) if last is not None else 0,
        exceptions=exceptions_of(last) if last is not None else {},
        with_exceptions=remote.with_exceptions,
        audience=remote.audience,
    )
