"""`pinterest-capi forget`."""
