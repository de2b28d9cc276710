"""What can be tested before a run: connection, credentials, lists, mappings."""
