"""A customer list in the report: what was sent, and what Pinterest's last response means."""

from typing import Annotated, Final

import msgspec

# docs/pinterest-api.md: Customer lists (CustomerList, status)
STATUSES: Final = {
    "UPLOADING": "Pinterest is still importing the members",
    "PROCESSING": "Pinterest is still matching the members with its users",
    "READY": "it can be used in ads",
    "TOO_SMALL": (
        "fewer than 100 of its members are matched Pinterest users, and it can be used in ads "
        "from 100 on"
    ),
}


def _count(words: str) -> msgspec.Meta:
    return msgspec.Meta(description=words, ge=0)


class CustomerListReport(msgspec.Struct, frozen=True, kw_only=True):
    """One customer list after a run: names and numbers, without identifiers."""

    name: Annotated[
        str, msgspec.Meta(description="Its list_name or list_id, as the configuration has it.")
    ]
    ad_account_id: str
    list_id: Annotated[
        str | None,
        msgspec.Meta(description="Null if the list does not exist or was not looked up."),
    ]
    created: Annotated[bool, msgspec.Meta(description="Whether this run created it.")]
    added: Annotated[int, _count("Members in additions that Pinterest accepted in this run.")]
    removed: Annotated[int, _count("Members in removals that Pinterest accepted in this run.")]
    status: Annotated[
        str | None,
        msgspec.Meta(
            description=("UPLOADING, PROCESSING, READY or TOO_SMALL, in the last response.")
        ),
    ]
    uploaded_records: Annotated[
        int, _count("Pinterest's counter since the list was created; repeated records count again.")
    ]
    removed_records: Annotated[
        int, _count("The same for removals; records that were not on the list count too.")
    ]
    exceptions: Annotated[
        dict[str, str],
        msgspec.Meta(
            description=("What the last response said about records that could not be used.")
        ),
    ]
    answers_with_exceptions: Annotated[int, _count("Responses in this run that mention any.")]
    audience: Annotated[
        str | None,
        msgspec.Meta(description="found or created, if it is certain that one exists."),
    ]

    @property
    def meaning(self) -> str:
        """What the status means; empty without a status."""
        if not self.status:
            return ""
        return STATUSES.get(self.status, "Pinterest does not document this status")

    @property
    def exceptions_in_words(self) -> str:
        """What the last response said about records that could not be used, on one line."""
        return ", ".join(f"{name} {value}".strip() for name, value in self.exceptions.items())

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        about = f"customer list {self.name}"
        lines = [f"{about} ({self._place}): {self.added} members added, {self.removed} removed"]
        if self.audience is not None:
            made = "there" if self.audience == "found" else "made"
            lines[0] += f"; its audience was {made}"
        lines[0] += "."
        if self.status:
            lines.append(f"{about}: status {self.status}: {self.meaning}.")
            lines.append(
                f"{about}: Pinterest has counted {self.uploaded_records} uploaded and "
                f"{self.removed_records} removed records since the list was created; repeated "
                "and absent ones count too, so this is not its size."
            )
        return lines

    def warning(self) -> str | None:
        """Say how often Pinterest mentioned records that it could not use; None if never."""
        if not self.exceptions:
            return None
        return (
            f"customer list {self.name}: {self.answers_with_exceptions} responses mention "
            f"records that could not be used; the last: {self.exceptions_in_words}. Pinterest "
            "does not say which."
        )

    @property
    def _place(self) -> str:
        if not self.list_id:
            return "does not exist, or was not looked up"
        return f"id {self.list_id}{', made in this run' if self.created else ''}"
