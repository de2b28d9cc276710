"""What must be true in every simulated world, observed from outside.

Each check raises `BrokenPromiseError` with a message. None uses the run's own state, except its
final report, which is compared with the rest.
"""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from refreshes_model import RunRefreshes

from simulation.pinterest import NO_FAULT, PEOPLE_BY_DIGEST, SoundConnection
from simulation.process import KILLED, SIGTERM, Process
from simulation.scenario import LETTER_KINDS, Record
from simulation.world import BrokenPromiseError
from target_pinterest_capi.customer_lists.prune import PrunePlan, PruneRun, plans
from target_pinterest_capi.customer_lists.remote_list import RemoteList
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.exit_codes import ExitCode
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.pinterest.responses import NoResponse, NoResponseKind

if TYPE_CHECKING:
    from simulation.replay import Replay
    from simulation.simulation import Simulation

# Beyond the grace time: a request is not ended in the middle of its answer.
GRACE_SLACK_SECONDS: Final = 1.0


class Letter(NamedTuple):
    """A dead letter on the disk."""

    run: str
    mapping: str
    number: int


class Knowledge:
    """What a process knows about its events, by their records' numbers."""

    def __init__(self) -> None:
        self.processed: set[int] = set()
        self.uncertain: set[int] = set()
        self.in_flight: Counter[int] = Counter()
        self.sent: set[int] = set()


class Checks:
    """Checks the promises in one simulation."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._known: dict[Process, Knowledge] = {}
        self._letters_path = Path(simulation.scenario.settings.dead_letter_path)

    def known(self, process: Process) -> Knowledge:
        return self._known.setdefault(process, Knowledge())

    # Requests

    def sending(self, process: Process, batch: Batch) -> None:
        """Check that nothing is sent twice without need."""
        known = self.known(process)
        scenario = self._simulation.scenario
        passed = process.states[-1] if process.states else 0
        grace = scenario.settings.shutdown_grace_seconds + GRACE_SLACK_SECONDS
        if process.signalled_at is not None and not self._stood_still():
            late = self._simulation.world.now - process.signalled_at > grace
            self._hold(not late, process, "sends after its grace time")
        numbers = _numbers(batch)
        self._simulation.world.tell("%s: sends records %s", process.name, numbers)
        for number in numbers:
            self._hold(number not in known.processed, process, f"sends {number}, heard of before")
            self._hold(not known.in_flight[number], process, f"sends {number}, which is in flight")
            self._hold(number >= passed, process, f"sends {number}, which STATE has passed")
            is_test = batch.account.mode == "test"
            self._hold(
                is_test == self.is_tested(number), process, f"sends {number} in another mode"
            )
            is_offline = scenario.records[number].is_offline
            if is_offline and scenario.settings.on_uncertain == "reject":
                self._hold(
                    number not in known.uncertain, process, f"sends {number} after uncertainty"
                )
                if scenario.has_ledger:
                    self._hold_repeats(process, number)
            if scenario.has_ledger and not is_test:
                self._hold_claim(process, number)
        known.in_flight.update(numbers)
        known.sent.update(numbers)

    def is_tested(self, number: int) -> bool:
        """Return whether the mode of a record's entry is test."""
        return self._simulation.scenario.records[number].kind == "tested"

    def _hold_repeats(self, process: Process, number: int) -> None:
        """Check that no repeat is sent in place of an event that may have been counted."""
        event = self._simulation.scenario.records[number].event
        assert event is not None
        known = self.known(process)
        is_repeat = any(self._same_event(event, one) for one in known.uncertain - known.processed)
        self._hold(not is_repeat, process, f"sends {number}, a repeat of an uncertain one")

    def _hold_claim(self, process: Process, number: int) -> None:
        """Check that nothing is sent that is in the ledger, or in flight in another run."""
        simulation = self._simulation
        event = simulation.scenario.records[number].event
        assert event is not None
        if self._stood_still() and simulation.scenario.pipelines > 1:
            return  # for longer than a lease: it has lost its claims
        key = event_key(event.account, event.name, event.id)
        is_delivered = key in simulation.ledger.delivered
        self._hold(not is_delivered, process, f"sends {number}, which the ledger has")
        for other in simulation.processes:
            if other.is_dead or other.pipeline is process.pipeline:
                continue
            waits = any(self._same_event(event, sent) for sent in self._waited_for(other))
            self._hold(not waits, process, f"sends {number}, which another run has sent")

    def _stood_still(self) -> bool:
        """Return whether the clock may have jumped, as it does for all processes at once."""
        return any(process.fate.jumps for process in self._simulation.processes)

    def _waited_for(self, process: Process) -> set[int]:
        """Return the events that were sent, and whose outcomes are not certain yet."""
        known, scenario = self.known(process), self._simulation.scenario
        uncertain = known.sent & known.uncertain - known.processed
        if scenario.settings.on_uncertain == "reject":  # a dead letter, which is not sent again
            uncertain = {one for one in uncertain if not scenario.records[one].is_offline}
        return uncertain | {number for number, times in known.in_flight.items() if times}

    def _same_event(self, event: Event, number: int) -> bool:
        other = self._simulation.scenario.records[number].event
        assert other is not None
        return (event.account, event.id) == (other.account, other.id)

    def heard(self, process: Process, batch: Batch, response: Any) -> None:
        """Record the outcomes in a response."""
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
        """Record that nobody waits for a response any more."""
        known = self.known(process)
        known.in_flight.subtract(_numbers(batch))
        known.uncertain.update(_numbers(batch))

    # STATE

    def state(self, process: Process, position: int) -> None:
        """Check that a STATE is new and from the tap, and all records before it have outcomes."""
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
        if record.kind == "tested":
            return self._simulation.pinterest.tested_records[record.number] > 0
        assert record.event is not None
        return self._is_delivered(record) or (
            record.is_offline
            and self._simulation.scenario.settings.on_uncertain == "reject"
            and record.number in lettered
        )

    def _is_delivered(self, record: Record) -> bool:
        assert record.event is not None
        pinterest = self._simulation.pinterest
        if self._simulation.scenario.has_ledger:
            return pinterest.processed[record.event.account.ad_account_id, record.event.id] > 0
        return pinterest.processed_records[record.number] > 0

    def _processed_records(self) -> list[int]:
        processed = self._simulation.pinterest.processed_records
        return [number for number, times in processed.items() if times]

    def _hold_limit(
        self, process: Process, before: int, position: int, letters: list[Letter]
    ) -> None:
        """Check that while too many events fail, no STATE passes a failed one."""
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
        """Check that each member is as its last operation says, unless a later one replaces it."""
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
        """Check that the exit code and the report are right."""
        scenario = self._simulation.scenario
        letters = self.letters()
        self._hold_letters(process, letters)
        if scenario.lists.are_full:
            self._hold_plans()
        if code == KILLED:
            return
        self._hold_end(process, code)
        self._hold_account(process, code, letters)

    def _hold_end(self, process: Process, code: int) -> None:
        world, scenario = self._simulation.world, self._simulation.scenario
        assert process.run is not None
        grace = scenario.settings.shutdown_grace_seconds + GRACE_SLACK_SECONDS
        if process.signalled_at is not None and not self._stood_still():
            took = world.now - process.signalled_at
            self._hold(took <= grace, process, f"takes {took:.1f} seconds to end")
        self._hold_code(process, code)

    def _hold_letters(self, process: Process, letters: list[Letter]) -> None:
        twice = [letter for letter, times in Counter(letters).items() if times > 1]
        self._hold(not twice, process, f"has letters twice: {twice}")
        for letter in letters:
            if letter.run == process.name:
                record = self._simulation.scenario.records[letter.number]
                self._hold(
                    record.kind in {*LETTER_KINDS, "member"} or record.is_offline,
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
        if scenario.has_ledger and self._stood_still():
            may_stop |= {"stood still"}
        if may_stop or process.signalled_at is not None or is_about_settings(process):
            allowed.add(int(ExitCode.ERROR))
        allowed.add(int(ExitCode.OK) if process.signalled_at is None else SIGTERM)
        return allowed

    def _hold_too_much(self, process: Process) -> None:
        """Check that too much failed, even if everything else that was read had been delivered."""
        assert process.run is not None
        ratio, tally = self._simulation.scenario.settings.max_rejected_ratio, process.run.tally
        totals = tally.by_outcome()
        old = sum(record.kind == "old" for record in process.read)
        skipped = totals["skipped"] - tally.unsent  # a test stands for what is delivered
        counted = self._arrivals(process) - skipped - old
        # Letters that a full disk keeps from counting are failures all the same.
        failed = tally.failed + process.run._acknowledger.dead_letters.waiting
        self._hold(
            ratio is not None and tally.failed > 0 and failed >= ratio * counted,
            process,
            f"ends with 3, though {failed} of {counted} failed",
        )

    def _arrivals(self, process: Process) -> int:
        scenario = self._simulation.scenario
        return len(process.read) * (len(scenario.list_names) if scenario.has_lists else 1)

    def _hold_account(self, process: Process, code: int, letters: list[Letter]) -> None:
        """Check that each record is counted once, by its outcome."""
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
            heard = [one for one in self.known(process).processed if not self.is_tested(one)]
            self._hold(
                totals["delivered"] == len(heard), process, f"counts {totals}, heard of {heard}"
            )
            tests = len(self.known(process).processed) - len(heard)
            tested = process.run.tally.tested
            self._hold(tested == tests, process, f"counts {tested} tests, heard of {tests}")
        if code == int(ExitCode.OK):
            self._hold(process.has_read_all, process, "ends with 0 before the end of its input")
            self._hold(sum(totals.values()) == arrivals, process, f"counts {totals} of {arrivals}")
            last = process.states_read[-1:]
            self._hold(
                process.states[-1:] == last, process, f"ends with 0 and without the STATE {last}"
            )

    # The end of a pipeline

    def final(self, process: Process, code: int) -> None:
        """Check that everything is complete, if the last run ended well."""
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
            if scenario.lists.are_full:
                self._hold(held >= expected, process, f"leaves {held} on {name}, not {expected}")
                self._prune(process, name, expected)
            else:
                self._hold(held == expected, process, f"leaves {held} on {name}, not {expected}")
            has_audience = self._simulation.pinterest.audiences[name] == 1
            is_wanted = scenario.lists.have_audiences and bool(held)
            self._hold(has_audience >= is_wanted, process, f"leaves {name} without an audience")

    # Full refreshes

    def _plans(self) -> list[PrunePlan]:
        simulation = self._simulation
        refreshes: Any = RunRefreshes(simulation.refreshes)
        return list(plans(simulation.scenario.settings, refreshes))

    def _hold_plans(self) -> None:
        """Check that at no moment a prune would remove a member of the last complete refresh."""
        simulation = self._simulation
        for plan in self._plans():
            if plan.why_not is not None and not plan.is_too_much:
                continue
            brought = self._brought(simulation.completed_sync, simulation.completed_sync)
            lost = {PEOPLE_BY_DIGEST[str(member)] for member in plan.leavers} & brought
            if lost:
                raise BrokenPromiseError(f"a prune would remove {lost}, who came")

    def _brought(self, first: int, last: int) -> set[int]:
        syncs = self._simulation.scenario.syncs[first : last + 1]
        return {record.person for records in syncs for record in records}

    def _prune(self, process: Process, name: str, expected: set[int]) -> None:
        """Prune a list after a successful last run: only members that did not come are removed."""
        simulation = self._simulation
        [plan] = [plan for plan in self._plans() if plan.configured.name == name]
        assert process.run is not None
        if plan.why_not is not None:
            has_brought = process.run.tally.by_outcome()["delivered"] > 0
            self._hold(
                plan.is_too_much or not has_brought, process, f"cannot be pruned: {plan.why_not}"
            )
            return
        before = set(simulation.pinterest.lists.get(name, ()))
        client: Any = SoundConnection(simulation.pinterest)
        refreshes: Any = RunRefreshes(simulation.refreshes)
        pruning = PruneRun(plan, RemoteList(client, plan.configured, 2), refreshes)
        answered: Any = None
        flow = pruning.flow()
        with suppress(StopIteration):
            while True:
                answered = flow.send(answered).send("access")
        # A refresh that did not end well goes on with the next sync.
        stay = self._brought(simulation.continued_sync, process.sync)
        expected |= stay & before
        held = simulation.pinterest.lists.get(name, set())
        self._hold(held == expected, process, f"prunes {name} to {held}, not {expected}")

    # Replays

    def end_replay(self, replay: "Replay", code: int) -> None:
        """Check that every letter that was read has one outcome, if the replay ends well."""
        if code == KILLED:
            return
        self._hold_end(replay, code)
        assert replay.run is not None
        totals = replay.run.tally.by_outcome()
        written = len(self._read_letters(replay.output))
        self._hold(totals["rejected"] == written, replay, f"counts {totals}, has {written} letters")
        if "ledger" not in replay.troubles:
            heard = len(self.known(replay).processed)
            self._hold(totals["delivered"] == heard, replay, f"counts {totals}, heard of {heard}")
        if code == int(ExitCode.OK):
            self._hold(
                sum(totals.values()) == len(replay.read), replay, f"counts {totals} of its letters"
            )

    def final_replay(self, replay: "Replay", code: int) -> None:
        """Check that each letter's event is at Pinterest, or in a letter of the last replay."""
        assert replay.run is not None
        if code != int(ExitCode.OK) and replay.run.without_outcome:
            return  # the file has them
        again = {letter.number for letter in self._read_letters(replay.output)}
        for letter in self.letters():
            record = self._simulation.scenario.records[letter.number]
            if record.event is not None:
                is_again = any(self._same_event(record.event, number) for number in again)
                is_sent = any(
                    self._same_event(record.event, number) for number in self._processed_records()
                )
                has_place = is_again or is_sent
                self._hold(has_place, replay, f"loses the letter of {letter.number}")
            self._hold(
                record.kind not in LETTER_KINDS
                or letter.number not in again
                or not self._simulation.pinterest.is_repaired,
                replay,
                f"rejects {letter.number}, which Pinterest takes now",
            )

    # The disk

    def letters(self) -> list[Letter]:
        """Return the dead letters on the disk; only a crashed process may leave half a line."""
        return self._read_letters(self._letters_path)

    def _read_letters(self, path: Path) -> list[Letter]:
        if not path.exists():
            return []
        letters, cut = [], 0
        for line in path.read_bytes().split(b"\n"):
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
    """Return whether a run stopped because every request was refused, as it should."""
    has_refused = bool(process.scenario.refused_people)
    return has_refused and "none was accepted" in str(process.stopped)


def _of_pipeline(letters: list[Letter], process: Process) -> set[int]:
    """Return the records that have a dead letter of this pipeline's runs."""
    return {letter.number for letter in letters if letter.run.startswith(process.pipeline.name)}


def _numbers(batch: Batch) -> list[int]:
    return [int(event.key["id"]) for event in batch.events]  # type: ignore[index,call-overload]
