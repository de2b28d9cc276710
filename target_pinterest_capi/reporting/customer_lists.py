"""What a run says of each customer list: what was sent, and what Pinterest's last answer means."""

from typing import Annotated, Final

import msgspec

# docs/pinterest-api.md: Customer lists (CustomerList, status)
STATUSES: Final = {
    "UPLOADING": "Pinterest is still taking the members in",
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
    """One customer list after a run: names and numbers, nobody's identifier."""

    name: Annotated[
        str, msgspec.Meta(description="Its list_name or list_id, as the configuration has it.")
    ]
    ad_account_id: str
    list_id: Annotated[
        str | None,
        msgspec.Meta(description="Null where the list is not there, or was not looked up."),
    ]
    created: Annotated[bool, msgspec.Meta(description="Whether this run made it.")]
    added: Annotated[int, _count("Members of additions that Pinterest took in this run.")]
    removed: Annotated[int, _count("Members of removals that Pinterest took in this run.")]
    status: Annotated[
        str | None,
        msgspec.Meta(description="UPLOADING, PROCESSING, READY or TOO_SMALL, by the last answer."),
    ]
    uploaded_records: Annotated[
        int, _count("Pinterest's counter over the list's life; repeated records count again.")
    ]
    removed_records: Annotated[
        int, _count("Likewise; records that were not on the list count too.")
    ]
    exceptions: Annotated[
        dict[str, str],
        msgspec.Meta(description="What the last answer said of records that could not be used."),
    ]
    answers_with_exceptions: Annotated[int, _count("Answers of this run that mention any.")]
    audience: Annotated[
        str | None,
        msgspec.Meta(description="found or made, where it is certain that there is one."),
    ]

    @property
    def meaning(self) -> str:
        """What the status means; empty where there is none."""
        if not self.status:
            return ""
        return STATUSES.get(self.status, "Pinterest does not describe this status")

    @property
    def exceptions_in_words(self) -> str:
        """What the last answer said of records that could not be used, as one line."""
        return ", ".join(f"{name} {value}".strip() for name, value in self.exceptions.items())

    def lines(self) -> list[str]:
        """Return the report in words, a line for each thing to know."""
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
                f"{self.removed_records} removed records over the list's life; repeated and absent "
                "ones count too, so this is not its size."
            )
        return lines

    def warning(self) -> str | None:
        """Say how often Pinterest mentioned records that it could not use; None: never."""
        if not self.exceptions:
            return None
        return (
            f"customer list {self.name}: {self.answers_with_exceptions} answers mention records "
            f"that could not be used; the last: {self.exceptions_in_words}. Pinterest does not say "
            "which."
        )

    @property
    def _place(self) -> str:
        if not self.list_id:
            return "not there, or not looked up"
        return f"id {self.list_id}{', made in this run' if self.created else ''}"
