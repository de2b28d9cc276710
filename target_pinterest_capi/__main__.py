"""The program `target-pinterest-capi`, which is also `python -m target_pinterest_capi`."""

from target_pinterest_capi.startup import prepare


def main() -> None:
    """Run the target."""
    prepare()
    from target_pinterest_capi.target import main as run  # noqa: PLC0415 - signals come first

    run()


if __name__ == "__main__":
    main()
