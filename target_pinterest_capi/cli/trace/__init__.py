"""`pinterest-capi trace`."""
