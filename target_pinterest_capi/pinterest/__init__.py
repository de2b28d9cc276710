"""Pinterest's API: one attempt, its typed response, and what a response means."""

import sys

# httpx imports its command line if it finds rich and pygments, which takes as long as the rest of
# it. If that module cannot be imported, httpx works without it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
