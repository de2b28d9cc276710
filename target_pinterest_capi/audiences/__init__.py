"""Customer lists: from records to net operations, to requests in order, to the audience of a list."""
