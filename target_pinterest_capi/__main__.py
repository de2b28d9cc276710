"""`python -m target_pinterest_capi`: `target-pinterest-capi`, where that is not on the PATH."""

from target_pinterest_capi.target import main

if __name__ == "__main__":
    main()
