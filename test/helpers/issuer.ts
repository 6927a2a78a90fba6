// A token issuer for tests: real keys, real signatures and, where asked for, a real key set over HTTP.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  SignJWT,
} from 'jose';
import type { Test } from 'tap';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'perennial';

export interface SigningKey {
  alg: string;
  kid: string;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
}

export async function makeSigningKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey };
}

export async function keySet(...keys: SigningKey[]): Promise<JSONWebKeySet> {
  const jwks = keys.map(async ({ alg, kid, publicKey }) => ({
    ...(await exportJWK(publicKey)),
    alg,
    kid,
    use: 'sig',
  }));
  return { keys: await Promise.all(jwks) };
}

/** A token that holds at `now` unless `claims` say otherwise; a claim that is undefined is left out. */
export async function signToken(
  key: SigningKey,
  now: Date,
  { claims = {}, kid = key.kid }: { claims?: JWTPayload; kid?: string | null } = {},
): Promise<string> {
  const nowS = Math.floor(now.getTime() / 1000);
  const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1', tenant: 'default', iat: nowS, exp: nowS + 60 };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: key.alg, ...(kid === null ? {} : { kid }) })
    .sign(key.privateKey);
}

/** Serves what `answer` returns at the moment of each request. */
export async function serveKeys(t: Test, answer: () => { status: number; body: string }): Promise<URL> {
  const server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
}
