"""Throughput against latency and against batch size.

It measures both series and draws each as a small SVG. The pictures follow the browser's color
scheme and are legible on light and dark backgrounds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.cases import CASES, TARGET, Bench
from benchmarks.results import rate_of

LATENCIES_MS: Final = (0, 25, 50, 100, 200, 400, 800)
BATCH_SIZES: Final = (50, 100, 200, 400, 700, 1000)
REPEATS: Final = 2

_WIDTH: Final = 640
_HEIGHT: Final = 320
_LEFT: Final = 76
_RIGHT: Final = 24
_TOP: Final = 44
_BOTTOM: Final = 56
_STYLE: Final = (
    "text{font:13px sans-serif;fill:#57606a}.grid{stroke:#8b949e;stroke-opacity:.3}"
    ".line{fill:none;stroke:#bd081c;stroke-width:2.5}.dot{fill:#bd081c}"
    "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.line{stroke:#ff6b7a}.dot{fill:#ff6b7a}}"
)


class Plot(NamedTuple):
    """One picture: `points` are pairs of x and records per second."""

    title: str
    x_label: str
    points: Sequence[tuple[float, float]]


def draw(bench: Bench, folder: Path) -> None:
    """Measure both series and write both pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = {
        "throughput-latency.svg": Plot(
            "Throughput against latency",
            "milliseconds a call",
            [(ms, _rate(bench, latency_ms=ms)) for ms in LATENCIES_MS],
        ),
        "throughput-batch-size.svg": Plot(
            "Throughput against batch size",
            "events a request",
            [(size, _rate(bench, batch_size=size)) for size in BATCH_SIZES],
        ),
    }
    for name, plot in plots.items():
        (folder / name).write_text(svg(plot))
        print(f"{plot.title}: " + ", ".join(f"{x:g}: {y:,.0f}" for x, y in plot.points))  # noqa: T201 - its result


def _rate(bench: Bench, *, latency_ms: int = 0, batch_size: int = 1000) -> float:
    target = next(case for case in CASES if case.name == TARGET)
    case = target._replace(latency_ms=latency_ms, settings={"batch_size_rows": batch_size})
    starts = [bench.run_one(target) for _ in range(REPEATS)]
    return rate_of(case.name, case.about, [bench.run(case) for _ in range(REPEATS)], starts).rate


def svg(plot: Plot) -> str:
    """Return a line chart; both axes begin at zero."""
    most_x, most_y = max(x for x, _ in plot.points), _ceiling(max(y for _, y in plot.points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + x / most_x * (_WIDTH - _LEFT - _RIGHT)
        return round(across, 1), round(
            _HEIGHT - _BOTTOM - y / most_y * (_HEIGHT - _TOP - _BOTTOM), 1
        )

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'role="img" aria-label="{plot.title}">'
        ),
        f"<style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="24" font-weight="bold">{plot.title}, records a second</text>',
    ]
    for step in range(5):
        value = most_y * step / 4
        left, height = place(0, value)
        parts.append(
            f'<line class="grid" x1="{left}" y1="{height}" x2="{_WIDTH - _RIGHT}" y2="{height}"/>'
        )
        parts.append(
            f'<text x="{_LEFT - 8}" y="{height + 4}" text-anchor="end">{value:,.0f}</text>'
        )
    last = float("-inf")
    for x, _ in plot.points:
        across, height = place(x, 0)
        if across - last >= 28:  # noqa: PLR2004 - labels that would touch are dropped
            parts.append(f'<text x="{across}" y="{height + 20}" text-anchor="middle">{x:g}</text>')
            last = across
    parts.append(
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 12}" '
        f'text-anchor="middle">{plot.x_label}</text>'
    )
    places = [place(x, y) for x, y in plot.points]
    parts.append(f'<polyline class="line" points="{" ".join(f"{x},{y}" for x, y in places)}"/>')
    parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="4"/>' for x, y in places]
    return "\n".join([*parts, "</svg>", ""])


def _ceiling(value: float) -> float:
    """Return a round number not below the value, with round quarters."""
    step: int = next(
        factor * 10**power
        for power in range(12)
        for factor in (1, 2, 4, 8)
        if factor * 10**power * 4 >= value
    )
    return 4.0 * step
