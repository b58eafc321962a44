"""The faceplate's page: files that need nothing from elsewhere and name their controls."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "boards" / "sim" / "faceplate" / "page"
FILES = {path.name: path.read_text() for path in sorted(FOLDER.iterdir())}
PAGES = [name for name in FILES if name.endswith(".html")]
SCRIPTS = [name for name in FILES if name.endswith(".js")]
LINES_MAX = 400
WIDTH_MAX = 120
NEIGHBOUR = "http://${location.hostname}:"  # another meter on the same machine
IMPORT = re.compile(r'^import (?:.* from )?"([^"]+)";$', re.M)
ID = re.compile(r'\bid="([A-Za-z0-9-]+)"')


def test_a_file_does_one_job():
    assert {name.rpartition(".")[2] for name in FILES} == {"html", "css", "js"}
    for name, text in FILES.items():
        assert text.count("\n") <= LINES_MAX, name
        if name in SCRIPTS:
            assert text.startswith("// "), name
            assert max(map(len, text.splitlines())) <= WIDTH_MAX, name


@pytest.mark.parametrize("name", FILES)
def test_the_page_needs_nothing_from_elsewhere(name):
    text = FILES[name]
    outside = re.findall(r"(?:src|href|url|action)\s*[=(]\s*[\"']?([^\"')\s>]+)", text)
    for target in outside:
        assert target.startswith(("data:", "#", "url(#", NEIGHBOUR)) or target in FILES, target
    assert not re.findall(r"https?://(?!www\.w3\.org/|\$\{location\.hostname\}:)", text)
    assert "import(" not in text and "@import" not in text
    for target in IMPORT.findall(text):
        assert target.startswith("./") and target[2:] in SCRIPTS, target


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_takes_only_what_another_gives(name):
    for names, source in re.findall(r"^import \{([^}]*)\} from \"./(.+?)\";$", FILES[name], re.M):
        for taken in map(str.strip, names.split(",")):
            word = rf"(?<!\w){re.escape(taken)}(?!\w)"
            given = rf"^export (?:async )?(?:const|let|function|class) {word}"
            assert re.search(given, FILES[source], re.M), (taken, source)
            assert len(re.findall(word, FILES[name])) > 1, taken


def scripts_of(page):
    """The scripts that a page loads, itself and through each other."""
    found = []
    wanted = re.findall(r'src="([^"]+\.js)"', FILES[page])
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.append(name)
            wanted += [target[2:] for target in IMPORT.findall(FILES[name])]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_page_finds_its_own_parts(page):
    text = FILES[page]
    ids = set(ID.findall(text))
    assert len(ID.findall(text)) == len(ids)
    assert scripts_of(page)
    for name in scripts_of(page):
        for used in re.findall(r'\$\("([A-Za-z0-9-]+)"\)', FILES[name]):
            assert used in ids, (name, used)
        for used in re.findall(r'\bbox: "([A-Za-z0-9-]+)"', FILES[name]):
            assert used in ids, (name, used)
    for used in re.findall(r'(?:aria-labelledby|for|aria-controls)="([A-Za-z0-9-]+)"', text):
        assert used in ids, used


def test_no_script_lies_unused():
    assert {name for page in PAGES for name in scripts_of(page)} == set(SCRIPTS)


@pytest.mark.parametrize("page", PAGES)
def test_every_control_of_the_page_has_a_name(page):
    text = FILES[page]
    labelled = set(re.findall(r'<label for="([^"]+)"', text))
    for tag in re.findall(r"<(?:input|select)\b[^>]*>", text):
        number = re.search(r'id="([^"]+)"', tag)
        inside = re.search(r"<label[^>]*>[^<]*" + re.escape(tag), text)
        assert "aria-label" in tag or inside or (number is not None and number[1] in labelled), tag
    for tag in re.findall(r'<button class="key"[^>]*>', text):
        assert "aria-label" in tag
