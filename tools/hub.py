"""The entry for Meltano Hub: the plugin's definition, and the text of Hub's page.

Hub writes the installation and the table of settings itself.
"""

from importlib import metadata
from typing import Any, Final, NamedTuple

from target_pinterest_capi.cli.definition import NAME, PACKAGE, as_yaml, plugin_definition


class Publisher(NamedTuple):
    """Values that only the publisher of the package can decide."""

    repository: str  # the URL of the repository
    variant: str  # Hub's name for the publisher, in lower case: the owner of the repository
    label: str  # the publisher's name for people


# Placeholders until the package is published: all generated files use these values.
PUBLISHER: Final = Publisher(
    repository="https://github.com/your-organization/target-pinterest-capi",
    variant="your-organization",
    label="The target-pinterest-capi maintainers",
)

QUALITY: Final = "unknown"  # Hub rates a plugin by its use, once it is listed
DOMAIN_URL: Final = "https://developers.pinterest.com/"
MAINTENANCE_STATUS: Final = "beta"
KEYWORDS: Final = (
    "meltano_sdk",
    "pinterest",
    "conversions_api",
    "capi",
    "reverse_etl",
    "advertising",
    "marketing",
)
DEFINITION: Final = (
    "is a Singer target that turns the records of any tap into conversion events "
    "of Pinterest's Conversions API."
)
PREREQ: Final = """\
- A Pinterest business account with an ad account: its id is the number in the URL of Ads
  Manager.
- A conversion token. In Pinterest: *Ads > Conversions > Set up API > Generate new token*. It does
  not expire, is shown once, and can only send conversion events.

To try it without them, use the sandbox, which simulates Pinterest's endpoint on your own machine:

```bash
meltano invoke target-pinterest-capi:sandbox
```

It prints the `api_url`, `ad_account_id` and `conversion_token` to set.
"""
NEXT_STEPS: Final = """\
Check configuration, connection, token and ad account with a test request that Pinterest does not
record:

```bash
meltano invoke target-pinterest-capi:check
```

`meltano test target-pinterest-capi` does the same.
"""
SETTINGS_PREAMBLE: Final = """\
`ad_account_id` and `conversion_token` are enough if a tap's columns are named like Pinterest's
fields (`event_name`, `event_time`, `em`, `value` ...). For other tables, `mappings` has a JMESPath
expression for each field, or names a preset to start from:
`meltano invoke target-pinterest-capi:presets list`.

```yaml
config:
  ledger_url: sqlite:///ledger.db      # delivered events are not sent again
  mappings:
  - stream: shop-orders
    when: status == 'paid'
    fields:
      event_id: concat('order-', id)
      event_time: paid_at
      user_data.em: customer.email
      custom_data.value: total
      custom_data.currency: currency
    defaults:
      event_name: checkout
      action_source: web
```
"""
USAGE: Final = """\
## Outcomes of a record

Every event ends as `delivered`, `invalid`, `rejected` or `skipped`, counted with its reason in the
log. Invalid and rejected ones are JSON lines in `dead_letter_path`. STATE is written only when
everything before it is acknowledged, so a run that stops loses nothing: the next one continues
from there.

## Trying a mapping

`suggest` writes a first mapping; `preview` shows the events that a tap's records would
become, before anything is sent:

```bash
meltano invoke tap-postgres > records.singer
meltano invoke target-pinterest-capi:suggest records.singer
meltano invoke target-pinterest-capi:preview records.singer
meltano invoke target-pinterest-capi:check --sample records.singer
```

`mode: test` sends real requests that Pinterest checks and does not record.

## When a run fails

| the log says | look at |
|---|---|
| `Pinterest answered 401` | `conversion_token`: it is unknown, incomplete, or was replaced |
| `Pinterest answered 403` | `ad_account_id`: the token's user may not manage that account |
| `max_rejected_ratio` | the reasons in the log, and the dead letters |
"""

# Besides the entry, Hub's checks require a default variant and its publisher as a maintainer.
HEAD: Final = f"""\
# The entry for Meltano Hub, written by `make docs`: change what it is made from.
# `repo` and `variant` are those of PUBLISHER in tools/hub.py.
#
# It goes to _data/meltano/loaders/{NAME}/{PUBLISHER.variant}.yml of github.com/meltano/hub,
# this to its _data/default_variants.yml, below `loaders`:
#
#   {NAME}: {PUBLISHER.variant}
#
# and this to its _data/maintainers.yml, in alphabetical order, unless it is already there:
#
#   {PUBLISHER.variant}:
#     label: {PUBLISHER.label}
#     name: {PUBLISHER.variant}
#     url: {PUBLISHER.repository.rpartition("/")[0]}

"""


def entry() -> dict[str, Any]:
    """Return the entry: the plugin's definition, and the texts that Hub's page shows."""
    return {
        **plugin_definition(PACKAGE),
        "variant": PUBLISHER.variant,
        "repo": PUBLISHER.repository,
        "docs": f"{PUBLISHER.repository}#readme",
        "domain_url": DOMAIN_URL,
        "maintenance_status": MAINTENANCE_STATUS,
        "quality": QUALITY,
        "keywords": list(KEYWORDS),
        "supported_python_versions": supported_python_versions(),
        "definition": DEFINITION,
        "prereq": PREREQ,
        "next_steps": NEXT_STEPS,
        "settings_preamble": SETTINGS_PREAMBLE,
        "usage": USAGE,
    }


def supported_python_versions() -> list[str]:
    """Return the Python versions in the metadata of the installed package."""
    prefix = "Programming Language :: Python :: "
    classifiers = metadata.metadata(NAME).get_all("Classifier") or ()
    return [text.removeprefix(prefix) for text in classifiers if text.startswith(prefix + "3.")]


def text() -> str:
    """Return the entry as YAML, its keys sorted as Hub's linter requires."""
    return HEAD + as_yaml(entry(), sort_keys=True)
