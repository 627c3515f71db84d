"""The dashboard's preview: every widget is drawn with data, and none lies on another."""

from __future__ import annotations

import sys
import unittest
from typing import Any

from support import ROOT

sys.path.insert(0, str(ROOT / "local" / "dashboard"))

import draw  # noqa: E402
import preview  # noqa: E402


def widget(x: int, y: int, width: int = 8) -> dict[str, Any]:
    return {"x": x, "y": y, "width": width, "height": 6, "properties": {"title": f"at {x}, {y}"}}


class Dashboard(unittest.TestCase):
    def test_every_widget_of_the_template_is_drawn_in_a_place_of_its_own(self) -> None:
        name, widgets = preview.dashboard(ROOT / "template.yaml")
        self.assertEqual([], preview.misplaced(widgets))
        page = draw.page(name, widgets)
        for drawn in widgets:
            if title := drawn["properties"].get("title"):
                self.assertIn(title, page)
        charts = [drawn for drawn in widgets if drawn["type"] == "metric"]
        # Each chart has a line, an area or a bar: a series without sample data would leave it empty.
        self.assertGreaterEqual(page.count("<svg"), len(charts))
        self.assertNotIn("NaN", page)

    def test_what_lies_on_another_or_leaves_the_grid_is_told(self) -> None:
        self.assertEqual([], preview.misplaced([widget(0, 0), widget(8, 0), widget(0, 6)]))
        self.assertEqual(["at 4, 0 lies on at 0, 0"], preview.misplaced([widget(0, 0), widget(4, 0)]))
        self.assertEqual(["at 20, 0 leaves the grid"], preview.misplaced([widget(20, 0)]))


if __name__ == "__main__":
    unittest.main()
