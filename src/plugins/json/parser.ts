// Owns the step from the bytes of a body to a JSON value, and which bodies are refused before any schema is
// asked. Does not own the schemas' checks (validation/).

import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { App } from '../../api/schema.js';
import { InvalidError } from '../../errors.js';
import { HttpProblem } from '../http-problem.js';
import { inspect } from './inspect.js';
import { locateSyntaxFault } from './syntax.js';

const MERGE_PATCH = 'application/merge-patch+json';

type Done = (error: Error | null, body?: unknown) => void;

export const jsonPlugin = fp(
  (app: App, _options: object, done: () => void) => {
    const parse = (request: FastifyRequest, bytes: Buffer, next: Done) => {
      try {
        if (request.headers['idempotency-key'] !== undefined) request.bodyBytes = bytes;
        assertReadable(request);
        next(null, bytes.length === 0 ? undefined : parseJson(bytes));
      } catch (error) {
        next(error as Error);
      }
    };
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parse);
    app.addContentTypeParser(MERGE_PATCH, { parseAs: 'buffer' }, parse);
    done();
  },
  { name: 'json', dependencies: ['context'] },
);

/** Throws InvalidError for whatever is not a JSON document that can be kept as it was sent. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw refusal('invalid_utf8', 'The body is not UTF-8.', 'is not UTF-8');
  const text = bytes.toString();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    const { line, column, found } = locateSyntaxFault(text);
    const detail = `unexpected ${found} at line ${line}, column ${column}`;
    throw refusal('malformed_json', `The body is not JSON: ${detail}.`, detail);
  }
  const faults = inspect(document, text);
  const [first] = faults;
  if (first === undefined) return document;
  throw new InvalidError('unacceptable_json', `${first.pointer || 'The body'} ${first.detail}.`, { faults });
}

function refusal(code: string, message: string, detail: string): InvalidError {
  return new InvalidError(code, message, { faults: [{ pointer: '', detail }] });
}

/** A merge patch means nothing but to PATCH; JSON is UTF-8 by its definition; nothing here decompresses. */
function assertReadable(request: FastifyRequest): void {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith(MERGE_PATCH) && request.method !== 'PATCH') {
    throw new HttpProblem(415, 'unsupported_media_type', `${MERGE_PATCH} is for PATCH only.`);
  }
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1];
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') {
    throw new HttpProblem(415, 'unsupported_media_type', 'JSON is sent in UTF-8.');
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpProblem(415, 'unsupported_media_type', 'A body cannot be sent compressed.');
  }
}
