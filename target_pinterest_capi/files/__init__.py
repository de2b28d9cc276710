"""Complete and durable files: replaced at once, or appended to by several processes."""
