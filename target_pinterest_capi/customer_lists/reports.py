"""A customer list in the run's log and report."""

from typing import Final

from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.customer_lists.remote_list import RemoteList, exceptions_of
from target_pinterest_capi.pinterest.responses import CustomerListBody
from target_pinterest_capi.reporting.customer_lists import CustomerListReport

_UNSEEN: Final = CustomerListBody(id="")  # if no response had anything about the list


def report_of(remote: RemoteList) -> CustomerListReport:
    """Return the report of a list."""
    last = remote.last or _UNSEEN
    return CustomerListReport(
        name=remote.configured.shown,
        ad_account_id=remote.configured.ad_account_id,
        list_id=remote.id,
        created=remote.was_created,
        added=remote.changed[Action.ADD],
        removed=remote.changed[Action.REMOVE],
        status=last.status or None,
        uploaded_records=int(last.num_uploaded_user_records),
        removed_records=int(last.num_removed_user_records),
        exceptions=exceptions_of(last),
        answers_with_exceptions=remote.with_exceptions,
        audience=remote.audience,
    )
