"""`pinterest-capi demo`."""
