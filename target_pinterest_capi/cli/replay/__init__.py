"""`pinterest-capi replay`."""
