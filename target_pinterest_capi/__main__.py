"""The program `target-pinterest-capi`, which is also `python -m target_pinterest_capi`."""

from target_pinterest_capi.startup import keep_imported, prepare


def main() -> None:
    """Run the target."""
    prepare()
    from target_pinterest_capi.target import main as run  # noqa: PLC0415 - signals come first

    keep_imported()
    run()


if __name__ == "__main__":
    main()
