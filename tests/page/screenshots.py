"""`python -m tests.page.screenshots` makes the pictures of docs/page.md, of a made-up day.

Needs Chromium; pngquant, where there is one, makes them a third as large.
"""

import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Browser

from local.stack import ROOT
from tests.page import browser, days
from tests.page.browser import PHONE, Theme
from tests.page.conftest import settled
from tests.page.fake_app import FakeApp, serving
from tests.page.world import run_name

FOLDER = ROOT / "docs" / "screens"
DESK = (1200, 820)
EAST = "files/diabetes/clinic-east.csv"
PARTIAL = f"runs/{run_name(days.STARTED - 3)}"
PICTURES: list[tuple[str, str, tuple[int, int], Theme]] = [
    ("overview-light", "", (1200, 1040), "light"),
    ("overview-dark", "", (1200, 1040), "dark"),
    ("run", PARTIAL, DESK, "light"),
    ("file", EAST, (1200, 940), "light"),
    ("activity", "activity", (1200, 920), "dark"),
    ("phone", f"runs/{run_name(days.STARTED)}", PHONE, "light"),
]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    world = days.busy_day()
    world.row_values = True
    with browser.launched() as chromium, serving(world) as app:
        for name, place, size, theme in PICTURES:
            taken(chromium, app, place, size, theme, FOLDER / f"{name}.png")


def taken(
    chromium: Browser, app: FakeApp, place: str, size: tuple[int, int], theme: Theme, path: Path
) -> None:
    with browser.tab(chromium, size, theme) as page:
        page.goto(f"{app.url()}#/{place}")
        settled(page).screenshot(path=path)
    made_small(path)


def made_small(path: Path) -> None:
    quantizer = shutil.which("pngquant")
    if quantizer:
        command = [quantizer, "--strip", "--force", "--output", str(path), "128", str(path)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
