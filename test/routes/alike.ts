// An answer in the form in which two tenants' answers to the same question can be compared: what must differ
// between them (ids, names, secrets, places in lists) is replaced by what it stands for.

import type { LightMyRequestResponse } from 'fastify';
import type { Things } from './things.js';

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
const SECRET = /\b(?:pk_[0-9A-Za-z]{43}|whsec_[A-Za-z0-9+/=]{32,88})/g;

/** `sets`: whose things the answer may speak of, each with the word that their names are made of. */
export function alike(answer: LightMyRequestResponse, sets: readonly (readonly [string, Things])[]) {
  const spoken = sets.flatMap(([word, things]) => [
    ...Object.entries(things).flatMap(([name, value]) =>
      name === 'policyVersion' || name === 'fresh' ? [] : [[value, `<${name}>`] as const],
    ),
    [word, '<name>'] as const,
  ]);
  // The longest first: some names are part of others.
  spoken.sort(([a], [b]) => b.length - a.length);
  let body = answer.body;
  for (const [value, name] of spoken) body = body.replaceAll(value, name);
  body = body.replaceAll(UUID, '<id>').replaceAll(SECRET, '<secret>');
  const { etag, 'content-type': type } = answer.headers;
  return {
    status: answer.statusCode,
    etag,
    type,
    body: /[/+]json/.test(String(type)) ? masked(JSON.parse(body)) : body,
  };
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      if (key === 'requestId' || key === 'hint') return [key, '<differs>'];
      if ((key === 'nextCursor' || key === 'cursor') && part !== null) return [key, '<cursor>'];
      return [key, masked(part)];
    }),
  );
}
