"""Headless Chromium for the looks at the faceplate: the machine's own, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


class BrowserError(Exception):
    """The browser that was named is none, or does not start; the text is one line."""


class NoBrowserError(BrowserError):
    """There is none on this machine: what needs one is left out."""


def find_browser() -> str:
    """Chromium, by the environment's CHROMIUM or from the path. Raises BrowserError."""
    asked = os.environ.get("CHROMIUM")
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise BrowserError(f"CHROMIUM={asked} is not a program that can be run")
        return found
    found = next((found for found in map(shutil.which, _BROWSERS) if found), None)
    if found is None:
        raise NoBrowserError("no Chromium here (Debian: apt install chromium)")
    return found


@contextmanager
def open_browser() -> Generator[Browser]:
    """A browser for as long as the `with` block lasts. Raises BrowserError."""
    program = find_browser()
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowserError("nothing drives a browser here: `make setup` tells why") from None
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=program, args=_OPTIONS)
        except Error as error:
            raise BrowserError(f"{program} does not start: {error.message[:200]}") from error
        try:
            yield browser
        finally:
            browser.close()
