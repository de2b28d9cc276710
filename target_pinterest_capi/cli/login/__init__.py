"""`pinterest-capi login`."""
