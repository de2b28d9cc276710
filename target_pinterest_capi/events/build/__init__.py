"""A stream's builder: the rules for an event, and the code that is generated from them."""
