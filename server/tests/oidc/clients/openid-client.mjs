// A relying party made with npm's openid-client: code, PKCE and PAR, then CIBA; with tokens that are bound to a key
// of its own (DPoP), if it is told so. Prints a line of JSON where somebody has to act, and reads the address that
// the browser came back with.
// usage: node openid-client.mjs ISSUER CLIENT-ID KEY.json REDIRECT-URI [dpop]
import * as client from "openid-client";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";

const [issuer, id, file, redirect_uri, bound] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => console.log(JSON.stringify(what));

const jwk = JSON.parse(await readFile(file));
const kind = { name: "ECDSA", namedCurve: "P-256" };
const key = await crypto.subtle.importKey("jwk", jwk, kind, false, ["sign"]);
const config = await client.discovery(new URL(issuer), id, undefined, client.PrivateKeyJwt({ key, kid: "1" }), {
  execute: [client.allowInsecureRequests],
});
const own = async () => client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
const options = bound === "dpop" ? { DPoP: await own() } : {};
const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
const asked = {
  redirect_uri,
  scope: "openid mitid",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
  acr_values: "https://data.gov.dk/concept/core/nsis/Substantial",
};
const url = await client.buildAuthorizationUrlWithPAR(config, asked, options);
say({ authorize: url.href });
const callback = new URL((await lines.next()).value);
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, options);
const claims = tokens.claims();
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub, options);
const seen = await client.tokenIntrospection(config, tokens.access_token);
say({ claims, info, active: seen.active, type: tokens.token_type, key: seen.cnf?.jkt });

const begun = await client.initiateBackchannelAuthentication(config, {
  scope: "openid",
  login_hint: claims.sub,
  binding_message: "Kundeservice W4SCT",
});
say({ waits: begun.expires_in });
const later = await client.pollBackchannelAuthenticationGrant(config, begun, undefined, options);
await client.tokenRevocation(config, tokens.access_token);
const after = await client.tokenIntrospection(config, tokens.access_token);
say({ sub: later.claims().sub, active: after.active, type: later.token_type });
process.exit(0);
