"""The promise of delivery under every fault, signals, kill -9, dying taps and reruns from STATE.

Longer: `make chaos SEEDS="1 2 3" RECORDS=200000 INTERRUPTIONS=100`.
"""

import logging
import os
import random
from pathlib import Path

import pytest
from endless_tap import Tap
from engine import ENDINGS, Engine, faults

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import KINDS
from target_pinterest_capi.sandbox.server import Sandbox

log = logging.getLogger("chaos")
SEEDS = [int(seed) for seed in os.environ.get("CHAOS_SEEDS", "20260302").split()]
RECORDS = int(os.environ.get("CHAOS_RECORDS", "20000"))
INTERRUPTIONS = int(os.environ.get("CHAOS_INTERRUPTIONS", "8"))


@pytest.mark.chaos
@pytest.mark.parametrize("keeps_ledger", [True, False], ids=["ledger", "no-ledger"])
@pytest.mark.parametrize("seed", SEEDS)
def test_everything_arrives_whatever_happens(seed: int, keeps_ledger: bool, tmp_path: Path):
    """Nothing is lost or unhashed, bad rows are dead letters, repeats bounded, STATE valid."""
    rng = random.Random(f"{seed}/faults")
    # With a ledger a rerun may have nothing new but refused events,
    # and three of them alone stop a run, as they should.
    tap = Tap(seed, RECORDS, tmp_path, failed=12, refused=2 if keeps_ledger else 6)
    config = SandboxConfig(
        faults=tuple(faults(tap, rng)),
        seed=seed,
        keep_events=100 * RECORDS,
        record_bodies=tmp_path / "bodies.jsonl",
    )
    with Sandbox(config) as sandbox:
        engine = Engine(seed, tap, sandbox, tmp_path, keeps_ledger=keeps_ledger)
        engine.run_until_done(RECORDS, INTERRUPTIONS)
        counters, struck, uncertain = (
            sandbox.store.counters(),
            sandbox.faults.struck(),
            engine.uncertain_events(),
        )
    account, truth = engine.account, engine.truth
    story = (
        f"seed {seed}: {account.runs} runs, ended by {dict(account.endings)}, "
        f"{account.states} STATE, {tap.end} records, "
        f"{counters['requests']} requests, faults {struck}, dead letters {dict(truth.reasons)}"
    )
    log.info(story)
    assert account.problems == [], story
    assert truth.settled_through() == tap.end, story
    assert set(truth.delivered) == set(range(tap.end)) - tap.bad - tap.failed - tap.refused, story
    assert set(truth.dead) == tap.bad | tap.failed | tap.refused, story
    repeats = sum(truth.delivered.values()) - len(truth.delivered)
    log.info(
        "%d repeats, %d allowed by endings, %d by uncertain answers",
        repeats,
        account.allowed_repeats,
        uncertain,
    )
    assert repeats <= account.allowed_repeats + uncertain, story
    assert counters["events_processed"] == sum(truth.delivered.values())
    assert b"@" not in (tmp_path / "bodies.jsonl").read_bytes(), (
        "an e-mail address went out as it was"
    )
    assert b"example.com" not in (tmp_path / "rejected.jsonl").read_bytes()
    assert {kind for kind, times in struck.items() if times} == set(KINDS), story
    assert set(account.endings) == set(ENDINGS), story
