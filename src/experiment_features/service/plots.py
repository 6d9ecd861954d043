"""The two plots of the main page, as SVG without styles or scripts: the page's style sheet sets the colours."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import pygal

BARS = 10
WIDTH = 380
ROW_HEIGHT = 30
LONGEST_LABEL = 24
NAMESPACE = "http://www.w3.org/2000/svg"


def experiments_per_user(histogram: Sequence[tuple[int, int, int]]) -> bytes:
    """The plot of `Database.users_per_experiments`."""
    rows = []
    for low, high, users in histogram:
        amount = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        rows.append((f"{amount} experiment{'' if high == 1 else 's'}", users))
    return _bars("Experiments per user", "user", rows)


def most_used_compounds(compounds: Sequence[tuple[int, str | None, int]]) -> bytes:
    """The plot of `Database.most_used_compounds`."""
    rows = [(name or f"Compound id {compound_id}", experiments) for compound_id, name, experiments in compounds]
    return _bars("Most used compounds", "experiment", rows)


def _bars(title: str, counted: str, rows: Sequence[tuple[str, int]]) -> bytes:
    """A chart with a horizontal bar for the count of each row, the first row on top."""
    chart = pygal.HorizontalBar(
        css=[], js=[], disable_xml_declaration=True, width=WIDTH, height=ROW_HEIGHT * max(1, len(rows)) + 16,
        margin=4, show_legend=False, show_x_labels=False, show_x_guides=False, show_y_guides=False,
        print_values=True, print_values_position="bottom", value_formatter=lambda value: f"{value:,.0f}",
        rounded_bars=4, truncate_label=-1, no_data_text="Nothing yet",
    )  # fmt: skip
    chart.config.style.label_font_size = 13
    chart.config.style.value_font_size = 13
    # pygal draws the first row at the bottom.
    shown = [(_short(label), count) for label, count in reversed(rows)]
    chart.x_labels = [label for label, _ in shown]
    chart.add(title, [count for _, count in shown])
    svg = chart.render_tree()
    for parent in list(svg.iter()):
        for child in list(parent):
            # The page's security policy allows no inline style or script.
            if not isinstance(child.tag, str) or child.tag in ("defs", "desc", "title") or "tooltip-overlay" in child.get("class", ""):
                parent.remove(child)
        parent.attrib.pop("style", None)
    svg.attrib.pop("id", None)
    spoken = "; ".join(f"{label}: {count:,} {counted}{'' if count == 1 else 's'}" for label, count in rows) or "nothing yet"
    svg.set("role", "img")
    svg.set("aria-label", f"{title}. {spoken}.")
    return ElementTree.tostring(svg)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
