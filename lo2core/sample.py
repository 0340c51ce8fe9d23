"""A small synthetic LO2 folder with the shape, faults and traps of the real one, for a first look and for tests.

A test case is played from shuffled decks of calls; a faulty one has some wrong calls among its cards. A call is a list
of steps, a step is a service and the events it logs; a Hazelcast step falls to any process. `<uuid>` and its like are
filled in anew for each call; what stands below an event's first line is its stack trace. In one thing this goes beyond
the real logs: correlation ids travel through several services.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

from lo2core.config import NORMAL_TEST_CASE, SEED, SERVICES
from lo2core.errors import InputError

Step = tuple[str, ...]
Record = dict[str, list[tuple[int, str]]]
"""Service -> (milliseconds since 1970, event)."""
Cards = tuple[int, *tuple[Step, ...]]
"""How many cards of a deck are this call, and its steps."""

HAZELCAST = "hazelcast"
FIRST_DAY = 1_735_689_600
DAY = 86_400
SECONDS = 6
SECONDS_CORRECT = 36
LEAD = 15
"""Seconds from a run's epoch, when it is deployed, to its first call."""
GAPS = (4, 12, 22, 33, 45, 59, 75, 94, 116, 145, 183, 264)
"""Milliseconds between calls: quantiles of an exponential law, in whole numbers as platforms round differently."""

CLIENT, SERVICE, USER, PASSWORD = "/oauth2/client", "/oauth2/service", "/oauth2/user", "/oauth2/password"
CODE, TOKEN, REFRESH = "/oauth2/code", "/oauth2/token", "/oauth2/refresh_token"
CLIENT_MAP, SERVICE_MAP = "c.n.oauth.cache.ClientMapStore", "c.n.oauth.cache.ServiceMapStore"
USER_MAP, REFRESH_MAP = "c.networknt.oauth.cache.UserMapStore", "c.n.oauth.cache.RefreshTokenMapStore"

NEXT = tuple(f"com.networknt.handler.Handler.next(Handler.java:{line})" for line in (212, 233))
PASSED = (
    *NEXT,
    "com.networknt.openapi.ValidatorHandler.handleRequest(ValidatorHandler.java:116)",
    *NEXT,
    "com.networknt.body.BodyHandler.handleRequest(BodyHandler.java:124)",
    *NEXT,
    "com.networknt.openapi.OpenApiHandler.handleRequest(OpenApiHandler.java:131)",
    *NEXT,
    "com.networknt.correlation.CorrelationHandler.handleRequest(CorrelationHandler.java:77)",
    *NEXT,
    "com.networknt.exception.ExceptionHandler.handleRequest(ExceptionHandler.java:76)",
    "io.undertow.server.Connectors.executeRootHandler(Connectors.java:387)",
    "java.base/java.lang.Thread.run(Thread.java:840)",
)


def _routed(path: str, *patterns: str) -> Step:
    """What every request logs first: its path against the patterns of the API."""
    asked = (f"path = {path}, base path is set to: null", f"normalised = {path}")
    known = [text for pattern in patterns for text in (f"path ={pattern}", f"normalised = {pattern}")]
    return tuple(f"DEBUG c.n.openapi.ApiNormalisedPath <init> - {text}" for text in (*asked, *known, *asked))


def _checked(value: str, name: str, validator: str = "com.networknt.schema.TypeValidator") -> str:
    return f"DEBUG {validator} debug - validate( {value}, {value}, {name})"


def _page(service: str, path: str, *more: str) -> Step:
    checks = (_checked('"1"', "page"), _checked('"1"', "page", "com.networknt.schema.FormatValidator"))
    return (service, *_routed(path, path), *checks, *more)


def _item(service: str, path: str, item: str, name: str, *more: str) -> Step:
    return (service, *_routed(f"{path}/{item}", path, f"{path}/{{{name}}}"), _checked(f'"{item}"', name), *more)


def _body(service: str, path: str, body: str, *more: str) -> Step:
    required = _checked(body, "requestBody", "c.networknt.schema.RequiredValidator")
    return (service, *_routed(path, path), required, _checked('"admin"', "requestBody.ownerId"), *more)


def _cached(service: str, store: str, item: str, *verbs: str) -> Step:
    return (service, *(f"DEBUG {store} {verb.lower()} - {verb}:{item}" for verb in verbs))


def _status(error: str) -> str:
    status, code, message, about = error.split(" ", 3)
    fields = f'"statusCode":{status},"code":"{code}","message":"{message}","description":"{about}","severity":"ERROR"'
    return f"{{{fields}}}"


def _refused(error: str) -> str:
    return f"ERROR c.networknt.handler.LightHttpHandler setExchangeStatus - {_status(error)}"


def _trace(exception: str, *frames: str) -> str:
    """An exception and its frames, the last of them those that every request passes."""
    return "".join(["\n", exception, *(f"\n\tat {frame}" for frame in (*frames, *PASSED))])


def _token_error(line: int, error: str) -> str:
    handler = "com.networknt.oauth.token.handler.Oauth2TokenPostHandler"
    frames = (
        f"{handler}.{at})"
        for at in (f"handle(Oauth2TokenPostHandler.java:{line}", "handleRequest(Oauth2TokenPostHandler.java:115")
    )
    exception = f"com.networknt.exception.ApiException: {_status(error)}"
    return f"ERROR c.n.o.t.h.Oauth2TokenPostHandler handleRequest - ApiException{_trace(exception, *frames)}"


def _refresh_token(verb: str, *more: str) -> Step:
    handler = f"DEBUG c.n.o.t.h.Oauth2RefreshTokenRefreshToken{verb}Handler handleRequest - refreshToken = <uuid>"
    return _item("refresh-token", REFRESH, "<uuid>", "refreshToken", handler, *more)


CLIENT_BODY = '{"clientType":"public","clientName":"<secret>","scope":"read write","ownerId":"admin"}'
SERVICE_BODY = '{"serviceType":"openapi","serviceId":"<hex>","scope":"read write","ownerId":"admin"}'
USER_BODY = '{"userId":"<hex>","userType":"admin","email":"<hex>@lightapi.net","password":"<secret>"}'
PASSWORD_BODY = '{"password":"<secret>","newPassword":"<uuid>","newPasswordConfirm":"<uuid>"}'
NULL_KEY = (
    "ERROR c.n.exception.ExceptionHandler handleRequest - Exception:"
    + _trace(
        "java.lang.NullPointerException: Null key is not allowed!",
        "com.hazelcast.map.impl.proxy.MapProxyImpl.get(MapProxyImpl.java:118)",
        "com.networknt.oauth.client.handler.Oauth2ClientPutHandler.handleRequest(Oauth2ClientPutHandler.java:72)",
    ),
    _refused("500 ERR10010 RUNTIME_EXCEPTION Unexpected runtime exception"),
)
FOREIGN_KEY = (
    "ERROR c.n.oauth.cache.ClientMapStore delete - Exception:\n"
    "java.sql.SQLIntegrityConstraintViolationException: Cannot delete or update a parent row:"
    " a foreign key constraint fails (`oauth2`.`refresh_token`, CONSTRAINT `refresh_token_ibfk_1`)\n"
    "\tat com.networknt.oauth.cache.ClientMapStore.delete(ClientMapStore.java:36)\n\t... 14 more"
)
OUTCOME = (
    "DEBUG io.undertow.request.security transition - Authentication outcome was {} with method"
    " com.networknt.oauth.security.LightBasicAuthenticationMechanism@<hex> for /oauth2/code"
)
ASKED = ("code", *_routed(CODE, CODE), _checked('"<uuid>"', "client_id"), _checked('"Basic <basic>"', "Authorization"))
CODE_HANDLER = "DEBUG c.n.o.c.handler.Oauth2CodeGetHandler handleRequest"
GRANTED = (*ASKED, OUTCOME.format("AUTHENTICATED"), f"{CODE_HANDLER} - params")
REDIRECTED = f"{CODE_HANDLER} - redirectUri = http://localhost:8080/authorization?code=<code>"
CHALLENGE = _checked('"<challenge>"', "code_challenge")
POSTED = ("token", *_routed(TOKEN, TOKEN), _checked('"Basic <basic>"', "authorization"))
TOKEN_HANDLER = "DEBUG c.n.o.t.h.Oauth2TokenPostHandler"
WITH_CODE = f"{TOKEN_HANDLER} handleAuthorizationCode - code = <code> redirectUri = http://localhost:8080/authorization"
WITH_VERIFIER = f"{TOKEN_HANDLER} handleAuthorizationCode - codeVerifier = <challenge> userId = admin roles = user"
WITHOUT_VERIFIER = f"{TOKEN_HANDLER} handleAuthorizationCode - codeChallenge = <challenge> codeVerifier = null"
WITH_REFRESH = f"{TOKEN_HANDLER} handleRefreshToken - refreshToken = <uuid> scope = null"
CONFIG = "INFO  com.networknt.config.Config getConfigStream"
ISSUED = (
    "DEBUG com.networknt.security.JwtIssuer getPrivateKey - filename = primary.jks key = selfsigned",
    f"{CONFIG} - Config loaded from externalized folder for primary.jks in /config",
)
SIGNED = ("key", "DEBUG c.n.o.k.handler.Oauth2KeyGetHandler handleRequest - keyId = 100 authorization = Bearer <jwt>")
CLIENT_READ = _cached("client", CLIENT_MAP, "<uuid>", "Load")
USER_READ = _cached("user", USER_MAP, "<hex>", "Load")
REGISTER_CLIENT = (_body("client", CLIENT, CLIENT_BODY), _cached(HAZELCAST, CLIENT_MAP, "<uuid>", "Load", "Store"))
NO_VERIFIER = "400 ERR12040 CODE_VERIFIER_MISSING PKCE code verifier is missing."
VERIFIER_MISSING = ((*POSTED, WITH_CODE, WITHOUT_VERIFIER, _refused(NO_VERIFIER)),)
LISTED = "DEBUG c.n.o.t.h.Oauth2RefreshTokenGetHandler handleRequest - userId = % page = 0 pageSize = 10"
NOT_FOUND = "404 ERR12029 REFRESH_TOKEN_NOT_FOUND Refresh token <uuid> is not found."
DELETE_MISSING = (_refresh_token("Delete", _refused(NOT_FOUND)),)

CALLS: tuple[Cards, ...] = (
    (2, *REGISTER_CLIENT),
    (3, _item("client", CLIENT, "<uuid>", "clientId")),
    (2, _body("client", CLIENT, CLIENT_BODY), _cached(HAZELCAST, CLIENT_MAP, "<uuid>", "Store")),
    (2, _body("client", CLIENT, CLIENT_BODY, *NULL_KEY)),
    (2, _item("client", CLIENT, "<uuid>", "clientId"), _cached(HAZELCAST, CLIENT_MAP, "<uuid>", "Delete")),
    (1, _item("client", CLIENT, "<uuid>", "clientId"), (HAZELCAST, FOREIGN_KEY)),
    (2, _page("client", CLIENT)),
    (2, _body("service", SERVICE, SERVICE_BODY), _cached(HAZELCAST, SERVICE_MAP, "<hex>", "Load", "Store")),
    (3, _item("service", SERVICE, "<hex>", "serviceId")),
    (2, _item("service", SERVICE, "<hex>", "serviceId"), _cached(HAZELCAST, SERVICE_MAP, "<hex>", "Delete")),
    (2, _page("service", SERVICE)),
    (2, _body("user", USER, USER_BODY), _cached(HAZELCAST, USER_MAP, "<hex>", "Load", "Store")),
    (3, _item("user", USER, "<hex>", "userId")),
    (2, _body("user", PASSWORD, PASSWORD_BODY), _cached(HAZELCAST, USER_MAP, "<hex>", "Store")),
    (2, _page("user", USER)),
    (3, (*GRANTED, REDIRECTED), USER_READ),
    (3, (*GRANTED, CHALLENGE, REDIRECTED), USER_READ, CLIENT_READ),
    (2, (*POSTED, f"{TOKEN_HANDLER} handleClientCredentials - scope = null", *ISSUED), CLIENT_READ, SIGNED),
    (3, (*POSTED, WITH_CODE, WITH_VERIFIER, *ISSUED), SIGNED, _cached(HAZELCAST, REFRESH_MAP, "<uuid>", "Store")),
    (2, (*POSTED, WITH_REFRESH, *ISSUED), SIGNED, _cached(HAZELCAST, REFRESH_MAP, "<uuid>", "Load", "Delete")),
    (2, (*POSTED, WITH_REFRESH, _token_error(456, NOT_FOUND))),
    (3, _page("refresh-token", REFRESH, LISTED)),
    (3, _refresh_token("Get")),
    (2, _refresh_token("Delete"), _cached(HAZELCAST, REFRESH_MAP, "<uuid>", "Delete")),
)
"""Normal traffic."""

NO_CLIENT = "404 ERR12014 CLIENT_NOT_FOUND Client none is not found."
NO_METHOD = "400 ERR12033 INVALID_CODE_CHALLENGE_METHOD Invalid PKCE code challenge method invalid."
NO_PASSWORD = "400 ERR12011 PASSWORD_OR_PASSWORDCONFIRM_EMPTY Password <secret> or PasswordConfirm null is empty."
NO_PAGE = "400 ERR11000 VALIDATOR_REQUEST_PARAMETER_QUERY_MISSING Query parameter page is required on path /service."
WRONG_GRANT = "400 ERR12001 UNSUPPORTED_GRANT_TYPE Unsupported grant type unsupported_grant."
WRONG_PASSWORD = "401 ERR12016 INCORRECT_PASSWORD Incorrect password."
WRONG_VERIFIER = "400 ERR12041 CODE_VERIFIER_FAILED PKCE verification failed"
INVALID = "ERROR c.networknt.openapi.ValidatorHandler handleRequest - There is an Validation Error:"

FAULTS: dict[str, Cards] = {
    "access_token_illegal_grant_type_400": (6, (*POSTED, _refused(WRONG_GRANT))),
    "access_token_client_id_not_found_404": (4, (*POSTED, WITH_CODE, _token_error(566, NO_CLIENT)), CLIENT_READ),
    "verification_failed_pkce_400": (4, (*POSTED, WITH_CODE, WITH_VERIFIER, _token_error(245, WRONG_VERIFIER))),
    "invalid_code_challenge_method_pkce_400": (5, (*GRANTED, CHALLENGE, _refused(NO_METHOD)), USER_READ),
    "authorization_code_invalid_password_401": (5, (*ASKED, OUTCOME.format("NOT_AUTHENTICATED"))),
    "get_client_404_no_client": (5, _item("client", CLIENT, "none", "clientId", _refused(NO_CLIENT))),
    "register_user_400_no_password": (5, _body("user", USER, USER_BODY, _refused(NO_PASSWORD))),
    "update_password_401_wrong_password": (4, _body("user", PASSWORD, PASSWORD_BODY, _refused(WRONG_PASSWORD))),
    "get_service_page_400_no_page": (5, ("service", *_routed(SERVICE, SERVICE), _refused(NO_PAGE), INVALID)),
    "code_verifier_missing_pkce_400": (14, *VERIFIER_MISSING),
    "delete_token_404": (24, *DELETE_MISSING),
    "register_client_404_no_user": (4, *REGISTER_CLIENT),
}
"""Test case -> the wrong calls added to each deck. The last is mute: it looks like any registration. The two before it
only do more often what normal test cases do too."""

RARE: tuple[Cards, ...] = (
    (3, *VERIFIER_MISSING),
    (2, *DELETE_MISSING),
    (1, ("key", "WARN  com.zaxxer.hikari.pool.HikariPool run - HikariPool-1 - Thread starvation or clock leap")),
    (1, ("service", "DEBUG io.undertow.request.io handleRequest - UT005013: An IOException occurred")),
    (1, ("client", "WARN  c.h.i.p.impl.PartitionReplicaManager run - Replica sync took longer than 250 ms")),
)
"""Innocent calls that many a test case has never seen."""

HIKARI = "DEBUG com.zaxxer.hikari.HikariConfig logConfiguration"
FIRST_USE = (
    f"{HIKARI} - HikariPool-1 - configuration:",
    f"{HIKARI} - allowPoolSuspension.............false",
    f"{HIKARI} - autoCommit......................true",
    f"{CONFIG} - Trying to load config from classpath directory for file status.yml",
    f"{CONFIG} - Config loaded from default folder for status.yml",
    "WARN  com.networknt.schema.JsonMetaSchema newValidator - Unknown keyword components - define your own Meta Schema",
)
"""What a process logs once, with the first call that reaches it."""


def write_sample(output_dir: Path, seed: int = SEED, runs: int = 6) -> Path:
    """Writes a synthetic LO2 folder, about 2.5 MB a run, and gives back its path.

    Each run holds `correct` (36 s), two or three repetitions of it and one test case of each fault (6 s each); the last
    run passes midnight UTC. The same seed and number of runs give the same bytes everywhere. Raises InputError if
    `output_dir` is a file or holds anything, and if `runs` is below 1.
    """
    if runs < 1:
        raise InputError(f"The sample needs at least one run, not {runs}; leave the number out for the usual six.")
    try:
        if output_dir.exists() and (not output_dir.is_dir() or any(output_dir.iterdir())):
            raise InputError(f"The sample needs a new or empty folder, and {output_dir} is neither; name another one.")
        output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The sample cannot be written to {output_dir}: {error.strerror}; name another folder."
        ) from error
    rng = Random(seed)
    for number in range(runs):
        time_of_day = DAY - LEAD - 20 if number == runs - 1 else rng.randrange(7 * 3600, 22 * 3600)
        _write_run(output_dir, rng, FIRST_DAY + number * DAY + time_of_day, repetitions=3 if number % 3 == 2 else 2)
    return output_dir


def _write_run(output_dir: Path, rng: Random, epoch: int, repetitions: int) -> None:
    run = output_dir / f"light-oauth2-data-{epoch}"
    others = [*FAULTS, *(f"{NORMAL_TEST_CASE}_{n}" for n in range(1, repetitions + 1))]
    rng.shuffle(others)
    fresh = set(SERVICES)
    at = (epoch + LEAD) * 1000
    for test_case in (NORMAL_TEST_CASE, *others):
        seconds = SECONDS_CORRECT if test_case == NORMAL_TEST_CASE else SECONDS
        wrong = [FAULTS[test_case]] if test_case in FAULTS else []
        _write_logs(run / test_case, _play(rng, at, seconds, [*CALLS, *wrong], fresh))
        at += seconds * 1000 + rng.randrange(1500, 2500)
    _write_locust(run / NORMAL_TEST_CASE, (epoch + LEAD) * 1000)


def _play(rng: Random, start: int, seconds: int, calls: list[Cards], fresh: set[str]) -> Record:
    """One test case: calls at random intervals, from one shuffled deck after the other."""
    record: Record = defaultdict(list)
    deck: list[tuple[Step, ...]] = []
    rare = _shuffled(rng, _cards(RARE))
    at = start
    while at < start + seconds * 1000:
        if not deck:
            surprise = [rare.pop()] if rare and rng.randrange(2) else []
            deck = _shuffled(rng, _cards(calls) + surprise)
        for service, moment, event in _call(rng, at, deck.pop(), fresh):
            record[service].append((moment, event))
        at += rng.choice(GAPS)
    return record


def _shuffled(rng: Random, cards: list[tuple[Step, ...]]) -> list[tuple[Step, ...]]:
    return rng.sample(cards, len(cards))


def _cards(calls: Iterable[Cards]) -> list[tuple[Step, ...]]:
    return [tuple(steps) for cards, *steps in calls for _ in range(cards)]


def _call(rng: Random, at: int, steps: tuple[Step, ...], fresh: set[str]) -> Iterator[tuple[str, int, str]]:
    """A call's events as (service, milliseconds, event with its header); a process leaves `fresh` on first use."""
    values = _values(rng)
    for place, *events in steps:
        if place == HAZELCAST:
            service = rng.choice(SERVICES)
            origin = f"[hz._hzInstance_1_dev.partition-operation.thread-{rng.randrange(16)}]  "
        else:
            service = place
            origin = f"[XNIO-1 task-{rng.randrange(1, 4)}]  {values['correlation']}"
        first = FIRST_USE if service in fresh else ()
        fresh.discard(service)
        for event in (*first, *events):
            at += rng.choice((0, 0, 0, 1, 1, 2))
            filled = re.sub(r"<(\w+)>", lambda name: values.get(name[1], name[0]), event)
            yield service, at, f"{_clock(at)} {origin} {filled}"


def _values(rng: Random) -> dict[str, str]:
    """What is unique in a call: ids, credentials, tokens."""
    uuid, secret, correlation, code = (UUID(int=rng.getrandbits(128), version=4) for _ in range(4))
    claims = b'{"jti":"%032x"}' % code.int
    return {
        "uuid": str(uuid),
        "secret": str(secret),
        "correlation": _base64(correlation.bytes),
        "code": _base64(code.bytes),
        "hex": f"{rng.getrandbits(32):08x}",
        "basic": b64encode(f"{uuid}:{_base64(secret.bytes)}".encode()).decode(),
        "challenge": _base64(rng.randbytes(32)),
        "jwt": ".".join(_base64(part) for part in (b'{"alg":"RS256"}', claims, rng.randbytes(48))),
    }


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _clock(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment // 1000, UTC):%H:%M:%S}.{moment % 1000:03d}"


def _write_logs(folder: Path, record: Record) -> None:
    folder.mkdir(parents=True)
    for service in SERVICES:
        in_time = [event for _, event in sorted(record[service], key=lambda entry: entry[0])]
        text = "".join(f"{event}\n" for event in in_time)
        (folder / f"light-oauth2-oauth2-{service}-1.log").write_bytes(text.encode())


def _write_locust(folder: Path, start: int) -> None:
    stamp = f"{datetime.fromtimestamp(start // 1000, UTC):%Y-%m-%d %H:%M:%S},{start % 1000:03d}"
    told = ("Starting Locust 2.47.0", f"Run time limit set to {SECONDS_CORRECT} seconds")
    text = "".join(f"[{stamp}] vm/INFO/locust.main: {line}\n" for line in told)
    (folder / "locust.log").write_bytes(text.encode())
