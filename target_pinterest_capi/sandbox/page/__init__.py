"""The sandbox's page at `/`: what it received, live, and a switch for each fault.

`site` serves it, `origin_guard` decides who may ask, `changes`, `history` and `one_event` read its
contents from the store, and `switches` builds the forms of the faults. The page itself is
`index.html` with its stylesheet and scripts, served as they are.
"""
