"""What a run did, for people: counters and the words around them."""
