"""`pinterest-capi eqs`."""
