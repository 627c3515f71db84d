"""Draws widgets of a CloudWatch dashboard as HTML and SVG: about as the console lays them out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html import escape
from typing import Any

import sample
from sample import DAYS, Series

# The console's grid: 24 columns.
COLUMN, ROW, GAP = 60, 50, 10
LEFT, RIGHT, TOP, BOTTOM = 54, 20, 26, 22
SECOND_AXIS = 48
# Of the page: the grid and its margins.
WIDTH = 24 * COLUMN + 28
HEADER = 60


def height(widgets: list[dict[str, Any]]) -> int:
    """How high the page is, in pixels."""
    return max(widget["y"] + widget["height"] for widget in widgets) * ROW + HEADER


def page(title: str, widgets: list[dict[str, Any]]) -> str:
    """The whole page: one file, without scripts, that fetches nothing."""
    drawn = "\n".join(map(_placed, widgets))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><b>{escape(title)}</b><span>preview with made-up data; laid out as CloudWatch lays it out</span></header>
<main style="width:{24 * COLUMN}px;height:{height(widgets) - HEADER}px">
{drawn}
</main>
</body>
</html>
"""


def _placed(widget: dict[str, Any]) -> str:
    width, height = widget["width"] * COLUMN - GAP, widget["height"] * ROW - GAP
    place = f"left:{widget['x'] * COLUMN}px;top:{widget['y'] * ROW}px;width:{width}px;height:{height}px"
    properties = widget["properties"]
    match widget["type"]:
        case "text":
            body = _markdown(properties["markdown"])
        case "alarm":
            body = _alarms(properties["alarms"])
        case "log":
            body = _logs()
        case "metric":
            body = _graph(properties, width - 16, height - 36)
        case kind:
            raise ValueError(f"a widget of type {kind} cannot be drawn")
    title = f"<h2>{escape(properties['title'])}</h2>" if "title" in properties else ""
    return f'<section class="{widget["type"]}" style="{place}">{title}{body}</section>'


def _markdown(text: str) -> str:
    """The little that the dashboard uses: a heading, paragraphs, links, bold."""
    html = ""
    for line in filter(None, text.split("\n")):
        marked = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(line))
        marked = re.sub(r"\[(.+?)\]\((\S+?)\)", r'<a href="\2">\1</a>', marked)
        html += f"<h1>{marked[2:]}</h1>" if line.startswith("# ") else f"<p>{marked}</p>"
    return html


def _alarms(arns: list[str]) -> str:
    """A tile for each alarm, those in ALARM first."""
    names = [arn.rsplit(":", 1)[-1] for arn in arns]
    states = {name: sample.STATES.get(name.rsplit("-", 1)[-1], "OK") for name in names}
    names.sort(key=lambda name: states[name] != "ALARM")
    tiles = (f'<li class="is-{states[name].lower()}"><i></i>{escape(name)}</li>' for name in names)
    return f"<ul>{''.join(tiles)}</ul>"


def _logs() -> str:
    head = "".join(f"<th>{name}</th>" for name in ("@timestamp", "@log", "what", "why"))
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in sample.LOGS)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _graph(properties: dict[str, Any], width: int, height: int) -> str:
    series = sample.of_widget(properties)
    stacked = properties["stacked"]
    lines = properties.get("annotations", {}).get("horizontal", [])
    legend_height = _legend_height(series, width)
    plot = _Plot(width, height - legend_height, any(line.right for line in series))
    axis = properties["yAxis"]["left"]
    left = [line for line in series if not line.right]
    thresholds = [line["value"] for line in lines]
    top = axis.get("max") or _nice(max([_highest(left, stacked), *thresholds]))
    scale = Scale(axis.get("min", _floor(left, thresholds, top)), top)
    parts = [plot.axis(scale, axis["label"])]
    parts += [plot.annotation(line, scale) for line in lines]
    parts += plot.areas(left, scale) if stacked else [plot.line(line, scale) for line in left]
    if right := [line for line in series if line.right]:
        second = Scale(0, _nice(_highest(right, False)))
        parts.append(plot.second_axis(second, properties["yAxis"]["right"]["label"]))
        parts += [plot.line(line, second) for line in right]
    legend = "".join(f'<span><i style="background:{line.color}"></i>{escape(line.label)}</span>' for line in series)
    return (
        f'<svg width="{width}" height="{height - legend_height}">{"".join(parts)}</svg>'
        f'<div class="legend">{legend}</div>'
    )


def _highest(series: list[Series], stacked: bool) -> float:
    columns = [[line.values[day] or 0.0 for line in series] for day in range(DAYS)]
    return max((sum(column) if stacked else max(column)) for column in columns)


def _legend_height(series: list[Series], width: int) -> int:
    """Rows of 18 pixels, by about how wide each entry is."""
    rows, used = 1, 0
    for line in series:
        entry = 32 + 7 * len(line.label)
        if used and used + entry > width - 8:
            rows, used = rows + 1, 0
        used += entry
    return 18 * rows


def _nice(highest: float) -> float:
    """A round number that leaves a little room above the highest value."""
    if highest <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 2, 3, 4, 5, 6, 8, 10, 20) if step * power >= highest * 1.05)


def _floor(series: list[Series], thresholds: list[float], top: float) -> float:
    """Where an axis begins that has no given minimum: below what is lowest."""
    values = [value for line in series for value in line.values if value is not None]
    step = (top - min([*values, *thresholds])) / 4 or 1
    return math.floor((min([*values, *thresholds]) - step / 2) / 5) * 5


def short(value: float) -> str:
    """A number as the console writes it on an axis: 1.5k, 3.1G."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


@dataclass(frozen=True)
class Scale:
    """The lowest and the highest value of an axis."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value is between both, from 0 to 1."""
        return max(0.0, min(1.0, (value - self.low) / (self.high - self.low)))

    def marks(self) -> list[float]:
        """What the axis is marked with: whole numbers where they are few."""
        span = self.high - self.low
        count = int(span) if span <= 6 and span == int(span) else 4
        return [self.low + span * number / count for number in range(count + 1)]


class _Plot:
    """The area in which values are drawn."""

    def __init__(self, width: int, height: int, second_axis: bool) -> None:
        self._width = width - LEFT - (SECOND_AXIS if second_axis else RIGHT)
        self._height = height - TOP - BOTTOM

    def _x(self, day: float) -> float:
        return LEFT + self._width * day / (DAYS - 1)

    def _y(self, value: float, scale: Scale) -> float:
        return TOP + self._height * (1 - scale.share(value))

    def axis(self, scale: Scale, label: str) -> str:
        parts = [f'<text x="8" y="14" class="label">{escape(label)}</text>']
        for mark in scale.marks():
            y = self._y(mark, scale)
            parts.append(f'<line x1="{LEFT}" x2="{LEFT + self._width}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(mark)}</text>')
        for day in range(0, DAYS, 3):
            x, y = self._x(day), TOP + self._height + 16
            parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">day {day + 1}</text>')
        return "".join(parts)

    def second_axis(self, scale: Scale, label: str) -> str:
        x = LEFT + self._width
        marks = "".join(
            f'<text x="{x + 6}" y="{self._y(mark, scale) + 4:.1f}">{short(mark)}</text>' for mark in scale.marks()
        )
        return f'<text x="{x + SECOND_AXIS - 4}" y="14" text-anchor="end" class="label">{escape(label)}</text>{marks}'

    def annotation(self, line: dict[str, Any], scale: Scale) -> str:
        y, color = self._y(line["value"], scale), line["color"]
        begin, end = (TOP, y) if line.get("fill") == "above" else (y, TOP + self._height)
        # Where the line is near the upper edge, its label goes below it.
        text_y = y + 13 if y < TOP + 16 else y - 4
        return (
            f'<rect x="{LEFT}" y="{begin:.1f}" width="{self._width}" height="{max(0, end - begin):.1f}" '
            f'fill="{color}" opacity="0.07"/>'
            f'<line x1="{LEFT}" x2="{LEFT + self._width}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}" '
            f'stroke-dasharray="4 3"/>'
            f'<text x="{LEFT + 4}" y="{text_y:.1f}" style="fill:{color}">{escape(line["label"])} '
            f"{short(line['value'])}</text>"
        )

    def line(self, line: Series, scale: Scale) -> str:
        points = [(self._x(day), self._y(value, scale)) for day, value in enumerate(line.values) if value is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{line.color}"/>' for x, y in points)
        return f'<polyline points="{path}" fill="none" stroke="{line.color}" stroke-width="1.6"/>{dots}'

    def areas(self, series: list[Series], scale: Scale) -> list[str]:
        below = [0.0] * DAYS
        parts = []
        for line in series:
            above = [floor + (value or 0.0) for floor, value in zip(below, line.values, strict=True)]
            outline = [(self._x(day), self._y(value, scale)) for day, value in enumerate(above)]
            outline += [(self._x(day), self._y(below[day], scale)) for day in reversed(range(DAYS))]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)
            parts.append(
                f'<polygon points="{path}" fill="{line.color}" fill-opacity="0.35" stroke="{line.color}"/>'
            )
            below = above
        return parts


STYLE = """
* { box-sizing: border-box; margin: 0; }
body { background: #f2f3f3; color: #16191f; font: 12px/1.4 "DejaVu Sans", Arial, sans-serif; padding: 12px 14px; }
header { display: flex; gap: 16px; align-items: baseline; padding: 0 2px 10px; }
header b { font-size: 17px; }
header span, .label { color: #687078; }
main { position: relative; }
section { position: absolute; background: #fff; border: 1px solid #d5dbdb; border-radius: 4px; padding: 8px; overflow: hidden; }
h1 { font-size: 18px; margin-bottom: 4px; }
h2 { font-size: 13px; padding: 0 0 4px; }
p { margin: 2px 0 4px; }
a { color: #0073bb; text-decoration: none; }
text { font-size: 10px; fill: #545b64; }
.grid { stroke: #eaeded; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; padding-left: 8px; }
.legend span { white-space: nowrap; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 5px; }
ul { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(5, 1fr); gap: 6px; }
li { border: 1px solid #d5dbdb; border-left-width: 4px; border-radius: 3px; padding: 6px 8px; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; font-size: 11px; }
li i { display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-right: 6px; }
.is-ok { border-left-color: #1d8102; } .is-ok i { background: #1d8102; }
.is-alarm { border-left-color: #d13212; background: #fdf3f1; } .is-alarm i { background: #d13212; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 8px; border-bottom: 1px solid #eaeded; font-size: 11px; vertical-align: top; }
th { color: #687078; font-weight: 600; }
td:first-child { white-space: nowrap; }
"""
