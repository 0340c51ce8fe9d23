"""Masks, on real lines: what must go, what must stay, and that nothing else depends on anything."""

from __future__ import annotations

import base64
import pickle
import random
import re
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from lo2core.base.errors import InputError
from lo2core.messages.hashing import message_ids
from lo2core.messages.masks import DEFAULT_RULES, Masker, MaskRule, user_rule

STATUS = "ERROR c.networknt.handler.LightHttpHandler setExchangeStatus - "
TYPE = "DEBUG com.networknt.schema.TypeValidator debug - "
UNREADABLE_SECRET = re.compile(
    r"eyJ[\w-]{8}|[0-9a-f]{8}-[0-9a-f]|Basic [A-Za-z0-9+/]{7,}[A-Z0-9=]|@[0-9a-f]{6}"
    r"|(?<![\w-])(?=[\w-]*[a-z][\w-]*[0-9])(?=[\w-]*[0-9][a-z])(?=[\w-]*[0-9][A-Z])[\w-]{22,}"
)


def mask(text: str) -> str:
    return Masker().mask(pl.Series([text]))[0]


def texts_of(folder: Path) -> pl.Series:
    """What is masked of the logs below the folder: events without their header, continuation lines as they are."""
    text = pl.Series(
        [line for path in folder.rglob("*.log") for line in path.read_text("utf-8", "replace").split("\n")]
    )
    header = r"^\d\d:\d\d:\d\d\.\d{3} \[[^\]]*\] .*?((?:TRACE|DEBUG|INFO|WARN|ERROR) .*)$"
    return text.str.replace(header, "${1}").filter(text != "")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "DEBUG c.n.openapi.ApiNormalisedPath <init> - path = /oauth2/client/c851566c-a9d4-4776-a1dd-f7ff1537050a, "
            "base path is set to: null",
            "DEBUG c.n.openapi.ApiNormalisedPath <init> - path = /oauth2/client/<UUID>, base path is set to: null",
        ),
        ('"clientName":"2b3748eb-13c7-4d06-9663-025df916"', '"clientName":"<UUID>"'),
        ('"clientName":"2b3748eb-13c7-4d06-96"', '"clientName":"<UUID>"'),
        ('"clientName":"2b3748eb-13c7"', '"clientName":"<UUID>"'),
        ("c.n.oauth.cache.ServiceMapStore load - Load:2ff98c94", "c.n.oauth.cache.ServiceMapStore load - Load:<HEX>"),
        ('"serviceId":"4ad5fac5"', '"serviceId":"<HEX>"'),
        ("normalised = /oauth2/user/12345678", "normalised = /oauth2/user/<HEX>"),
        (
            'TypeValidator debug - validate( "Basic NmIxZDA2ZjMtNWY4Zi00YjNlLWIzNzMtZDFlYzNmODk1MGM4OjN6Vmk4QUl=", x)',
            'TypeValidator debug - validate( "Basic <CREDENTIALS>", x)',
        ),
        ('validate( "Basic YWRtaW46MTIzNDU2", Authorization)', 'validate( "Basic <CREDENTIALS>", Authorization)'),
        ("Authorization = Bearer eyJraWQiOiIxMDAifQ.eyJpc3MiOiJ1cm4ifQ.c2ln-Xx_1", "Authorization = Bearer <JWT>"),
        (
            f'{TYPE}validate( "gACiH0uAY7jBkysLirLT4yLDfRT6q7SK99_sPbd8HxM", '
            '"gACiH0uAY7jBkysLirLT4yLDfRT6q7SK99_sPbd8HxM", code_challenge)',
            f'{TYPE}validate( "<ID>", "<ID>", code_challenge)',
        ),
        (
            f'{TYPE}validate( "{"B" * 150}", "{"B" * 150}", code_challenge)',
            f'{TYPE}validate( "<ID>", "<ID>", code_challenge)',
        ),
        (
            f'{TYPE}validate( "{"Ä" * 50}", "{"Ä" * 50}", code_challenge)',
            f'{TYPE}validate( "<ID>", "<ID>", code_challenge)',
        ),
        (
            '"PKCE codeVerifier length under lower limit , codeVerifier = 0y89uteQWuX1zrJYtjjOz0NmRLQ1oAtFvM-3rVQY"',
            '"PKCE codeVerifier length under lower limit , codeVerifier = <ID>"',
        ),
        (f'codeVerifier = {"a" * 140}","severity":"ERROR"', 'codeVerifier = <ID>","severity":"ERROR"'),
        (
            "redirectUri = http://localhost:8080/authorization?code=OXdK0r_XRqOyxQFuaSPO7A",
            "redirectUri = http://localhost:8080/authorization?code=<ID>",
        ),
        (
            "handleAuthorizationCode - code = dli-V29LQKOvfw-X3H9Zfw redirectUri = null",
            "handleAuthorizationCode - code = <ID> redirectUri = null",
        ),
        ("handleAuthorizationCode - code = CI-h0oPYT-2s-8-DGIBarw", "handleAuthorizationCode - code = <ID>"),
        ('"clientSecret":"f0f1G2h3I4j5K6l7M8n9oQ"', '"clientSecret":"<ID>"'),
        ("requested token z-bTpF7BRfiPFn9pzE5R8A twice", "requested token <ID> twice"),
        ("LightBasicAuthenticationMechanism@3fd91d17 for", "LightBasicAuthenticationMechanism@<HASH> for"),
        ("$Aes256Gcm@5ec642e registered for", "$Aes256Gcm@<HASH> registered for"),
        ("mail to some.one@lightapi.net bounced", "mail to <EMAIL> bounced"),
        ("SEVERE: [10.0.0.1]:5701 [dev] [3.12] x", "SEVERE: [<IP>] [dev] [3.12] x"),
        ("from 127.0.0.1:40312 closed", "from <IP> closed"),
        ("Nov 3, 2026 4:34:40 PM com.hazelcast.Health", "<TIME> com.hazelcast.Health"),
        ("at 2026-11-03T16:34:40.123Z and 2026-11-03 16:34:40,123", "at <TIME> and <TIME>"),
        ("Initialized jose4j in 80ms", "Initialized jose4j in <DURATION>"),
        (
            "heap.memory.used=73.1M, heap.memory.used/total=29.39%, swap=0",
            "heap.memory.used=<NUM>, heap.memory.used/total=<NUM>, swap=<NUM>",
        ),
        ("Pool stats (total=2, active=0, waiting=0)", "Pool stats (total=<NUM>, active=<NUM>, waiting=<NUM>)"),
        (
            "Received block blk_-1608999687919862906 of size 67108864 from /10.250.10.6",
            "Received block blk_<NUM> of size <NUM> from /<IP>",
        ),
        ("/_task_200811101024_0011_m_001374_0/part-00111.", "/_task_<NUM>_<NUM>_m_<NUM>_<NUM>/part-<NUM>."),
    ],
)
def test_what_differs_every_time_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        f'{STATUS}{{"statusCode":404,"code":"ERR12014","message":"CLIENT_NOT_FOUND","severity":"ERROR"}}',
        f'{STATUS}{{"statusCode":400,"code":"ERR12039","message":"CODE_VERIFIER_TOO_LONG"}}',
        '"code":"INVALID_AUTHORIZATION_","message":"VALIDATOR_REQUEST_PARAMETER_QUERY_MISSING"',
        "code = INVALID_AUTHORIZATION_CODE_VALUE",
        "ERROR c.n.o.t.h.Oauth2TokenPostHandler handleRequest - ApiException",
        "DEBUG c.n.o.t.h.Oauth2RefreshTokenRefreshTokenDeleteHandler handleRequest - x",
        "\tat com.networknt.oauth.token.handler.Oauth2TokenPostHandler.handleRequest(Oauth2TokenPostHandler.java:233)",
        "\tat org.jboss.threads.ContextClassLoaderSavingRunnable.run(ContextClassLoaderSavingRunnable.java:35)",
        "\tat org.jboss.threads.EnhancedQueueExecutor.safeRun(EnhancedQueueExecutor.java:2019)",
        "\tat java.base/java.lang.Thread.run(Thread.java:840)",
        "java.lang.NullPointerException: Null key is not allowed!",
        "org.jose4j.jwe.AesCbcHmacSha2ContentEncryptionAlgorithm$Aes128CbcHmacSha256 registered for A128CBC-HS256",
        "Unable to get an implementation of algorithm name: SHA512withRSAandMGF1",
        "[AES_192/GCM/NOPADDING, PBEWITHHMACSHA256ANDAES_256, CHACHA20-POLY1305]",
        "Setting error code 500 for exchange HttpServerExchange{ PUT /oauth2/client}",
        "statusCode=404, status_code=500, error=401",
        "Unable to parse x-www-form-urlencoded form data.",
        "Invalid authorization header Bearer incorrect_token. Basic authentication with credentials is required.",
        f'{TYPE}validate( "S256", "S256", code_challenge_method)',
        f'{TYPE}validate( "http://localhost:8080/authorization", "http://localhost:8080/authorization", redirect_uri)',
        "DEBUG com.zaxxer.hikari.HikariConfig logConfiguration - autoCommit......................true",
        "CONSTRAINT `refresh_token_ibfk_1` FOREIGN KEY (`client_id`) REFERENCES `client`",
        "Authentication failed with message UT000038: requested user name 'admin' and mechanism BASIC",
        "Client not_a_client_id is not found.",
        "",
    ],
)
def test_what_says_something_survives(text: str) -> None:
    assert mask(text) == text


def test_random_ids_with_their_key_never_survive() -> None:
    rng = random.Random(1)
    ids = [base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=") for _ in range(5000)]
    for shape in ("code = {} redirectUri", "/authorization?code={}", '"clientSecret":"{}","clientName"'):
        masked = Masker().mask(pl.Series([shape.format(name) for name in ids]))
        assert set(masked) == {shape.format("<ID>")}
    bare = Masker().mask(pl.Series([f"token {name} x" for name in ids]))
    assert (bare == "token <ID> x").mean() > 0.985


def test_a_text_is_masked_alike_in_any_company() -> None:
    texts = pl.Series("m", ["Load:2ff98c94", "in 80ms", "Load:2ff98c94", None, "\tat a.B.c(B.java:1)", ""])
    together = Masker().mask(texts)
    assert together.name == "m"
    assert together.to_list() == [text and mask(text) for text in texts]
    assert Masker().mask(texts.reverse()).reverse().equals(together)
    assert Masker().mask(texts.clear()).to_list() == []


def test_hits_count_texts_and_show_one() -> None:
    texts = pl.Series(["Load:2ff98c94", "Load:2ff98c94", "Load:aaaaaaa1", "none", None])
    hits = Masker().hits(texts)
    assert hits.columns == ["name", "hits", "before", "after"]
    assert hits["name"].to_list() == [rule.name for rule in DEFAULT_RULES]
    assert hits.filter(pl.col("hits") > 0).rows() == [("hex id", 3, "Load:2ff98c94", "Load:<HEX>")]


def test_a_masker_travels() -> None:
    masker = Masker((*DEFAULT_RULES, user_rule("tenant", r"tenant-(\w)\w+", "tenant-${1}")))
    for again in (Masker.from_json(masker.to_json()), pickle.loads(pickle.dumps(masker))):
        assert again.rules == masker.rules
        assert again.fingerprint == masker.fingerprint
        assert again.mask(pl.Series(["in tenant-blue"])).to_list() == ["in tenant-b"]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"rules": [], "templates": {"templates": 5}}',
        '{"rules": [], "templates": {"templates": [], "codes": [1]}}',
        '"a"',
        "5",
        "[5]",
        "[{}]",
        '[{"name": 1, "pattern": "a", "replacement": "b"}]',
    ],
)
def test_what_is_no_list_of_masks_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, InputError)):
        Masker.from_json(text)


def test_fingerprint_tells_rules_apart() -> None:
    assert Masker().fingerprint == Masker().fingerprint
    assert Masker().fingerprint != Masker(DEFAULT_RULES[:-1]).fingerprint
    assert Masker().fingerprint != Masker(tuple(reversed(DEFAULT_RULES))).fingerprint


@pytest.mark.parametrize(
    ("pattern", "replacement", "masked"),
    [
        (r"tenant-\w+", "<TENANT>", "x <TENANT> $5"),
        (r"(x )tenant-\w+", "${1}<T>", "x <T> $5"),
        (r"(ten)ant-(?P<name>\w+)", "${1}/${name}", "x ten/blue $5"),
        (r"tenant-\w+", r"$1 \1", r"x $1 \1 $5"),
        (r"\$5", "$$9", "x tenant-blue $$9"),
    ],
)
def test_a_users_rule_may_keep_groups(pattern: str, replacement: str, masked: str) -> None:
    rule = user_rule("tenant", pattern, replacement)
    assert Masker((*DEFAULT_RULES, rule)).mask(pl.Series(["x tenant-blue $5"])).to_list() == [masked]


@pytest.mark.parametrize(
    ("name", "pattern", "replacement", "reason"),
    [
        ("mine", "(", "x", "unclosed group"),
        ("mine", "x*", "y", "matches the empty text, so write"),
        ("mine", r"\b", "y", "matches the empty text"),
        ("mine", "a(b)", "${2}", "group '2'"),
        ("mine", "(?:a)b", "${name}", "group 'name'"),
        (" ", "a", "b", "no name"),
        ("mine", "a(b)", r"\1", r"Write \$\{1\}"),
        ("mine", "a(?P<n>b)", r"\g<n>", r"Write \$\{n\}"),
        ("mine", "a(b)", "$1", r"Write \$\{1\}"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_reason(name: str, pattern: str, replacement: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        user_rule(name, pattern, replacement)


def test_a_users_rule_gives_the_same_at_a_load_and_later() -> None:
    raw = pl.Series(["INFO a b - job 12345678 of 22 tried", "INFO a b - job 7 of 22 tried"])
    extended = Masker((*DEFAULT_RULES, user_rule("job", r"job \d+", "job <JOB>")))

    assert extended.mask(Masker().mask(raw)).to_list() == extended.mask(raw).to_list()


def test_texts_that_were_masked_get_further_rules_only() -> None:
    raw = pl.Series(["Null key 1", "Null key 2"])
    known = Masker((*DEFAULT_RULES, user_rule("key", r"Null (.+)", "<Null ${1}>")))
    extended = Masker((*known.rules, user_rule("digit", r"\d", "<N>")))

    assert extended.beyond(known).mask(known.mask(raw)).to_list() == ["<Null key <N>>"] * 2
    assert extended.beyond(known).mask(known.mask(raw)).equals(extended.mask(raw))
    with pytest.raises(InputError, match="do not extend those that the logs were loaded with"):
        known.beyond(extended)


def test_a_masker_refuses_rules_that_cannot_work() -> None:
    with pytest.raises(InputError, match="Two masks have the name 'uuid'"):
        Masker((*DEFAULT_RULES, MaskRule("uuid", "a", "b")))
    with pytest.raises(InputError, match=r"'mine' cannot be used.*look-around"):
        Masker((MaskRule("mine", "(?<=a)b", "c", "all"),))
    with pytest.raises(InputError, match="its stage is 'last', not all or distinct"):
        Masker((MaskRule("mine", "a", "c", "last"),))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="201 masks, at most 200"):
        Masker(tuple(MaskRule(f"mine {n}", "a", "b") for n in range(201)))


def test_message_ids_are_content_hashes() -> None:
    ids = message_ids(pl.Series("m", ["a", "b", "a", None]))
    assert (ids.name, ids.dtype) == ("m", pl.UInt64)
    assert ids[0] == ids[2] != ids[1]
    assert ids[3] is None
    assert message_ids(pl.Series(["z", ""]))[1] == 13020603013274838756


@cache
def masked_of(folder: Path) -> pl.Series:
    """The distinct masked texts of a folder."""
    return Masker().mask(texts_of(folder)).unique()


@pytest.mark.real
def test_real_texts_are_few_stable_and_hold_no_secret(labeled: Path, three_runs: Path) -> None:
    for folder in (labeled, *three_runs.glob("light-oauth2-data-*")):
        masked = masked_of(folder)
        assert 200 < len(masked) < 800
        assert Masker().mask(masked).equals(masked)
        frames = masked.str.starts_with("\tat ")
        assert [text for text in masked.filter(~frames) if UNREADABLE_SECRET.search(text)] == []


@pytest.mark.real
def test_runs_share_their_messages(three_runs: Path) -> None:
    runs = [set(masked_of(folder)) for folder in three_runs.glob("light-oauth2-data-*")]
    assert len(runs) == 3
    assert len(set.intersection(*runs)) > 0.95 * len(set.union(*runs))


@pytest.mark.real
@pytest.mark.parametrize("fault", ["get_client_404_no_client", "update_password_401_wrong_password"])
def test_what_distinguishes_a_fault_survives(three_runs: Path, fault: str) -> None:
    run = min(three_runs.glob("light-oauth2-data-*"))
    normal = {text for case in run.glob("correct*") for text in Masker().mask(texts_of(case))}
    own = set(Masker().mask(texts_of(run / fault))) - normal
    assert any(re.search(r"ERR\d{5}", text) for text in own)


def test_loading_anew_takes_the_rules_of_today_and_keeps_those_of_the_user() -> None:
    own = user_rule("ticket", r"T-\d+", "<TICKET>")
    outdated = Masker((DEFAULT_RULES[0], own))

    assert outdated.renewed().rules == (*DEFAULT_RULES, own)


def test_rules_that_are_tried_together_give_what_each_gives_alone() -> None:
    parts = [
        "a",
        "-8s-",
        "12:00:01",
        "@1a2b3c4d",
        "::1",
        "x@y.z",
        "Basic YWxhZGRpbjpv",
        "2024-01-02",
        "123456",
        "_12345_",
    ]
    parts += [
        "deadbeef",
        "password=hunter22",
        "size 12",
        "10.0.0.1:80",
        "eyJhbGciOi.x.y",
        "é",
        '"',
        "=",
        ":",
    ]
    chosen = random.Random(3)
    short = [chosen.choice(("", " ")).join(chosen.choices(parts, k=5)) for _ in range(400)]
    texts = pl.Series(short + [text + "é" * 40_000 + text for text in short[:5]])
    alone = texts
    for rule in Masker().rules:
        alone = Masker((rule,)).mask(alone)
    assert Masker().mask(texts).to_list() == alone.to_list()
