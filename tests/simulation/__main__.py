"""Run seeds, `python -m simulation FIRST NUMBER`, or one with its story, `... SEED`."""

import logging
import sys
import time

from simulation.simulation import SeedFailedError, Simulations


def main() -> int:
    logging.disable()
    first = int(sys.argv[1])
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.monotonic()
    failed = []
    with Simulations() as simulations:
        for seed in range(first, first + number):
            try:
                story = simulations.run(seed)
            except SeedFailedError as failure:
                failed.append(seed)
                print(failure if number == 1 else failure.summary)
            else:
                if number == 1:
                    print(story)
        seconds = time.monotonic() - began
        print(f"{number} seeds in {seconds:.1f} s, exit codes {dict(simulations.codes)}")
        print(f"faults {dict(simulations.faults)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
