"""Whole runs with a simulated clock, network, disk and process crashes, each from a seed.

Nothing sleeps, and every random choice comes from the seed, so that each run of a scenario is the
same. The parts are the program's own, with a simulated environment passed to their constructors.
`scenario` draws what happens, `world` has time, `pinterest` the other side, `process` one run of
the program, `checks` what must hold, and `wrong_parts` shows that it would be seen if it did not.
"""
