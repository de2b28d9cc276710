"""What both programs do before anything else: handle signals, and closed standard streams.

Imports take most of a second. A signal in that time ends the process at once, with the same exit
code as later: nothing was read, and nothing is lost. Imports nothing that Python has not loaded by
itself, because until this is done SIGINT prints a traceback.
"""

import os
import sys

_NEW_OBJECTS = 50_000  # that are not freed, before garbage is searched for among them
_SEARCHES = (20, 50)  # before one among older objects, and before one among all


def prepare() -> None:
    """End the process at SIGINT and SIGTERM, unless they are ignored, and open closed streams.

    Nothing is garbage while modules are imported, so it is not searched for: see `keep_imported`.
    """
    try:
        import signal  # noqa: PLC0415 - takes a while

        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _end)
    except KeyboardInterrupt:
        _end(2, None)
    import gc  # noqa: PLC0415 - signals come first

    gc.disable()
    _open_what_is_closed()


def keep_imported() -> None:
    """Search for garbage from now on, rarely, and never again among what was imported.

    There is little, as objects without cycles are freed at once, but each search looks at all that
    is new, and often at all that is kept. Python searches once more when the program ends: by then
    everything is frozen.
    """
    import atexit  # noqa: PLC0415 - signals come first
    import gc  # noqa: PLC0415 - see above

    gc.freeze()
    atexit.register(gc.freeze)
    gc.set_threshold(_NEW_OBJECTS, *_SEARCHES)
    gc.enable()


def hand_over() -> None:
    """From now on let signals end what has begun in the usual way, if `prepare` handled them.

    SIGINT is a `KeyboardInterrupt`, and SIGTERM a `SystemExit`, so both clean up.
    """
    import signal  # noqa: PLC0415 - see above

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _exit}
    for number, handler in usual.items():
        if signal.getsignal(number) is _end:
            signal.signal(number, handler)


def _open_what_is_closed() -> None:
    """Prevent files that are opened later from getting the numbers of stdin, stdout and stderr.

    If one is closed, a ledger could become stderr, and log messages would be written to it. What is
    opened instead can be neither read nor written, except for stderr, which is discarded.
    """
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - until the process ends


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - the signal module's signature
    os._exit(128 + number)


def _exit(number: int, frame: object) -> None:  # noqa: ARG001 - the signal module's signature
    sys.exit(128 + number)
