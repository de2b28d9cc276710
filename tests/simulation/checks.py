"""What must hold in every simulated world, looked at from outside.

Each check raises `BrokenPromiseError` in words. None asks the run what it thinks, but for its final
account, which is held against the rest.
"""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulation.pinterest import NO_FAULT
from simulation.process import KILLED, SIGTERM, Process
from simulation.scenario import LETTER_KINDS, Record
from simulation.world import BrokenPromiseError
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.exit_codes import ExitCode
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.pinterest.responses import NoResponse, NoResponseKind

if TYPE_CHECKING:
    from simulation.simulation import Simulation

# Beyond the grace time: a request is not ended in the middle of its answer.
GRACE_SLACK_SECONDS: Final = 1.0


class Letter(NamedTuple):
    """A dead letter on the disk."""

    run: str
    mapping: str
    number: int


class Knowledge:
    """What a process has heard about its events, by their records' numbers."""

    def __init__(self) -> None:
        self.processed: set[int] = set()
        self.uncertain: set[int] = set()
        self.in_flight: Counter[int] = Counter()
        self.sent: set[int] = set()


class Checks:
    """Holds one simulation to the promises."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._known: dict[Process, Knowledge] = {}
        self._letters_path = Path(simulation.scenario.settings.dead_letter_path)

    def known(self, process: Process) -> Knowledge:
        return self._known.setdefault(process, Knowledge())

    # Requests

    def sending(self, process: Process, batch: Batch) -> None:
        """Nothing goes twice that need not."""
        known = self.known(process)
        scenario = self._simulation.scenario
        passed = process.states[-1] if process.states else 0
        grace = scenario.settings.shutdown_grace_seconds + GRACE_SLACK_SECONDS
        if process.signalled_at is not None and not process.fate.jumps:
            late = self._simulation.world.now - process.signalled_at > grace
            self._hold(not late, process, "sends after its grace time")
        numbers = _numbers(batch)
        self._simulation.world.tell("%s: sends records %s", process.name, numbers)
        for number in numbers:
            self._hold(number not in known.processed, process, f"sends {number}, heard of before")
            self._hold(not known.in_flight[number], process, f"sends {number}, which is under way")
            self._hold(number >= passed, process, f"sends {number}, which STATE has passed")
            is_offline = scenario.records[number].kind == "offline"
            if is_offline and scenario.settings.on_uncertain == "reject":
                self._hold(
                    number not in known.uncertain, process, f"sends {number} after uncertainty"
                )
            if scenario.has_ledger:
                self._hold_claim(process, number)
        known.in_flight.update(numbers)
        known.sent.update(numbers)

    def _hold_claim(self, process: Process, number: int) -> None:
        """Nothing goes that the ledger has, or that another run has sent and waits for."""
        simulation = self._simulation
        event = simulation.scenario.records[number].event
        assert event is not None
        stood_still = any(other.fate.jumps for other in simulation.processes)
        if stood_still and simulation.scenario.pipelines > 1:
            return  # for longer than a lease: it has lost its claims
        key = event_key(event.account, event.name, event.id)
        is_delivered = key in simulation.ledger.delivered
        self._hold(not is_delivered, process, f"sends {number}, which the ledger has")
        for other in simulation.processes:
            if other.is_dead or other.pipeline is process.pipeline:
                continue
            waits = any(self._same_event(event, sent) for sent in self._waited_for(other))
            self._hold(not waits, process, f"sends {number}, which another run has sent")

    def _waited_for(self, process: Process) -> set[int]:
        """Return the events that were sent, and of which nothing certain is known yet."""
        known, scenario = self.known(process), self._simulation.scenario
        uncertain = known.sent & known.uncertain - known.processed
        if scenario.settings.on_uncertain == "reject":  # a dead letter, and given up
            uncertain = {one for one in uncertain if scenario.records[one].kind != "offline"}
        return uncertain | {number for number, times in known.in_flight.items() if times}

    def _same_event(self, event: Event, number: int) -> bool:
        other = self._simulation.scenario.records[number].event
        assert other is not None
        return (event.account, event.id) == (other.account, other.id)

    def heard(self, process: Process, batch: Batch, response: Any) -> None:
        """Note what an answer says."""
        known = self.known(process)
        numbers = _numbers(batch)
        known.in_flight.subtract(numbers)
        if isinstance(response, NoResponse):
            if response.kind is NoResponseKind.UNCERTAIN:
                known.uncertain.update(numbers)
            return
        if response.body is not None and len(response.body) == len(numbers):
            known.uncertain.difference_update(numbers)
            verdicts = zip(numbers, response.body, strict=True)
            known.processed.update(
                number for number, verdict in verdicts if verdict.status == "processed"
            )
        elif response.status in {200, 500}:
            known.uncertain.update(numbers)
        elif response.status == 400 and len(numbers) == 1:
            known.uncertain.difference_update(numbers)

    def gave_up(self, process: Process, batch: Batch) -> None:
        """Note that nobody waits for an answer any more."""
        known = self.known(process)
        known.in_flight.subtract(_numbers(batch))
        known.uncertain.update(_numbers(batch))

    # STATE

    def state(self, process: Process, position: int) -> None:
        """A STATE is new, was sent, and every record before it has its place."""
        scenario = self._simulation.scenario
        self._hold("stdout" not in process.troubles, process, "writes a line after a cut one")
        self._hold(position in process.states_read, process, f"invents the STATE {position}")
        before = process.states[-1] if process.states else process.start
        self._hold(position >= before, process, f"goes back to the STATE {position}")
        letters = self.letters()
        lettered = _of_pipeline(letters, process)
        for record in scenario.records[process.start : position]:
            self._hold(
                self._has_place(record, lettered),
                process,
                f"writes the STATE {position} before record {record.number} has its place",
            )
        self._hold_limit(process, before, position, letters)
        if scenario.has_lists:
            self._hold_lists(process, position)

    def _has_place(self, record: Record, lettered: set[int]) -> bool:
        if record.kind in {"skipped", "member"}:
            return True  # members are looked at by list
        if record.kind in LETTER_KINDS:
            return record.number in lettered
        assert record.event is not None
        return self._is_delivered(record) or (
            record.kind == "offline"
            and self._simulation.scenario.settings.on_uncertain == "reject"
            and record.number in lettered
        )

    def _is_delivered(self, record: Record) -> bool:
        assert record.event is not None
        pinterest = self._simulation.pinterest
        if self._simulation.scenario.has_ledger:
            return pinterest.processed[record.event.account.ad_account_id, record.event.id] > 0
        return pinterest.processed_records[record.number] > 0

    def _hold_limit(
        self, process: Process, before: int, position: int, letters: list[Letter]
    ) -> None:
        """While too much fails no STATE passes what failed."""
        assert process.run is not None
        ratio, tally = self._simulation.scenario.settings.max_rejected_ratio, process.run.tally
        if ratio is None or not tally.failed or tally.failed < ratio * tally.attempted:
            return
        kinds = {record.number: record.kind for record in self._simulation.scenario.records}
        passed = {
            letter.number
            for letter in letters
            if letter.run == process.name
            and before <= letter.number < position
            and kinds[letter.number] != "old"
        }
        self._hold(not passed, process, f"passes the failed {passed} while too much fails")

    def _hold_lists(self, process: Process, position: int) -> None:
        """Each member is as its last operation says, unless a later one takes its place."""
        scenario, pinterest = self._simulation.scenario, self._simulation.pinterest
        last = {record.person: record for record in process.read}
        for record in last.values():
            if record.number >= position or record.person in scenario.refused_people:
                continue
            for name in scenario.list_names:
                self._hold(
                    (record.person in pinterest.lists.get(name, ())) == record.adds,
                    process,
                    f"writes the STATE {position} before list {name} has person {record.person}",
                )

    # The end of a process

    def end(self, process: Process, code: int) -> None:
        """The exit code is right, and the account is true."""
        world = self._simulation.world
        scenario = self._simulation.scenario
        letters = self.letters()
        self._hold_letters(process, letters)
        if code == KILLED:
            return
        assert process.run is not None
        grace = scenario.settings.shutdown_grace_seconds + GRACE_SLACK_SECONDS
        if process.signalled_at is not None and not process.fate.jumps:
            took = world.now - process.signalled_at
            self._hold(took <= grace, process, f"takes {took:.1f} seconds to end")
        self._hold_code(process, code)
        self._hold_account(process, code, letters)

    def _hold_letters(self, process: Process, letters: list[Letter]) -> None:
        twice = [letter for letter, times in Counter(letters).items() if times > 1]
        self._hold(not twice, process, f"has letters twice: {twice}")
        for letter in letters:
            if letter.run == process.name:
                kind = self._simulation.scenario.records[letter.number].kind
                self._hold(
                    kind in LETTER_KINDS or kind in {"offline", "member"},
                    process,
                    f"rejects the good record {letter.number}",
                )

    def _hold_code(self, process: Process, code: int) -> None:
        allowed = self._allowed_codes(process)
        self._hold(code in allowed, process, f"ends with {code} ({process.stopped}), not {allowed}")
        is_too_much = code == int(ExitCode.TOO_MUCH_REJECTED)
        if is_too_much and "on_invalid" not in str(process.stopped):
            self._hold_too_much(process)

    def _allowed_codes(self, process: Process) -> set[int]:
        troubles, scenario = process.troubles, self._simulation.scenario
        may_stop = troubles | (set(process.connection.struck) - {NO_FAULT})
        if troubles & {"stdout", "cut line"}:
            return {int(ExitCode.ERROR), int(ExitCode.TOO_MUCH_REJECTED)}
        allowed = {int(ExitCode.TOO_MUCH_REJECTED)}
        if scenario.has_ledger and any(other.fate.jumps for other in self._simulation.processes):
            may_stop |= {"stood still"}
        if may_stop or process.signalled_at is not None or is_about_settings(process):
            allowed.add(int(ExitCode.ERROR))
        allowed.add(int(ExitCode.OK) if process.signalled_at is None else SIGTERM)
        return allowed

    def _hold_too_much(self, process: Process) -> None:
        """Too much failed even if everything else that was read had got through."""
        assert process.run is not None
        ratio, tally = self._simulation.scenario.settings.max_rejected_ratio, process.run.tally
        totals = tally.by_outcome()
        old = sum(record.kind == "old" for record in process.read)
        counted = self._arrivals(process) - totals["skipped"] - old
        self._hold(
            ratio is not None and tally.failed > 0 and tally.failed >= ratio * counted,
            process,
            f"ends with 3, though {tally.failed} of {counted} failed",
        )

    def _arrivals(self, process: Process) -> int:
        scenario = self._simulation.scenario
        return len(process.read) * (len(scenario.list_names) if scenario.has_lists else 1)

    def _hold_account(self, process: Process, code: int, letters: list[Letter]) -> None:
        """Each record is counted once, and as what it came to."""
        assert process.run is not None
        scenario = self._simulation.scenario
        totals = process.run.tally.by_outcome()
        written = sum(letter.run == process.name for letter in letters)
        self._hold(
            totals["invalid"] + totals["rejected"] == written,
            process,
            f"counts {totals}, and has {written} letters",
        )
        arrivals = self._arrivals(process)
        self._hold(sum(totals.values()) <= arrivals, process, f"counts {totals} of {arrivals}")
        if not scenario.has_lists and "ledger" not in process.troubles:
            heard = len(self.known(process).processed)
            self._hold(totals["delivered"] == heard, process, f"counts {totals}, heard of {heard}")
        if code == int(ExitCode.OK):
            self._hold(process.has_read_all, process, "ends with 0 before the end of its input")
            self._hold(sum(totals.values()) == arrivals, process, f"counts {totals} of {arrivals}")
            last = process.states_read[-1:]
            self._hold(
                process.states[-1:] == last, process, f"ends with 0 and without the STATE {last}"
            )

    # The end of a pipeline

    def final(self, process: Process, code: int) -> None:
        """Where the last run ended well, everything is where it belongs."""
        scenario = self._simulation.scenario
        if code != int(ExitCode.OK):
            self._hold(
                is_about_settings(process) or code == int(ExitCode.TOO_MUCH_REJECTED),
                process,
                f"ends with {code} for good",
            )
            return
        letters = self.letters()
        lettered = _of_pipeline(letters, process)
        for record in scenario.records:
            self._hold(self._has_place(record, lettered), process, f"loses {record.number}")
        for name in scenario.list_names if scenario.has_lists else ():
            members = {record.person: record.adds for record in scenario.records}
            expected = {who for who, is_in in members.items() if is_in} - scenario.refused_people
            held = self._simulation.pinterest.lists.get(name, set())
            self._hold(held == expected, process, f"leaves {held} on {name}, not {expected}")

    # The disk

    def letters(self) -> list[Letter]:
        """Return the dead letters that are on the disk; half a line only where a process died."""
        if not self._letters_path.exists():
            return []
        letters, cut = [], 0
        for line in self._letters_path.read_bytes().split(b"\n"):
            try:
                row = json.loads(line)
            except ValueError:
                cut += bool(line)
            else:
                letters.append(Letter(row["run_id"], row["mapping"], int(row["key"]["id"])))
        died = sum(process.cut_writes for process in self._simulation.processes)
        if cut > died:
            raise BrokenPromiseError(
                f"{cut} lines of dead letters are cut, and {died} writers died"
            )
        return letters

    def _hold(self, holds: bool, process: Process, words: str) -> None:
        if not holds:
            raise BrokenPromiseError(f"{process.name} {words}")


def is_about_settings(process: Process) -> bool:
    """Return whether a run stopped since nothing but refusals came, as it should."""
    has_refused = bool(process.scenario.refused_people)
    return has_refused and "none was accepted" in str(process.stopped)


def _of_pipeline(letters: list[Letter], process: Process) -> set[int]:
    """Return the records that have a dead letter of this pipeline's runs."""
    return {letter.number for letter in letters if letter.run.startswith(process.pipeline.name)}


def _numbers(batch: Batch) -> list[int]:
    return [int(event.key["id"]) for event in batch.events]  # type: ignore[index,call-overload]
