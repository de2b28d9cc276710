"""The sandbox's page at `/`: what it received, live, and a switch for each fault.

`site` answers for it, `origin_guard` says who may ask, `changes`, `history` and `one_event` read
what it shows from the store, `switches` makes the forms of the faults. The page itself is
`index.html` with its stylesheet and scripts, served as they are.
"""
