"""What can be tried before a run: connection, credentials, lists, mappings."""
