"""Secrets in raw lines: passwords, tokens, keys and cookies are replaced in texts that are meant to be shared.

All patterns are here. They run on polars' regex engine, whose time grows linearly with the length of a text. Masks
(`masks.py`) serve another purpose: they make similar lines equal, and may leave secrets.

A pattern puts marks around its match. The marks around values that are no secrets, such as `null`, are removed again;
everything that is still marked is replaced. A name with a colon may also begin a sentence, as in `token: must not be
empty`: its first word is a word of sentences, which no secret is.
"""

from __future__ import annotations

import polars as pl

from lo2core.base.frames import map_texts, visible_frame

MASKED = "<MASKED>"

_HINTS = (
    *("pass", "pwd", "secret", "token", "key", "auth", "credential", "session", "sid", "cookie", "basic", "bearer"),
    *("code", "://", "eyJ", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("AIza", "sk-", "k_live_", "k_test_", "npm_", "hf_", "identified by", "SG."),
)
"""Every text with a secret contains one of these; nearly all texts contain none, and are skipped."""

_OPEN, _CLOSE = "\U000f0000", "\U000f0001"
_NAME = (
    r"(?-u:[\w.-]*)(?:pass(?:word|wd|phrase|code)(?:[_.-]?(?:confirm(?:ation)?|again|repeat|hash|value|[0-9]))?"
    r"|[_.-]pass|pwd|secret|token|credentials?|session[_.-]?id|sessid|connect\.sid|amz-signature"
    r"|(?:api|access|private|secret|auth|account|encryption|signing)[_.-]?key)"
)
"""Names of secret values, with any prefix: `db.password`, `X-Api-Key`, `AWS_SECRET_ACCESS_KEY`."""
_COLOUR = r"(?:\x1b\[[0-9;]*m)*"
_IS = rf"""\\*["'`]?{_COLOUR}[ \t]*(?:=>|:=|[=:]|%3[dDaA])[ \t]*[\[({{]?{_COLOUR}"""
"""What is between a name and its value: `=`, `": `, `=[`."""
_BARE = r"""[^\s\x1b"'`,;&|<>(){}\[\]\\]"""
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_KEY_LINE = r"(?m:^)[ \t]*", r"[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{12})?", r"[ \t\r]*(?m:$)"
_KEY_TEXT = r"(?:\s|\\[nr])*[A-Za-z0-9+/=]"


def _marked(before: str, value: str, after: str = "") -> tuple[str, str]:
    """A pattern with three parts, and a replacement that marks the second of them; none may contain a group."""
    return f"({before})({value})({after})", f"${{1}}{_OPEN}${{2}}{_CLOSE}${{3}}"


_PATTERNS = (
    _marked("", r"(?s:-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?-----END [A-Z0-9 ]*PRIVATE KEY-----)"),
    # of a key that was cut, or that has one event per line
    _marked("", rf"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:{_KEY_TEXT}{{16,}})*"),
    _marked(*_KEY_LINE),
    _marked("", r"(?-u:\beyJ[\w-]{8,}(?:\.[\w-]*){0,4})"),
    _marked(
        "",
        r"(?-u:\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}"
        r"|AIza[\w-]{35}|sk-[\w-]{20,}|[rsp]k_(?:live|test)_\w{10,}|npm_\w{36}|hf_\w{30,}|SG\.[\w-]{16,}\.[\w-]{16,}))",
    ),
    # user and password of an address, or a token in their place
    _marked(
        r"\b[A-Za-z][A-Za-z0-9+.-]*://",
        r"""[^\s/?#@:"'<>]*:[^\s/?#@"'<>]+|[A-Za-z_.~-]*[0-9][A-Za-z0-9_.~-]{15,}""",
        "@",
    ),
    _marked(rf"(?i:authorization{_IS}\s*[\"']?(?:digest|aws4-hmac-sha256|oauth|hawk)\s)", r"[^\n]+"),
    _marked(rf"(?i:authorization{_IS}\\*[\"']?(?:[a-z][a-z0-9-]*\s+))", rf"{_BARE}{{4,}}"),
    _marked(rf"(?i:authorization{_IS}\\*[\"']?)", r"[A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/=-]{8,}"),
    # "Basic authentication" is prose: only a capital, a digit or a sign after some characters makes it base64.
    _marked(r"\b(?i:basic)\s+", r"[A-Za-z0-9+/]{7,}[A-Z0-9+/=][A-Za-z0-9+/]*=*"),
    _marked(r"\b(?i:bearer)\s+", r"[A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/=-]{5,}|[A-Za-z0-9._~+/-]{24,}=*"),
    _marked(rf"(?i:\b(?:set-)?cookie2?{_IS}\\*[\"']?)", r"""[^\s="'\[\]\\:]+=[^\n"'\]\\]*"""),
    # The value of a name: in quotes, in the escaped quotes of JSON in JSON, or without quotes.
    _marked(rf"(?i:{_NAME}{_IS})\"", r'(?:[^"\\]|\\(?s:.))+'),
    _marked(rf"(?i:{_NAME}{_IS})'", r"(?:[^'\\]|\\(?s:.))+"),
    _marked(rf"(?i:{_NAME}{_IS})\\+[\"']", r"""[^"'\\]+"""),
    _marked(rf"(?i:{_NAME}{_IS})", rf"{_BARE}+"),
    _marked(rf"(?i:<{_NAME}>)", r"[^<]+", "</"),
    _marked(rf"(?i:--{_NAME})\s+", rf"{_BARE}+"),
    _marked(r"(?i:\b(?:identified by|password)\s+)'", r"[^'\n]+"),
    # Codes of OAuth: a code that is no error code is long.
    _marked(
        rf"(?i:\b(?:auth[A-Za-z0-9_]*[_-]?)?code(?:[_-]?(?:verifier|challenge))?{_IS}\\*[\"']?)", r"[A-Za-z0-9_-]{20,}"
    ),
    _marked(r"(?i:token[/\s]+)", _UUID),
    # A validator names what it has checked last: `validate( "...", "...", refreshToken)`.
    _marked(
        r"\( ?",
        r'"[^"\s]{4,}", "[^"]*"|"[^"\s]{4,}"',
        rf"(?:, \{{[^}}]*\}}?)?, (?i:[A-Za-z0-9_.]*(?:{_NAME}|authorization))\)",
    ),
)
_STATES = (
    "absent|accepted|already|blank|cannot|can't|changed|created|deleted|denied|disabled|enabled|exceeded|expired|failed"
    "|failure|found|generated|ignored|illegal|incorrect|loaded|malformed|mismatch|must|never|not|nothing|parsed|present"
    "|read|received|refreshed|refused|rejected|removed|requested|returned|revoked|saved|sent|skipped|timeout|unable"
    "|unexpected|unknown|unsupported|updated|used|validated|verified|wrong"
)
"""Words that say what is wrong with a secret, or what was done with it."""
_WORDS = (
    "a|about|above|added|after|again|all|allowed|also|an|and|another|any|are|as|at|authentication|authorization|bad|be"
    "|because|been|before|below|between|both|but|by|can|check|checked|checking|client|could|couldn't|decoding|did|didn't"
    "|differs?|does|doesn't|don't|each|either|encoding|enter|errors?|every|exception|expected|expires?|fail|fetching"
    "|fewer|field|for|format|from|generating|got|had|has|have|if|in|into|is|isn't|it|its|jwt|keys?|last|least|length"
    "|less|likewise|loading|logs?|match|matched|matches|may|more|most|neither|new|next|no|of|off|on|one|only|or|other"
    "|our|out|over|parse|parser|parsing|passed|passwords?|please|possibly|problem|provided?|reading|refreshing|requests?"
    "|reset|response|retry|retrying|saving|see|shall|should|signature|signed|some|such|than|that|the|their|there|these"
    "|they|this|those|timed|to|tokens?|too|two|under|unless|until|updating|use|users?|using|validating|validation"
    "|values?|verification|verifying|version|was|we|were|when|where|which|while|who|why|will|with|within|without|would"
    "|yet|you|your"
)
"""Other words that begin a sentence, which goes on behind them."""
_COLON = r":[ \t]+"
_GOES_ON = r"[ \t]+[A-Za-z']+(?:[\s.,;!?)%]|$)"
_OF_VALIDATOR = (
    r"(?i:(?:must|should|shall|may|can)(?: not|n't)? (?:be|contain|have|match|include|exceed|start|end|use|differ)"
    r"|can(?:not|'t) (?:be|contain|exceed|start|end|match|have)|too (?:short|long|weak|common|simple)"
    r"|(?:is|was|has)(?: not| been| too)* (?:required|missing|invalid|incorrect|wrong|empty|blank|null|short|long|weak"
    r"|valid|expired|revoked|mandatory|allowed|common))\b[A-Za-z0-9 ,()'-]*\.?"
)
"""What a validator says of a field, as `"password":"must not be empty"`."""
_NUMBER = r"[0-9]{1,3}(?:[.,][0-9]{1,3})*"
_HARMLESS = (
    ("", r"(?i:null|none|nil|true|false|undefined|empty|missing|required|invalid|\*+|[?%]s?)", ""),
    # names of constants, and words: CLIENT_NOT_FOUND, ClientNotFound
    (rf"(?i:code){_IS}\\*[\"']?", r"[A-Z0-9]+(?:_[A-Z0-9]+)+|(?:[A-Z]?[a-z]{2,}[_-]?)+", ""),
    # an object that is printed: Token(client=...
    ("", r"[A-Za-z]+", r"\("),
    # sentences: `INCORRECT_PASSWORD: Incorrect password for user`, `token: 5 % of the messages are new`
    (_COLON, rf"(?i:{_STATES})[.!?]*", r"[\s,;)]|$"),
    (_COLON, rf"(?i:{_WORDS})", _GOES_ON),
    (_COLON, _NUMBER, r" (?:%|of |more |[a-z]+s )"),
    (_COLON, "1", r" [a-z]+ "),
    (r":[ \t]*[\[{]?[\"']", _OF_VALIDATOR, ""),
)
"""Marked values that are no secrets, with what is before and after them."""


def masked(texts: pl.Series) -> pl.Series:
    """The texts with `<MASKED>` in place of each secret; null stays null. Masking twice changes nothing more.

    Examples:
        >>> import polars as pl
        >>> from lo2core.messages.secrets import masked
        >>> masked(pl.Series(["login user=ann password=hunter2", "status=404 code=CLIENT_NOT_FOUND"])).to_list()
        ['login user=ann password=<MASKED>', 'status=404 code=CLIENT_NOT_FOUND']
    """
    suspect = texts.str.contains_any(list(_HINTS), ascii_case_insensitive=True)
    suspect = (suspect | texts.str.contains("".join(_KEY_LINE))).fill_null(False)
    if not suspect.any():
        return texts
    found = texts.filter(suspect).unique()
    replaced = found
    for pattern, replacement in _PATTERNS:
        marked = replaced.str.replace_all(pattern, replacement)
        if not marked.equals(replaced):
            replaced = _without_marks(marked)
    return texts.replace(found, replaced)


def _without_marks(marked: pl.Series) -> pl.Series:
    for before, value, after in _HARMLESS:
        marked = marked.str.replace_all(f"({before}){_OPEN}({value}){_CLOSE}({after})", "${1}${2}${3}")
    return marked.str.replace_all(f"{_OPEN}[^{_CLOSE}]*{_CLOSE}", MASKED)


def masked_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """`masked` of all texts of a frame."""
    return map_texts(frame, masked)


def exported(frame: pl.DataFrame, secrets: bool = False) -> pl.DataFrame:
    """A frame as it is exported as CSV: control characters are visible, and secrets masked unless `secrets` is true."""
    return visible_frame(frame if secrets else masked_frame(frame))


def masked_text(text: str) -> str:
    """`masked` of one text."""
    return str(masked(pl.Series([text]))[0])
