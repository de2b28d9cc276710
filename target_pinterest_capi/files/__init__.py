"""Files that are whole and durable: replaced at once, or appended to by several processes."""
