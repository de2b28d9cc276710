"""Objects below a prefix that is an fsspec URL: each is written completely, or not at all."""


def write_object(url: str, data: bytes) -> None:
    """Write an object. Raises `OSError`, with a message without its contents."""
    import fsspec  # noqa: PLC0415 - costs 30 ms, and only a prefix needs it

    options = {"auto_mkdir": True} if url.startswith("file://") else {}
    try:
        place = fsspec.open(url, "wb", **options)
    except (ImportError, ValueError) as error:
        scheme = url.partition("://")[0]
        raise OSError(f"no fsspec file system for {scheme}:// is installed") from error
    try:
        with place as file:
            file.write(data)
    except OSError:
        raise
    except Exception as error:  # each store has its own exceptions
        raise OSError(f"the store failed ({type(error).__name__})") from error
