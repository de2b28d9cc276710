"""Whole runs under one simulated clock, network, disk and death of processes, each from a seed.

Nothing sleeps, and nothing is drawn but from the seed: what one run of a scenario does, the next
does too. The parts are the program's own, given other surroundings through their constructors.
`scenario` draws what happens, `world` has time, `pinterest` the other side, `process` one run of
the program, `checks` what must hold, and `wrong_parts` shows that it would be seen if it did not.
"""
