"""Load records of any Singer tap into Pinterest's Conversions API."""

__version__: str


def __getattr__(name: str) -> str:
    """Return the version on request, because looking it up takes longer than Python's start.

    Until `startup` handles signals, SIGINT is a traceback.
    """
    if name == "__version__":
        from importlib import metadata  # noqa: PLC0415 - see above

        return metadata.version("target-pinterest-capi")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
