"""`pinterest-capi`, the command line for people: one module a command. Never imports singer_sdk."""
