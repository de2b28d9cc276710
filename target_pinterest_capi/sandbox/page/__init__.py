"""The sandbox's page at `/`: what it received, live, and a switch for each fault.

`site` answers for it, `visitors` says who may, `news`, `history` and `one_event` make what it shows of the store, `switches` the
forms of the faults. The page itself is `index.html` with its stylesheet and scripts, loaded as they stand.
"""
