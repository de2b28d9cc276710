"""The receiving end of a real run: settings that name the sandbox, and digests to compare with."""

import hashlib
from pathlib import Path
from typing import Any, Final

from target_pinterest_capi.sandbox.server import Sandbox

AD_ACCOUNT_ID: Final = "549755885175"
TOKEN: Final = "sandbox-token"


def digest(text: str) -> str:
    """Return the SHA-256 of a normal form, as Pinterest expects it."""
    return hashlib.sha256(text.encode()).hexdigest()


def target_settings(sandbox: Sandbox, directory: Path) -> dict[str, Any]:
    """Return settings that deliver to the sandbox and keep dead letters in the directory."""
    return {
        "ad_account_id": AD_ACCOUNT_ID,
        "conversion_token": TOKEN,
        "api_url": sandbox.url,
        "dead_letter_path": str(directory / "rejected.jsonl"),
    }
