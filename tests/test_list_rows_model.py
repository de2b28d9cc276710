"""Lists of several identifiers compared with a plain model of people.

Whatever goes wrong, and however Pinterest finds a row, the list ends with exactly the people whom
the records leave there.
"""

import json
import random
from pathlib import Path

import pytest
from members import digest, entry, list_settings
from test_list_delivery_model import ENDS, EVERY, FAULTS, run_until, start_at

from given import record, schema, state
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

OPERATIONS = 4000
PEOPLE = 500
SCHEMA = schema("people", "id", "email", "phone", "customer", "action", key_properties=("id",))
MEMBER = {"email": "email", "phone": "phone", "external_id": "customer"}


def phone(number: int) -> str:
    return f"1202{number:07}"


def history(rng: random.Random) -> tuple[list[bytes], set[str]]:
    """Return the records in the order of a tap, a STATE after every hundred, and who stays.

    People change their addresses, and somebody who leaves may be named by any identifier. People
    are identified by the digest of a phone number, which every added row has.
    """
    lines, stays = [], set()
    address = dict.fromkeys(range(PEOPLE), 0)
    for number in range(OPERATIONS):
        who, adds = rng.randrange(PEOPLE), rng.random() < 0.6
        if rng.random() < 0.2:
            address[who] += 1
        given = {
            "email": f"person{who}.{address[who]}@example.com",
            "phone": phone(who),
            "customer": f"C{who}",
        }
        if not adds:
            dropped = rng.choice(((), ("email",), ("phone",), ("email", "customer"), ("customer",)))
            given = {name: value for name, value in given.items() if name not in dropped}
        action = "enter" if adds else "exit"
        lines.append(record("people", id=who, action=action, **given))
        (stays.add if adds else stays.discard)(digest(phone(who)))
        if number % EVERY == EVERY - 1:
            lines.append(state({"n": number + 1}))
    return lines, stays


@pytest.mark.slow
@pytest.mark.parametrize("matching", ["every", "any"])
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.chaos)])
def test_the_list_ends_with_exactly_whom_the_records_leave_there(
    config, tmp_path: Path, matching: str, seed: int
):
    """Thousands of random operations for people, through faults, signals, a kill and reruns.

    Those who stay are the model's, whichever identifiers a removal is matched by.
    """
    rng = random.Random(seed)
    lines, stays = history(rng)
    rules = SandboxConfig(
        writes_per_minute=10**6,
        reads_per_minute=10**6,
        faults=tuple(fault for fault in FAULTS if fault.endpoint != "oauth"),
        seed=seed,
        list_processing_seconds=0,
        removal_matching=matching,
    )
    with Sandbox(rules) as sandbox:
        people = entry(stream="people", list_name="People", member=MEMBER, refresh="full")
        given = {
            **config,
            **list_settings(people, ledger_url=f"sqlite:///{tmp_path}/ledger.db"),
            "api_url": sandbox.url,
            "list_batch_size": 60,
            "list_wait_seconds": 0.05,
            "max_retry_seconds": 60,
            "shutdown_grace_seconds": 0.2,
        }
        path = tmp_path / "config.json"
        path.write_text(
            json.dumps({key: value for key, value in given.items() if value is not None})
        )
        done = 0
        for how in ENDS:
            left = lines[start_at(lines, done) :]
            _, last = run_until(path, left, how, sandbox, rng.randrange(10, 30), [SCHEMA])
            done = last or done
        assert done < OPERATIONS, "every run was to be cut short"
        code, last = run_until(path, lines[start_at(lines, done) :], None, sandbox, 0, [SCHEMA])
        assert (code, last) == (0, OPERATIONS)
        (held,) = sandbox.store.lists()
        assert {dict(row)["hashed_phone_number"] for row in held.members} == stays
