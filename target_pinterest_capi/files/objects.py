"""Objects below a prefix that is an fsspec URL: each written whole, or not at all."""


def write_object(url: str, data: bytes) -> None:
    """Write an object. Raises `OSError`, in words without what it holds."""
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
    except Exception as error:  # each store has exceptions of its own
        raise OSError(f"the store failed ({type(error).__name__})") from error
