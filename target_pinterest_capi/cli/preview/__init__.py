"""`pinterest-capi preview`."""
