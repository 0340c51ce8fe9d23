"""Secrets in log lines: each kind is masked, what only looks like one stays."""

from __future__ import annotations

import polars as pl
import pytest

from lo2core.messages.secrets import exported, masked, masked_text

UUID = "88b46a58-3f68-45c3-8a7e-cb88c859edf1"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_ghi"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("login user=ann password=hunter2 ok", "login user=ann password=<MASKED> ok"),
        (r'{"password":"a\"b c", "user":"x"}', '{"password":"<MASKED>", "user":"x"}'),
        (r'"{\"passwd\":\"hunter2\",\"user\":\"x\"}"', r'"{\"passwd\":\"<MASKED>\",\"user\":\"x\"}"'),
        ("DB_PASSWORD=hunter2;x=1 db.pwd: hunter2", "DB_PASSWORD=<MASKED>;x=1 db.pwd: <MASKED>"),
        ("DB_PASS=hunter2 password:\nnext", "DB_PASS=<MASKED> password:\nnext"),
        (f"  {'A1b+' * 16}", "  <MASKED>"),
        ("passphrase='a b' passwordConfirm=>hunter2", "passphrase='<MASKED>' passwordConfirm=><MASKED>"),
        ("\x1b[1mpassword\x1b[0m=\x1b[31mhunter2\x1b[0m", "\x1b[1mpassword\x1b[0m=\x1b[31m<MASKED>\x1b[0m"),
        ("/login?pwd=hunter2&x=1 password%3Dhunter2", "/login?pwd=<MASKED>&x=1 password%3D<MASKED>"),
        ("clientSecret: s3cret secret=abc", "clientSecret: <MASKED> secret=<MASKED>"),
        (f"refreshToken = {UUID} scope = null", "refreshToken = <MASKED> scope = null"),
        ("api_key=A apikey: B x-api-key: C", "api_key=<MASKED> apikey: <MASKED> x-api-key: <MASKED>"),
        ("aws_secret_access_key = wJalr/K7MD=", "aws_secret_access_key = <MASKED>"),
        ("id AKIAIOSFODNN7EXAMPLE used", "id <MASKED> used"),
        ("pushed with ghp_abcdefghijklmnopqrstuvwxyz0123456789", "pushed with <MASKED>"),
        ("Authorization: Basic YWRtaW46MTIzNDU2", "Authorization: Basic <MASKED>"),
        ("{authorization=[bearer abcdefghijk], Host=[x]}", "{authorization=[bearer <MASKED>], Host=[x]}"),
        ('Authorization: Digest username="ann", response="6629fae49393"', "Authorization: Digest <MASKED>"),
        ('validate( "Basic YWRtaW46MTIzNDU2", 1)', 'validate( "Basic <MASKED>", 1)'),
        (f"session {JWT} begins", "session <MASKED> begins"),
        (f"session {JWT[:30]}…", "session <MASKED>…"),
        ("GET https://ann:p%40ss@example.com/x?y=1", "GET https://<MASKED>@example.com/x?y=1"),
        ("redis://:hunter2@host:6379", "redis://<MASKED>@host:6379"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: <MASKED>"),
        ("<password>hunter2</password>", "<password><MASKED></password>"),
        ("run --password hunter2 --user x", "run --password <MASKED> --user x"),
        ("CREATE USER x IDENTIFIED BY 'hunter2'", "CREATE USER x IDENTIFIED BY '<MASKED>'"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nab=\n-----END RSA PRIVATE KEY-----\nnext", "<MASKED>\nnext"),
        ("-----BEGIN PRIVATE KEY-----MIIEvgIBADANBgkqhkiG9w0BAQEFAASC and more", "<MASKED> and more"),
        ("http://localhost/cb?code=JUFhDNGVQFOt0kJCRWi04A", "http://localhost/cb?code=<MASKED>"),
        (f"path = /oauth2/refresh_token/{UUID}", "path = /oauth2/refresh_token/<MASKED>"),
        (f'validate( "{UUID}", "{UUID}", refreshToken)', "validate( <MASKED>, refreshToken)"),
        ("password: password user: ann", "password: <MASKED> user: ann"),
        ("Password: swordfish for user ann", "Password: <MASKED> for user ann"),
        ("Incorrect password: letmein for user ann", "Incorrect password: <MASKED> for user ann"),
        ("token: 123456 for ann, password=incorrect", "token: <MASKED> for ann, password=<MASKED>"),
        ('{"password": "may the force be with you"}', '{"password": "<MASKED>"}'),
        ("secret: the5tars end", "secret: <MASKED> end"),
    ],
)
def test_a_secret_is_masked(line: str, shown: str) -> None:
    assert masked_text(line) == shown
    assert masked_text(shown) == shown


@pytest.mark.parametrize(
    "line",
    [
        "status=404 code=CLIENT_NOT_FOUND",
        '{"statusCode":404,"code":"ERR12014","message":"CLIENT_NOT_FOUND"}',
        "password=null token: null secret = none",
        "Basic authentication failed, Bearer authentication is required",
        "path =/oauth2/refresh_token/{refreshToken}",
        '"redirectUri":"http://localhost:8000/authorization","ownerId":"admin"',
        "Authentication outcome was AUTHENTICATED with method LightBasicAuthenticationMechanism@756fad98 for /code",
        f"clientId = {UUID}",
        "mail to http://host:8080/path?email=a@b.com",
        "Connecting to driver: spark://sparkDriverActorSystem@host:1",
        "token_type=bearer expires_in=3600 tokens=512",
        "Got token: Token(clientId='b')",
        "update_password_401_wrong_password/oauth2-token-1.log",
        "pass=3 fail=2, cookie: not found, unexpected token: }",
        "401 ERR12016 INCORRECT_PASSWORD: Incorrect password for user admin",
        "INVALID_TOKEN: The token has expired, InvalidToken: Signature has expired",
        "token: 5 % of the messages are new to the model, compared with under 0.1 % in held-out normal runs.",
        "refresh-token, token: the model does not know this service. token: read as apache error, unlike the others",
        "token: 2 logs read in part (3 of 5), token: 1 log not read",
        "Wrong password: expired. Invalid password: must be at least 8 characters long",
        'errors={"password":"must not be empty","secret":["is too short (minimum is 8 characters)"]}',
        "Password: cannot be blank; token: unable to verify it; secret: not found",
        "auth.token: Refreshing all of them",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert masked_text(line) == line


def test_nulls_and_order_stay() -> None:
    texts = pl.Series("text", ["pwd=a", None, "plain", "pwd=a"])
    assert masked(texts).to_list() == ["pwd=<MASKED>", None, "plain", "pwd=<MASKED>"]


def test_an_export_masks_secrets_and_shows_control_characters_unless_secrets_are_wanted() -> None:
    frame = pl.DataFrame({"text": ["pwd=a \x1b[0m"], "items": [["token=b", "c"]], "n": [1]})
    assert exported(frame).rows() == [(r"pwd=<MASKED> \x1b[0m", ["token=<MASKED>", "c"], 1)]
    assert exported(frame, secrets=True).rows() == [(r"pwd=a \x1b[0m", ["token=b", "c"], 1)]
