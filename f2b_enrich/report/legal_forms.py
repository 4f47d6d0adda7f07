"""What companies of the same name may be called besides: Inc., Ltd, GmbH."""

from __future__ import annotations

import re

# A letter with a dot is a part of an abbreviation: `s.a.s.` is one word, `sas`.
_INITIAL = re.compile(r"(?<![^\W_])([^\W\d_])\.")
_WORD = re.compile(r"[^\W_]+")

_FORMS = frozenset(
    {
        *("inc", "incorporated", "corp", "corporation", "co", "company", "ltd"),
        *("limited", "llc", "llp", "lp", "plc", "gmbh", "mbh", "ag", "kg", "kgaa"),
        *("ug", "ohg", "co kg", "se", "sa", "sas", "sasu", "sarl", "eurl", "snc", "nv"),
        *("bv", "bvba", "srl", "srls", "spa", "sl", "slu", "sau", "lda", "ltda"),
        *("ltda me", "eireli", "eireli me", "oy", "oyj", "ab", "as", "asa", "aps"),
        *("ehf", "hf", "kft", "zrt", "nyrt", "sro", "doo", "dd", "ood", "eood", "ad"),
        *("ead", "sia", "uab", "ou", "pjsc", "cjsc", "jsc", "ojsc", "ooo", "oao"),
        *("zao", "pao", "ao", "tov", "pte", "pty", "pvt", "sdn", "bhd", "tbk", "kk"),
        *("fze", "fzco", "fz llc", "sal", "sac", "saa", "saog"),
        *("private limited", "proprietary limited", "joint stock company"),
        *("public joint stock company", "limited liability company", "sa de cv"),
        *("sab de cv", "sapi de cv", "s de rl de cv", "a s", "a b", "d o o", "s p a"),
        *("s r o", "sp z oo", "sp z o o", "spol s r o", "spol sro"),
    }
)
_LONGEST = max(form.count(" ") for form in _FORMS) + 1

_BEFORE = frozenset(
    {
        *("the", "jsc", "pjsc", "ojsc", "cjsc", "llc", "ltd", "ooo", "oao", "zao"),
        *("ao", "uab", "sia", "pt", "cv", "tov", "joint stock company"),
        *("limited liability company", "public joint stock company"),
    }
)
"""Forms that in some languages stand before the name."""


def without_legal_form(name: str) -> tuple[str, ...]:
    """Give the words of a case-folded name without its legal forms; one word stays."""
    words = tuple(_WORD.findall(_INITIAL.sub(r"\1", name)))
    while len(words) > 1:
        shorter = _shorter(words)
        if shorter == words:
            break
        words = shorter
    return words


def _shorter(words: tuple[str, ...]) -> tuple[str, ...]:
    """Take one form away, the longest there is; of a name that is all form, none."""
    for count in range(min(_LONGEST, len(words) - 1), 0, -1):
        if " ".join(words[-count:]) in _FORMS:
            return words[:-count]
        if " ".join(words[:count]) in _BEFORE:
            return words[count:]
    return words
