"""A stream's builder: the rules of an event, and the code that is generated from them."""
