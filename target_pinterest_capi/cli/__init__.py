"""`pinterest-capi`, the command line: one module per command. Never imports singer_sdk."""
