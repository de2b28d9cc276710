"""Pinterest on loopback.

It has its own version of Pinterest's rules and imports nothing from the rest of the package.

Tests and people use `server.Sandbox`, which uses `app`, `store`, `faults`, `rules` and
`request_bodies`. Nothing is imported here, so that `rules` and `faults` can be used without the web
server's packages.
"""
