"""How a database that a setting names fails, with the message that stops a run."""


class DatabaseError(Exception):
    """A database cannot be used; a subclass has its `place`, as the settings name it.

    `words` say why, without the URL, which may contain a password.
    """

    place = "the database"

    def __init__(self, words: str) -> None:
        super().__init__(f"{self.place} cannot be used: {words}")

    @property
    def stop_message(self) -> str:
        """The message that stops a run."""
        return (
            f"{self}. STATE stays before what is not recorded there: "
            "check the database, and run again."
        )
