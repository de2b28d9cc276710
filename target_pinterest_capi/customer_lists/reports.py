"""From a list as this process knows it to what the run's log and report say of it."""

from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.customer_lists.remote_list import RemoteList, exceptions_of
from target_pinterest_capi.reporting.customer_lists import ListReport


def report_of(remote: RemoteList) -> ListReport:
    """Give the report of a list."""
    last = remote.last
    return ListReport(
        name=remote.address.name,
        ad_account_id=remote.address.ad_account_id,
        list_id=remote.id,
        created=remote.was_created,
        added=remote.changed[Action.ADD],
        removed=remote.changed[Action.REMOVE],
        status=(last.status or None) if last is not None else None,
        uploaded_records=int(last.num_uploaded_user_records) if last is not None else 0,
        removed_records=int(last.num_removed_user_records) if last is not None else 0,
        exceptions=exceptions_of(last) if last is not None else {},
        answers_with_exceptions=remote.with_exceptions,
        audience=remote.audience,
    )
