"""A relying party made with PyPI's Authlib: code, PKCE and PAR. Prints a line of JSON where somebody has to act,
and reads the address that the browser came back with.
usage: authlib_client.py ISSUER CLIENT-ID SECRET REDIRECT-URI"""

import json
import os
import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

# The issuer is on loopback, without TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

issuer, client_id, secret, redirect_uri = sys.argv[1:]


def say(what):
    print(json.dumps(what), flush=True)


meta = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
session = OAuth2Session(
    client_id,
    secret,
    token_endpoint_auth_method="client_secret_basic",
    scope="openid mitid",
    redirect_uri=redirect_uri,
    code_challenge_method="S256",
)
verifier, nonce = generate_token(48), generate_token(20)
url, state = session.create_authorization_url(
    meta["authorization_endpoint"], code_verifier=verifier, nonce=nonce
)
pushed = requests.post(
    meta["pushed_authorization_request_endpoint"],
    data=dict(parse_qsl(urlsplit(url).query)),
    auth=(client_id, secret),
    timeout=10,
)
assert pushed.status_code == 201, pushed.text
query = {"client_id": client_id, "request_uri": pushed.json()["request_uri"]}
say({"authorize": f"{meta['authorization_endpoint']}?{urlencode(query)}"})
callback = sys.stdin.readline().strip()
answer = dict(parse_qsl(urlsplit(callback).query))
assert answer["state"] == state and answer["iss"] == issuer, answer
token = session.fetch_token(
    meta["token_endpoint"], authorization_response=callback, state=state, code_verifier=verifier
)
keys = KeySet.import_key_set(requests.get(meta["jwks_uri"], timeout=10).json())
signed = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
claims = CodeIDToken(
    signed.claims,
    signed.header,
    {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
    {"nonce": nonce, "client_id": client_id},
)
claims.validate(leeway=60)
info = session.get(meta["userinfo_endpoint"], timeout=10).json()
assert info["sub"] == claims["sub"]
say({"claims": dict(claims), "info": info})
