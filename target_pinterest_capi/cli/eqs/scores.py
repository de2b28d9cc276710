"""Pinterest's side of `pinterest-capi eqs`: one request for the scores."""

from collections.abc import Sequence
from typing import Final

import msgspec

from target_pinterest_capi.cli.oauth_session import open_session
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.pinterest.responses import QualityScore
from target_pinterest_capi.settings import Settings

NEEDED_FOR: Final = "because Pinterest does not show its event quality score for a conversion token"


def fetch_scores(
    settings: Settings, paths: Sequence[str], account: str, query: dict[str, str]
) -> list[QualityScore]:
    """Return the scores, with one attempt, and event names as they may be shown.

    Raises a `ClickException` if Pinterest has none; its message says what to do.
    """
    right = (
        f"The OAuth token may not read ad account {account}: check ad_account_id, and that the "
        "user who signed in, with the scope ads:read, has access to that account."
    )
    with open_session(settings, paths, account, NEEDED_FOR) as session:
        scores: list[QualityScore] = session.ask(
            lambda client, token: client.quality_scores(token, account, query),
            list,
            "no score",
            right,
        )
    return [_shown(score) for score in scores]


def _shown(score: QualityScore) -> QualityScore:
    components = {
        component: {shown_name(name): quality for name, quality in (by_name or {}).items()}
        for component, by_name in score.quality_components.items()
    }
    return msgspec.structs.replace(score, quality_components=components)
