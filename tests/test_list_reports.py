"""Reports about customer lists: the documentation's examples, and a run's report."""

import json
import re
from pathlib import Path

import msgspec
import pytest
import yaml
from members import LIST, SCHEMA, entry, list_settings, row

from given import ACCOUNT, TOKEN
from target_pinterest_capi.customer_lists.members import Action, read_action
from target_pinterest_capi.events.outcomes import NotSent
from target_pinterest_capi.reporting import report
from target_pinterest_capi.reporting.customer_lists import STATUSES, CustomerListReport
from target_pinterest_capi.reporting.html import page as html
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.settings import load

PAGE = (Path(__file__).parents[1] / "docs" / "customer-lists.md").read_text(encoding="utf-8")


def fenced(kind):
    """Return the first block of a kind."""
    text, *_ = re.findall(rf"^```yaml {kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(text)


def test_the_first_example_is_a_configuration():
    """The list in the guide works as it is, without a conversion token."""
    (one,) = load({"ad_account_id": ACCOUNT, **fenced("configuration")}).customer_lists
    assert (one.list_name, one.member, one.operation, one.audience) == (
        LIST,
        ("email", "alt_email"),
        "action",
        True,
    )


def test_the_project_gives_target_and_prune_the_same_configuration():
    """Loader and utility share settings and configuration, which the target accepts.

    The job prunes after the pipeline.
    """
    project = fenced("project")
    (loader,), (utility,) = project["plugins"]["loaders"], project["plugins"]["utilities"]
    assert (loader["config"], loader["settings"]) == (utility["config"], utility["settings"])
    (one,) = load(loader["config"]).customer_lists
    assert one.refresh == "full"
    declared = {setting["name"].partition(".")[0] for setting in loader["settings"]}
    assert declared >= set(loader["config"])
    assert project["jobs"][0]["tasks"] == [
        "tap-postgres target-pinterest-capi pinterest-capi:prune"
    ]


def test_the_words_of_the_guide_are_the_operations():
    """Every word in the guide does what it says."""
    adds, removes = re.search(
        r"The words, in any case: (.*?); (.*?)\. Anything", PAGE, re.DOTALL
    ).groups()
    for words, action in ((adds, Action.ADD), (removes, Action.REMOVE)):
        listed = re.split(r",\s+|\s+and\s+", " ".join(words.split()).replace(", and ", ", "))
        assert len(listed) > 15
        assert {word: read_action(word) for word in listed} == dict.fromkeys(listed, action)


@pytest.mark.parametrize("name", [*STATUSES, *(str(reason) for reason in NotSent)])
def test_the_guide_names_every_status_and_reason(name):
    """Nothing is logged that the guide does not explain."""
    assert f"`{name}`" in PAGE


def test_the_guides_links_lead_somewhere():
    """Each linked page exists."""
    links = re.findall(r"\]\(((?!http|#)[^)#]+)", PAGE)
    assert [
        link for link in links if not (Path(__file__).parents[1] / "docs" / link).exists()
    ] == []


def test_the_report_has_the_lists(run_target, sandbox, tmp_path):
    """The JSON report has for each list what was sent, Pinterest's status and counters.

    The page says what they mean.
    """
    sandbox.faults.set([Fault("status", status=503, endpoint="customer_lists", times=1)])
    given = {
        **list_settings(entry(audience=True), report_path=str(tmp_path / "run.json")),
        "conversion_token": TOKEN,
    }
    ran = run_target([SCHEMA, row(1), row(2), row(2, "exit"), row(3, email="nobody")], **given)
    assert ran.code == 0
    text = (tmp_path / "run.json").read_bytes()
    (one,) = json.loads(text)["customer_lists"]
    assert one["list_id"] == sandbox.store.lists()[0].id
    assert (one["name"], one["created"], one["added"], one["removed"], one["audience"]) == (
        LIST,
        True,
        1,
        0,
        "made",
    )
    assert (one["uploaded_records"], one["removed_records"], one["exceptions"]) == (1, 0, {})
    page = html.page(report.decode(text))
    assert "Customer lists" in page
    assert re.search(rf"<b>{one['status']}</b>", page)
    assert STATUSES[one["status"]] in page
    assert "example.com" not in page
    assert NotSent.SUPERSEDED.advice.split(".")[0] in page


def test_a_report_without_lists_has_no_section(run_target, tmp_path):
    """Without lists the report does not mention them; older reports are accepted too."""
    run_target([], report_path=str(tmp_path / "run.json"))
    given = json.loads((tmp_path / "run.json").read_text())
    assert given.pop("customer_lists") == []
    assert "Customer lists" not in html.page(report.decode(json.dumps(given).encode()))


def test_exceptions_are_in_log_and_page():
    """What could not be used is reported with its count; Pinterest does not say which it was."""
    one = CustomerListReport(
        name="<b>VIPs",
        ad_account_id=ACCOUNT,
        list_id="17",
        created=False,
        added=3,
        removed=0,
        status="ODD",
        uploaded_records=3,
        removed_records=0,
        exceptions={"invalid_records": "2"},
        answers_with_exceptions=1,
        audience="found",
    )
    words = "\n".join(one.lines())
    assert "invalid_records 2" in (one.warning() or "")
    assert msgspec.structs.replace(one, exceptions={}).warning() is None
    assert "does not document this status" in words
    assert "audience was there" in words
