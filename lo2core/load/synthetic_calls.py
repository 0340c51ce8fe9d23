"""The calls of the synthetic sample and the events that they log: normal traffic, faults and rare events.

A call is a list of steps; a step is a service and the events that it logs. A Hazelcast step is logged by a random
service. Placeholders such as `<uuid>` get new values for each call. Lines after the first line of an event are a stack
trace.
"""

from __future__ import annotations

Step = tuple[str, ...]
Cards = tuple[int, *tuple[Step, ...]]
"""The number of cards with this call in a deck, and its steps."""

HAZELCAST = "hazelcast"

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
    """The first events of every request: its path is compared with the patterns of the API."""
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
    """An exception with its stack frames, followed by the frames that every request has."""
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
"""Test case -> wrong calls that are added to each deck. The last fault leaves no trace: its call is a normal
registration. The two before it only repeat more often what occurs in normal test cases, too.
"""

RARE: tuple[Cards, ...] = (
    (3, *VERIFIER_MISSING),
    (2, *DELETE_MISSING),
    (1, ("key", "WARN  com.zaxxer.hikari.pool.HikariPool run - HikariPool-1 - Thread starvation or clock leap")),
    (1, ("service", "DEBUG io.undertow.request.io handleRequest - UT005013: An IOException occurred")),
    (1, ("client", "WARN  c.h.i.p.impl.PartitionReplicaManager run - Replica sync took longer than 250 ms")),
)
"""Harmless calls that are missing from many test cases."""

HIKARI = "DEBUG com.zaxxer.hikari.HikariConfig logConfiguration"
FIRST_USE = (
    f"{HIKARI} - HikariPool-1 - configuration:",
    f"{HIKARI} - allowPoolSuspension.............false",
    f"{HIKARI} - autoCommit......................true",
    f"{CONFIG} - Trying to load config from classpath directory for file status.yml",
    f"{CONFIG} - Config loaded from default folder for status.yml",
    "WARN  com.networknt.schema.JsonMetaSchema newValidator - Unknown keyword components - define your own Meta Schema",
)
"""Events that a service logs once, with its first call."""
