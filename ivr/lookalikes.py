"""Look-alikes: Twilio's Smart Encoding sends plain characters for curly ones; texts are compared without them."""

import unicodedata

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼʻ´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ""),
        "…": "...",
        "•": "*",
        "‹": "<",
        "›": ">",
    }
)


def plain(text: str) -> str:
    """A text as Smart Encoding sends it: look-alikes made plain, all else as it was."""
    return text.translate(_PLAIN)


def folded(text: str) -> str:
    """A text with look-alikes made plain, compatibility forms decomposed, and white space collapsed."""
    return " ".join(unicodedata.normalize("NFKD", text.translate(_PLAIN)).translate(_PLAIN).split())
