"""Pinterest on loopback.

States Pinterest's rules by itself and imports nothing from the rest of the package.

`server.Sandbox` is the door for tests and people; `app`, `store`, `faults`, `rules` and
`request_bodies` stand behind it. Nothing is imported here, so that `rules` and `faults` can be read
without the web server's packages.
"""
