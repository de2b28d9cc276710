"""Pinterest's API: one attempt in, one typed response out, and what a response means."""

import sys

# httpx imports a command line of its own where it finds rich and pygments, which takes as long as
# the rest of it. Where that module cannot be imported, httpx does without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
