"""Customer lists: members, net operations, and their delivery in order."""
