"""The words of the glass in other languages than English (row DSP-33).

A language is one line: its words in the order of `words`, parted by bars; none stands for the
English one. The glass has no K, M, Q, W and X and no marks on letters, U stands for V: so are the
words chosen. A further language is a further line, its name in `words`, one more for
options.LANGUAGE.
"""

from app.display import words

_OTHERS = (
    # German
    (
        "|EndE|OEFFnEn|HOEHEr|AbbrUCH|dAtEn|||||PrUEFEn|SELb tSt|"
        "EIn|AUS|LASS LOS|FErtIG|FEHLEr|GESPErrt||SPrACHE|AnbIEtEr|PrEIS||PIn nEU|PIn AUS|"
        "tEILE||||"
    ),
    # Serbian
    (
        "|GOtOUO|ULAZ|GOrE|IZLAZ|POdACI||||||PrOUErA|"
        "SPOJI|rAStAUI|PUStI|USPESnO|nEUSPEH|OdbIJEnO||GOUOr|POZIU|CEnA||nOU PIn|bEZ PIn|"
        "dELOUI||||"
    ),
    # Slovene
    (
        "|GOtOUO|OdPrI|GOr|IZHOd|StAnJA||||||PrEGLEd|"
        "SPOJI|LOCI|SPUStI|USPESnO|nEUSPEH|ZAUrnJEn||GOUOr|POdPOrA|CEnA||nOU PIn|brEZ PIn|"
        "dELI||||"
    ),
)


def table(language: int) -> "tuple[str, ...]":
    """Return the words of a language: 0 English, 1 German, 2 Serbian, 3 Slovene."""
    if not language:
        return words.ENGLISH
    own = _OTHERS[language - 1].split("|")
    return tuple([own[at] or english for at, english in enumerate(words.ENGLISH)])
