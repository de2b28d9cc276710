"""`pinterest-capi forget`: whom it takes, what it asks of Pinterest, lists and dead letters."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from given import ACCOUNT, line, record, schema, settings_of
from shopper import digest, visit
from target_pinterest_capi.cli.forget import people, requests
from target_pinterest_capi.cli.forget.people import NotPeopleError, read_column, read_lines
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.customer_lists.removal import affected_lists
from target_pinterest_capi.delivery.flow_run import run_flow
from target_pinterest_capi.files.line_file import LineFile, drop_lines
from target_pinterest_capi.pinterest import deletion_requests
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import tokens_of
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import load

JANE, JOE, ANN = (f"{name}@example.com" for name in ("jane", "joe", "ann"))
CLICK = "dj0yJnU9Yl81cVl3MnRMZ1Rh"
ACCESS = {"access_token": "sandbox-access-token"}
ENDPOINT = deletion_requests._path("").rpartition("/")[2]


@pytest.fixture
def forget(sandbox: Sandbox, plain_terminal: None) -> Callable[..., Result]:
    """Return a function that runs the command with lines, a configuration and changes to it."""

    def run(*arguments: str, lines: str = f"{JANE}\n", stdin: str | None = None, **more: Any):
        given = {"ad_account_id": ACCOUNT, "api_url": sandbox.url, "oauth": ACCESS, **more}
        Path("config.json").write_text(json.dumps(given))
        Path("people.txt").write_text(lines)
        return CliRunner().invoke(main, ["forget", "--config", "config.json", *arguments], stdin)

    return run


def asked(sandbox: Sandbox) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return the digests of addresses and of click ids of each request."""
    return [(one.emails, one.click_ids) for one in sandbox.store.deletion_requests()]


# ---- whom


@pytest.mark.parametrize(
    ("line", "emails", "click_ids"),
    [
        (JANE, (JANE,), ()),
        (" Jane@Example.COM ", (JANE,), ()),
        ('"Jane" <jane@example.com>', (JANE,), ()),
        ("mailto:jane@example.com", (JANE,), ()),
        (CLICK, (), (CLICK,)),
        (f"{JANE}\r\n\n{CLICK}\n{JANE}\n", (JANE,), (CLICK,)),
        (f"\ufeff{JANE}", (JANE,), ()),
        ("", (), ()),
    ],
)
def test_addresses_and_click_ids(line: str, emails: tuple[str, ...], click_ids: tuple[str, ...]):
    """They are distinguished by their form; an address gets the normal form that was hashed."""
    found = read_lines(line.encode().splitlines(keepends=True), are_click_ids=False)
    assert (found.emails, found.click_ids) == (emails, click_ids)
    assert "example" not in repr(found)


@pytest.mark.parametrize(
    "wrong",
    [
        "email",
        "jane@example",
        "@example.com",
        "jane example.com",
        f"{JANE}, {JOE}",
        digest(JANE),
        "d41d8cd98f00b204e9800998ecf8427e",
        "+1 415 555 0132",
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
)
def test_what_is_neither_is_refused_by_its_line(wrong: str):
    """A digest, a telephone number, a heading or two addresses in one stop it all, unseen."""
    with pytest.raises(NotPeopleError, match=r"^line 2 has neither") as caught:
        read_lines([JANE.encode(), wrong.encode()], are_click_ids=False)
    assert wrong not in str(caught.value)


def test_many_wrong_lines_are_counted():
    """At most ten of them are named."""
    with pytest.raises(NotPeopleError, match=r"^lines 1, 2, .*10 and 3 more have neither"):
        read_lines([b"wrong"] * 13, are_click_ids=False)


def test_short_click_ids_are_taken_where_that_is_said():
    """With --click-id every line is one, except with a blank in it."""
    assert read_lines([b"abc\n"], are_click_ids=True).click_ids == ("abc",)
    with pytest.raises(NotPeopleError):
        read_lines([b"a b"], are_click_ids=True)


def test_column_of_a_singer_stream():
    """Records of the stream are read, other messages and streams are not; null names nobody."""
    lines = [
        schema("gone", "email"),
        record("gone", email=JANE),
        record("gone", email=None),
        record("kept", email=JOE),
        line(type="STATE", value={}),
    ]
    assert read_column(lines, "email", "gone", are_click_ids=False).emails == (JANE,)
    assert read_column(lines, "email", None, are_click_ids=False).emails == (JANE, JOE)
    for column, stream in (("mail", "gone"), ("email", "other")):
        with pytest.raises(NotPeopleError, match="no RECORD"):
            read_column(lines, column, stream, are_click_ids=False)
    with pytest.raises(NotPeopleError, match="line 2 is not a Singer message"):
        read_column([lines[0], b"jane"], "email", None, are_click_ids=False)


# ---- Pinterest


def test_people_are_asked_to_be_deleted(forget, sandbox: Sandbox):
    """Plain addresses and click ids are in one request, whose id is printed, and nobody's name."""
    result = forget("people.txt", "--yes", lines=f"{JANE}\n{CLICK}\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert asked(sandbox) == [({digest(JANE)}, {digest(CLICK)})]
    (made,) = sandbox.store.deletion_requests()
    assert f"deletion request {made.id} is PENDING" in result.stdout
    assert "2 of 2 people asked for" in result.stdout
    assert not any(text in result.output for text in (JANE, CLICK, digest(JANE)))


def test_wrong_input_sends_nothing(forget, sandbox: Sandbox):
    """One line that names nobody stops everything, with 2 and its number."""
    result = forget("people.txt", "--yes", lines=f"{JANE}\njane at example.com\n")
    assert result.exit_code == 2
    assert "line 2 has neither" in result.stderr
    assert "Nothing was done" in result.stderr
    assert sandbox.store.requests() == []


@pytest.mark.parametrize(("answer", "code", "requests_made"), [("y\n", 0, 1), ("n\n", 1, 0)])
def test_it_asks_first(forget, sandbox: Sandbox, answer: str, code: int, requests_made: int):
    """The plan is shown, and carried out if the answer is yes."""
    result = forget("people.txt", stdin=answer)
    assert result.exit_code == code
    assert f"1 e-mail address and 0 click ids:\n  deletion requests in ad account {ACCOUNT}" in (
        result.stdout
    )
    assert len(asked(sandbox)) == requests_made


def test_stdin_cannot_answer(forget, sandbox: Sandbox):
    """Addresses on stdin need --yes, and work with it."""
    result = forget("-", stdin=JANE)
    assert (result.exit_code, "add --yes" in result.stderr) == (2, True)
    assert forget("-", "--yes", stdin=JANE).exit_code == 0
    assert len(asked(sandbox)) == 1


def test_beta_that_is_not_open_is_said(forget, tmp_path: Path):
    """A 403 is explained; dead letters are dropped anyway."""
    Path("rejected.jsonl").write_text(json.dumps({"event": {"em": [digest(JANE)]}}) + "\n")
    with Sandbox(SandboxConfig(has_deletion=False)) as closed:
        given = {"api_url": closed.url, "dead_letter_path": "rejected.jsonl"}
        result = forget("people.txt", "--yes", **given)
        assert result.exit_code == 1
        assert "has not enabled deletion requests, which are a beta" in result.stderr
        assert "1 dropped" in result.stdout
        for arguments in (("--status",), ("--cancel", "12")):
            result = forget(*arguments, **given)
            assert (result.exit_code, "are a beta" in result.stderr) == (1, True)


def test_batches(forget, sandbox: Sandbox):
    """A request names at most a thousand people."""
    lines = "".join(f"person-{number}@example.com\n" for number in range(2_001))
    assert forget("people.txt", "--yes", lines=lines).exit_code == 0
    assert sorted(len(emails) for emails, _ in asked(sandbox)) == [1, 1000, 1000]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_lost_answer_is_looked_up_before_it_is_repeated(forget, sandbox: Sandbox, fault: str):
    """A request that was created is not repeated; one that was not is."""
    old = forget("people.txt", "--yes")
    assert old.exit_code == 0
    sandbox.faults.set([Fault(fault, endpoint=ENDPOINT, method="POST", times=1)])
    result = forget("people.txt", "--yes", lines=JOE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [emails for emails, _ in asked(sandbox)] == [{digest(JANE)}, {digest(JOE)}]
    assert f"deletion request {sandbox.store.deletion_requests()[1].id} is" in result.stdout
    reads = [row for row in sandbox.store.requests() if row.endpoint == ENDPOINT]
    assert [row.method for row in reads[2:]][:3] == ["GET", "POST", "GET"]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox.url, max_connections=1, timeout_seconds=120)
    yield made
    made.close()


def test_lost_answer_among_others_is_left_open(client: Client, sandbox: Sandbox):
    """If others were created in between, ours is not known: it stops, and says so."""
    settings = load({"ad_account_id": ACCOUNT, "oauth": ACCESS}, purpose="any")
    assert settings.oauth is not None
    targets = requests.targets_of(people.People((JANE,)))
    asking = requests.DeletionFlow(client, ACCOUNT, targets)
    flow = asking.flow()
    token = "sandbox-access-token"
    create = flow.send(next(flow).send(token))
    for _ in range(2):
        deletion_requests.create_request(client, token, ACCOUNT, [JOE], [])
    sandbox.faults.set([Fault("drop_after", endpoint=ENDPOINT, method="POST", times=1)])
    look = flow.send(create.send(token))
    with pytest.raises(
        FlowStopped, match=r"it is unknown whether one of these is ours.*: \d+, \d+, \d+\."
    ):
        flow.send(look.send(token))
    asking = requests.DeletionFlow(client, ACCOUNT, targets)
    assert run_flow(asking.flow(), tokens_of(settings.oauth, client), settings) is None
    assert (asking.accepted, asking.refused) == (1, 0)


def test_refused_target_is_found_by_halving(forget, sandbox: Sandbox):
    """A request that Pinterest refuses is bisected until the bad target is alone."""
    sandbox.faults.set(
        [Fault("status", status=400, endpoint=ENDPOINT, method="POST", requests=(1, 2))]
    )
    result = forget("people.txt", "--yes", lines=f"{JANE}\n{JOE}\n")
    assert result.exit_code == 1
    assert [emails for emails, _ in asked(sandbox)] == [{digest(JOE)}]
    assert "1 of 2 people asked for" in result.stdout
    assert "refused 1 of them" in result.stderr


def test_every_account_of_the_configuration_is_asked(forget):
    """Entries' own accounts too; --ad-account names others."""
    mappings = [{"stream": "a", "preset": "pinterest", "ad_account_id": "7"}]
    config = SandboxConfig(tokens={"sandbox-token": (ACCOUNT, "7", "8")})
    with Sandbox(config) as pinterest:
        given = {"api_url": pinterest.url, "mappings": mappings}
        assert forget("people.txt", "--yes", **given).exit_code == 0
        assert forget("people.txt", "--yes", "--ad-account", "8", **given).exit_code == 0
        accounts = [one.ad_account_id for one in pinterest.store.deletion_requests()]
    assert accounts == [ACCOUNT, "7", "8"]


def test_status_and_cancelling(forget, sandbox: Sandbox):
    """Requests are listed, shown one by one, and cancelled while they are PENDING."""
    assert "there are no deletion requests" in forget("--status").stdout
    forget("people.txt", "--yes")
    forget("people.txt", "--yes")
    first, second = (one.id for one in sandbox.store.deletion_requests())
    listed = forget("--status").stdout
    assert [second in row or first in row for row in listed.splitlines()] == [True, True]
    assert listed.index(second) < listed.index(first)
    assert f"{first} is CANCELLED" in forget("--cancel", first).stdout
    one = forget("--status", first)
    assert f"{first} is CANCELLED, made 20" in one.stdout
    again = forget("--cancel", first)
    assert (again.exit_code, "was not cancelled" in again.stderr) == (1, True)
    unknown = forget("--status", "12")
    assert (unknown.exit_code, "404" in unknown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("people.txt", "--yes"), {"oauth": None}, "oauth: is required to ask Pinterest"),
        (("people.txt", "--yes"), {"mode": "test"}, "mode: is test"),
        ((), {}, "Name a FILE"),
        (("people.txt", "--stream", "a"), {}, "--stream goes with --column"),
        (("nothing.txt", "--yes"), {}, "nothing.txt cannot be read"),
    ],
)
def test_what_is_wrong_from_the_start(forget, sandbox: Sandbox, arguments, settings, words: str):
    """Configuration and options are checked before anything is sent, with 2."""
    result = forget(*arguments, **settings)
    assert (result.exit_code, words in " ".join(result.stderr.split())) == (2, True)
    assert sandbox.store.requests() == []


# ---- customer lists


MEMBERS = [
    schema("vips", "id", "email", "phone", key_properties=("id",)),
    record("vips", id="1", email=JANE, phone="+14155550132"),
    record("vips", id="2", email=JOE, phone="+14155550133"),
]


def lists_of(member: Any, refresh: str, folder: Path) -> dict[str, Any]:
    """Return settings with two lists of one stream."""
    entry = {"stream": "vips", "member": member, "refresh": refresh}
    return {
        "customer_lists": [{**entry, "list_name": name} for name in ("VIPs", "Others")],
        "mappings": [],
        "oauth": ACCESS,
        "ledger_url": f"sqlite:///{folder / 'ledger.db'}",
    }


@pytest.mark.parametrize(
    ("member", "refresh"),
    [
        (["email"], "full"),
        (["email"], "incremental"),
        ({"email": "email", "phone": "phone"}, "full"),
    ],
)
def test_people_leave_every_list(
    forget, sandbox: Sandbox, run_target, member, refresh: str, tmp_path: Path
):
    """They are removed from each list, rows with everything on record of them, and stay removed."""
    shared = lists_of(member, refresh, tmp_path)
    assert run_target(MEMBERS, **shared).code == 0
    for _ in range(2):
        result = forget("people.txt", "--yes", **shared)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "removal from 2 customer lists" in result.stdout
        assert [len(held.members) for held in sandbox.store.lists()] == [1, 1]


def test_rows_that_are_not_on_record_may_stay(forget, run_target, tmp_path: Path):
    """Pinterest may not find a row by its address alone: that is an error, and never silent."""
    shared = lists_of({"email": "email", "phone": "phone"}, "incremental", tmp_path)
    assert run_target(MEMBERS, **shared).code == 0
    result = forget("people.txt", "--yes", **shared)
    assert result.exit_code == 1
    assert result.stderr.count("whether it finds a row by its e-mail address alone") == 2


def test_lists_that_no_address_leads_to():
    """Lists of device ids, and those named by records, stay as they are, with the reason."""
    lists = [
        {"stream": "a", "list_name": "Devices", "list_type": "MAID", "member": "maid"},
        {"stream": "b", "list_name": {"expression": "audience"}, "member": "email"},
        {"stream": "c", "list_name": "Mail", "member": "email"},
        {"stream": "d", "list_name": "Mail", "member": "other"},
    ]
    affected = affected_lists(settings_of(customer_lists=lists, oauth=ACCESS))
    assert [entry.label for entry in affected.removed_from] == ["Mail"]
    assert [name for name, _ in affected.left] == ["Devices"]
    assert affected.unnamed == ("audience",)
    named = affected_lists(settings_of(customer_lists=lists, oauth=ACCESS), ["VIP", "Lapsed"])
    assert [entry.label for entry in named.removed_from] == ["VIP", "Lapsed", "Mail"]
    assert named.unnamed == ()


@pytest.mark.parametrize("member", [["email"], {"email": "email", "phone": "phone"}])
def test_lists_that_records_named_are_named(forget, sandbox: Sandbox, run_target, member):
    """--list names them, for addresses and rows; without it their staying is an error."""
    lists = [{"stream": "vips", "list_name": {"expression": "'Lapsed'"}, "member": member}]
    shared = {"customer_lists": lists, "mappings": [], "oauth": ACCESS}
    assert run_target(MEMBERS, **shared).code == 0
    before = [len(held.members) for held in sandbox.store.lists()]
    result = forget("people.txt", "--yes", **shared)
    assert (result.exit_code, "name each with --list" in result.stderr) == (1, True)
    assert [len(held.members) for held in sandbox.store.lists()] == before
    result = forget("people.txt", "--yes", "--list", "Lapsed", "--list", "Nobody", **shared)
    assert "customer list Nobody: the list does not exist" in result.stdout
    assert "customer list Lapsed: Pinterest accepted the removal of" in result.stdout
    assert (result.exit_code == 0) == isinstance(member, list)  # rows may have more than an address


def test_list_that_is_not_there(forget):
    """Nobody is on a list that was never created."""
    lists = [{"stream": "c", "list_name": "Mail", "member": "email"}]
    result = forget("people.txt", "--yes", customer_lists=lists)
    assert (result.exit_code, "Mail: the list does not exist" in result.stdout) == (0, True)


def test_click_ids_are_on_no_list(forget, sandbox: Sandbox):
    """Of click ids alone no list is spoken of: neither removed from, nor missed by its name."""
    lists = [
        {"stream": "c", "list_name": "Mail", "member": "email"},
        {"stream": "b", "list_name": {"expression": "audience"}, "member": "email"},
    ]
    result = forget("people.txt", "--yes", lines=f"{CLICK}\n", customer_lists=lists)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "removal from 0 customer lists" in result.stdout
    assert asked(sandbox) == [(frozenset(), {digest(CLICK)})]


# ---- dead letters


def letter(**event: Any) -> str:
    return json.dumps({"stream": "a", "outcome": "rejected", "event": event}) + "\n"


THEIRS = (
    letter(user_data={"em": [digest(JOE), digest(JANE)]}),
    letter(user_data={"click_id": CLICK}),
    letter(event_source_url=f"https://example.com/?epik={CLICK}&a=1"),
    letter(event_source_url="https://example.com/?mail=jane%40example.com"),
    json.dumps({"stream": "a", "outcome": "invalid", "key": {"email": digest(JANE)}}) + "\n",
    json.dumps({"stream": "a", "outcome": "invalid", "key": {"email": "Jane@Example.com"}}) + "\n",
)
OTHERS = (
    letter(user_data={"em": [digest(JOE)]}),
    letter(event_source_url="https://example.com/?epik=another&x=["),
    '{"stream": "a", "event": {"user_data": {"em": ["' + digest(JANE)[:30] + "\n",
    "\n",
)


def test_dead_letter_whose_key_is_the_digest_of_an_address_as_given(forget, tmp_path: Path):
    """The key of a record is hashed as its column has it, in another form than that of events."""
    key = {"email": digest("Jane@Example.com")}
    path = tmp_path / "rejected.jsonl"
    path.write_text(json.dumps({"stream": "a", "outcome": "invalid", "key": key}) + "\n")
    for given, left in ((JANE, 1), ("Jane@Example.com", 0)):
        result = forget("people.txt", "--yes", lines=f"{given}\n", dead_letter_path=path.name)
        assert (result.exit_code, len(path.read_text().splitlines())) == (0, left)


def test_file_of_letters_stays_its_owners(forget, tmp_path: Path):
    """Another user's keeps its owner and mode, so that they can go on appending to it."""
    path = tmp_path / "rejected.jsonl"
    path.write_text("".join(THEIRS + OTHERS))
    path.chmod(0o660)
    owner, mode = (1000, 0o660) if os.geteuid() == 0 else (os.geteuid(), 0o600)
    os.chown(path, owner, -1)
    result = forget("people.txt", "--yes", lines=f"{JANE}\n", dead_letter_path=path.name)
    assert (result.exit_code, "dropped" in result.stdout) == (0, True)
    status = path.stat()
    assert (status.st_uid, status.st_mode & 0o777) == (owner, mode)


@pytest.mark.parametrize("place", ["rejected.jsonl", "prefix"])
def test_their_dead_letters_are_dropped(forget, tmp_path: Path, place: str):
    """By digest, click id, address and key; other people's, or unreadable ones, are kept."""
    whole = "".join(one + other for one, other in zip(THEIRS, OTHERS * 2, strict=False))
    if place == "prefix":
        (tmp_path / "letters").mkdir()
        place = (tmp_path / "letters").as_uri()
        for number, text in enumerate([whole, "".join(THEIRS), "".join(OTHERS)]):
            (tmp_path / "letters" / f"run-{number}.jsonl").write_text(text)
        dropped = 2 * len(THEIRS)
    else:
        (tmp_path / place).write_text(whole)
        dropped = len(THEIRS)
    lines = f"{JANE}\n{CLICK}\n"
    result = forget("people.txt", "--yes", lines=lines, dead_letter_path=place)
    assert (result.exit_code, f"{dropped} dropped" in result.stdout) == (0, True)
    left = "".join((OTHERS * 2)[: len(THEIRS)])
    if "://" in place:
        kept = {path.name: path.read_text() for path in (tmp_path / "letters").iterdir()}
        assert kept == {"run-0.jsonl": left, "run-2.jsonl": "".join(OTHERS)}
    else:
        assert (tmp_path / place).read_text() == left
        assert stat.S_IMODE((tmp_path / place).stat().st_mode) == 0o600


@pytest.mark.parametrize("is_prefix", [False, True])
def test_their_rows_of_old_events_are_dropped(forget, tmp_path: Path, *, is_prefix: bool):
    """A row for Ads Manager has the digest of an address; other rows stay, and the first line."""
    folder = tmp_path / "old"
    folder.mkdir()
    first, others = "event_time,order_id,email_1\n", f'1,"a, ""b""",{digest(JOE)}\n'
    (folder / "1-run-1.csv").write_text(first + f"2,c,{digest(JANE)}\n" + others)
    result = forget(
        "people.txt",
        "--yes",
        lines=f"{JANE}\n",
        old_events_path=folder.as_uri() if is_prefix else str(folder),
        ledger_url="sqlite:///ledger.db",
        ledger_retention_days=30,
    )
    assert (result.exit_code, "1 dropped. Uploaded files" in result.stdout) == (0, True)
    assert (folder / "1-run-1.csv").read_text() == first + others


def test_other_files_of_letters_are_named(forget, tmp_path: Path):
    """--letters replaces the configured file, and a missing file has none."""
    (tmp_path / "old.jsonl").write_text(THEIRS[0] + OTHERS[0])
    arguments = ("--letters", "old.jsonl", "--letters", "none.jsonl")
    result = forget("people.txt", "--yes", *arguments)
    assert "old.jsonl: 1 dropped" in result.stdout
    assert "none.jsonl: 0 dropped" in result.stdout
    assert (tmp_path / "old.jsonl").read_text() == OTHERS[0]
    assert not (tmp_path / "none.jsonl").exists()


def test_who_appends_meanwhile_loses_nothing(tmp_path: Path):
    """A run that has the file open finds the new one, and its next line is in it."""
    path = str(tmp_path / "letters.jsonl")
    running = LineFile(path)
    running.append(b"gone\nkept\n")
    assert drop_lines(path, lambda one: one == b"gone\n") == 1
    running.append(b"more\n")
    running.close()
    assert Path(path).read_bytes() == b"kept\nmore\n"
    assert drop_lines("/dev/null", lambda _: True) == 0


def test_letters_of_a_real_run(forget, sandbox: Sandbox, run_target, tmp_path: Path):
    """What a run has written about somebody is found by their address alone."""
    visits = schema("visits", *visit(), key_properties=("event_id",))
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    ran = run_target([visits, record("visits", **visit(1, em=JANE))])
    assert len(ran.dead_letters) == 1
    path = str(tmp_path / "rejected.jsonl")
    assert "1 dropped" in forget("people.txt", "--yes", dead_letter_path=path).stdout
    assert Path(path).read_bytes() == b""
