"""The program `pinterest-capi`, which is also `python -m target_pinterest_capi.cli`."""

from target_pinterest_capi.startup import keep_imported, prepare


def main() -> None:
    """Run the command that is named."""
    prepare()
    from target_pinterest_capi.cli.main import main as run  # noqa: PLC0415 - signals come first

    keep_imported()
    run()


if __name__ == "__main__":
    main()
