"""`make menus`: the tree of menus, firmware/app/display/menu_tree.py, as docs/menu-tree.md.

`--check` compares the document with the tree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "firmware"), str(ROOT / "host_tests" / "shims")]

from app.display import keys, menu_tree, words  # noqa: E402 - found by the path above

DOCUMENT = ROOT / "docs" / "menu-tree.md"

PLACES = {
    menu_tree.START: "start-up test: all segments",
    menu_tree.NAME: "name and version",
    menu_tree.AUTO: "automatic scroll, 0-0:21.0.1",
    menu_tree.TEST: "display test: all segments",
    menu_tree.INSIDE: "inside a menu",
    menu_tree.CHECK: "check of all characters",
    menu_tree.MESSAGE: "message for the consumer",
}
EVENTS = {
    menu_tree.OVER: "time is over",
    menu_tree.NEXT: "next",
    menu_tree.ENTER: "enter",
    menu_tree.BACK: "one layer up",
    menu_tree.ESCAPE: "escape",
    menu_tree.MENU: "menu",
    menu_tree.SWITCH: "connect or disconnect",
    menu_tree.SERVICE: "enter with the terminal cover open",
    menu_tree.SET: "sealed key, short",
    menu_tree.CLOSE: "sealed key, 5 s and longer",
    menu_tree.LEFT: "upper layer left",
    menu_tree.IDLE: "nobody there for 120 s",
    menu_tree.TOLD: "something to be told",
    menu_tree.CALLED: "there is a message for the consumer",
    menu_tree.GONE: "it was taken back, by a key or by its sender",
    menu_tree.NOTHING: "-",
}
ACTIONS = {
    "_show_name": "name and version",
    "_first": "first value",
    "_next": "next value",
    "_show_test": "all segments",
    "_show_news": "the news for 3 s",
    "_resume": "the news that were told meanwhile, else the first value",
    "_show_message": "the message, 0-0:96.13.1",
    "_step": "next entry",
    "_enter": "what the entry opens; where it opens nothing, one layer up",
    "_up": "one layer up",
    "_switch": "connect or disconnect",
    "_close": "end of the billing period, if 0-0:128.10.5 allows it",
    "_draw": "the entry again",
    "data": "Data menu",
    "set": "Set menu",
    "functions": "function menu",
    "service": "service menu",
    "list": "manual list",
    "reset": "meter reset",
}
KINDS = {
    menu_tree.LIST: "the values of 0-0:21.0.2",
    menu_tree.PROFILE: "load profile {}: DATE, TIME, ATTR",
    menu_tree.ONE_ITEM: "the object alone, if there is one that says something",
    menu_tree.PIN_ENTRY: "the consumer's PIN, digit by digit",
    menu_tree.PICTURES: "test pictures: all, odd, even, no segments",
    menu_tree.PARTS: "test of the parts: each with what came of it; the console prints more",
    menu_tree.RESET: "meter reset by both keys",
    menu_tree.FUNCTION: "carried out at once, if the meter offers it",
}
MENUS = (
    "Data menu",
    "Set menu",
    "Function menu, of the reduced console",
    "Service menu, while the terminal cover is open",
    "Language menu",
)
PRESSES = (
    (keys.SHORT, "below 2 s"),
    (keys.ENTER, "2 to 5 s"),
    (keys.BACK, "5 to 7 s"),
    (keys.TO_AUTO, "7 to 8 s"),
    (keys.EXTENDED, "8 to 10 s"),
    (keys.CONNECT, "10 s and longer"),
)


def _tip(tip: int) -> str:
    if tip == menu_tree.LAYER:
        return "EntEr, LAYEr UP or ESC"
    if tip == menu_tree.OFFERED:
        return "ConnEct or dISconn"
    return words.ENGLISH[tip]


def _table(table: dict[tuple[int, int], tuple[int, str, int]]) -> list[str]:
    lines = ["| Place | What happens | What is shown or done | Tip |", "|---|---|---|---|"]
    for (place, event), (_, action, tip) in table.items():
        lines.append(f"| {PLACES[place]} | {EVENTS[event]} | {ACTIONS[action]} | {_tip(tip)} |")
    return lines


def document() -> str:
    """Return the text of docs/menu-tree.md."""
    lines = [
        "# Menu tree",
        "",
        "Written by `make menus` from firmware/app/display/menu_tree.py; not edited by hand.",
        "How to use the keys stands in display.md.",
        "",
        "## Presses of the scroll key",
        "",
        "| Held | normal console | reduced console |",
        "|---|---|---|",
    ]
    for kind, text in PRESSES:
        at = kind - keys.SHORT
        normal, reduced = EVENTS[menu_tree.NORMAL[at]], EVENTS[menu_tree.REDUCED[at]]
        lines.append(f"| {text} | {normal} | {reduced} |")
    lines += ["", "Where nothing can be connected, ten seconds are as eight.", "", "## Menus", ""]
    for title, menu in zip(MENUS, menu_tree.MENUS, strict=True):
        lines += [f"**{title}**", "", "| Item | Opens | Shown |", "|---|---|---|"]
        for word, kind, argument, bit in menu:
            shown = f"with bit {bit.bit_length() - 1} of 0-0:196.1.3" if bit else "always"
            if kind == menu_tree.FUNCTION:
                shown = "when it can be done"
            if kind == menu_tree.ONE_ITEM:
                shown = "when there is something to show"
            opens = MENUS[argument] if kind == menu_tree.MENU_KIND else KINDS[kind]
            lines.append(f"| {words.ENGLISH[word]} | {opens.format(argument)} | {shown} |")
        lines += [f"| {words.ENGLISH[words.END]} | | always |", ""]
    lines += ["## What each press does", "", "What is not named changes nothing.", ""]
    lines += _table(menu_tree.TABLE)
    lines += ["", "The reduced console differs in:", "", *_table(menu_tree.REDUCED_TABLE)]
    return "\n".join([*lines, ""])


def main() -> int:
    """Write or compare; 1 if the document is not of today."""
    parser = argparse.ArgumentParser(description="The tree of menus as text.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    text = document()
    if not check:
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"{DOCUMENT.relative_to(ROOT)}: {len(text.splitlines())} lines")
    elif not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        print("docs/menu-tree.md is not of today: make menus", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
