"""`pinterest-capi suggest`."""
