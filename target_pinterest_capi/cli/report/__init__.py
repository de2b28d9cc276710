"""`pinterest-capi report`."""
