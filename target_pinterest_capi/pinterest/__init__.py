"""Pinterest's API: one attempt in, one typed response out, and what a response means."""
