"""Load records of any Singer tap into Pinterest's Conversions API."""

from importlib import metadata
from typing import Final

__version__: Final = metadata.version("target-pinterest-capi")
