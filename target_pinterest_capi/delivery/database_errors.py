"""How a database that a setting names fails, in words that a run can stop with."""


class DatabaseError(Exception):
    """A database cannot be used; a subclass names its `place`, which is what a setting names.

    `words` say why, without the URL, which may hold a password.
    """

    place = "the database"

    def __init__(self, words: str) -> None:
        super().__init__(f"{self.place} cannot be used: {words}")

    @property
    def stop_message(self) -> str:
        """What to say where a run stops for it."""
        return (
            f"{self}. STATE stays before what is not recorded there: "
            "check the database, and run again."
        )
