"""The faceplate's page: one file that needs nothing from elsewhere and names its controls."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "boards" / "sim" / "faceplate" / "index.html"


def test_the_page_needs_nothing_from_elsewhere():
    page = PAGE.read_text()
    outside = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", page)
    for target in outside:
        assert target.startswith(("data:", "#", "url(#")), target
    assert not re.findall(r"https?://(?!www\.w3\.org/)", page)
    assert "import(" not in page


def test_the_page_finds_its_own_parts():
    page = PAGE.read_text()
    ids = set(re.findall(r'\bid="([A-Za-z0-9-]+)"', page))
    for used in re.findall(r'\$\("([A-Za-z0-9-]+)"\)', page):
        assert used in ids, used
    assert len(re.findall(r'\bid="([A-Za-z0-9-]+)"', page)) == len(ids)


def test_every_control_of_the_page_has_a_name():
    page = PAGE.read_text()
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    for tag in re.findall(r"<(?:input|select)\b[^>]*>", page):
        number = re.search(r'id="([^"]+)"', tag)
        inside = re.search(r"<label[^>]*>[^<]*" + re.escape(tag), page)
        assert "aria-label" in tag or inside or (number is not None and number[1] in labelled), tag
    for tag in re.findall(r'<button class="key"[^>]*>', page):
        assert "aria-label" in tag
