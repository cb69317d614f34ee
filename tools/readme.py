"""Put what `make demo` prints into the README, and its report's picture into docs/.

Run as: python tools/readme.py [FOLDER], where FOLDER is a demo made by `make demo`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import octad
from octad.faces.report import report
from octad.faces.terminal import terminal_text

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- demo -->\n).*?(<!-- /demo -->)", re.DOTALL)
WIDTH = 108
FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "hide-scrollbars",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)


def demo_block(folder: str) -> str:
    """What the terminal shows of the demo's review, as a block of the README."""
    review = octad.open(folder).review("circles", log_look=False)
    text = terminal_text(review, width=WIDTH, full="demo/reviews/circles.html")
    return f"```\n{steady(text)}\n```\n"


def steady(text: str) -> str:
    """A review in a terminal without its last lines, the cost, which differs from run to run."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    cost = next((i for i, line in enumerate(lines) if " rows read in " in line), len(lines))
    return "\n".join(lines[:cost]).rstrip()


def picture(folder: str) -> None:
    """Photograph the top of the report in Chromium."""
    review = octad.open(folder).review("circles", log_look=False)
    page = ROOT / folder / "reviews" / "picture.html"
    page.write_text(report(review), encoding="utf-8")
    browser = next(b for n in ("chromium", "google-chrome") if (b := shutil.which(n)))
    flags = [f"--{flag}" for flag in FLAGS]
    target = ROOT / "docs" / "report.png"
    size = ("--window-size=1120,1500", f"--screenshot={target}", page.as_uri())
    subprocess.run([browser, *flags, *size], check=True, capture_output=True)
    page.unlink()


def main() -> None:
    """Write both."""
    folder = sys.argv[1] if len(sys.argv) > 1 else "demo"
    path = ROOT / "README.md"
    block = demo_block(folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(BLOCK.sub(lambda m: m[1] + block + m[2], text), encoding="utf-8")
    picture(folder)


if __name__ == "__main__":
    main()
