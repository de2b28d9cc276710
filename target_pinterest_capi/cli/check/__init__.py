"""`pinterest-capi check`."""
