// Owns conditional requests: a resource's version as its ETag, If-None-Match on reads, If-Match on writes.
// Does not own the versions themselves (each module's table and store).

import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidError, PerennialError } from '../errors.js';

type Conditional = Pick<FastifyRequest, 'method' | 'headers'>;

/**
 * Sends a resource with its ETag; a read whose If-None-Match names the version is answered 304. What has a
 * revision goes by that, and its version is something else.
 */
export function sendVersioned<Reply extends Pick<FastifyReply, 'code' | 'header' | 'send'>>(
  request: Conditional,
  reply: Reply,
  status: number,
  resource: { version: number } | { revision: number },
): Reply {
  const tag = `"${'revision' in resource ? resource.revision : resource.version}"`;
  reply.header('etag', tag);
  // The answer may be kept by the client's own cache, and must be asked about before it is used again.
  reply.header('cache-control', 'private, no-cache');
  const known = request.headers['if-none-match'];
  if (known !== undefined && (request.method === 'GET' || request.method === 'HEAD') && names(known, tag)) {
    reply.code(304).send();
  } else {
    reply.code(status).send(resource);
  }
  return reply;
}

/**
 * The version that a write asks for by If-Match: undefined without the header, null for `*` (any version).
 * If-Match compares strongly (RFC 9110, 13.1.1): a weak tag, or one that we never gave, cannot match, so it
 * is a 412 and not a 400.
 */
export function expectedVersion(request: Conditional): number | null | undefined {
  const header = request.headers['if-match']?.trim();
  if (header === undefined) return undefined;
  if (header === '*') return null;
  const tag = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/.exec(header);
  if (tag === null) {
    const detail = 'If-Match takes `*` or one entity tag, for example `"3"`.';
    throw new InvalidError('invalid_if_match', detail, { faults: [{ pointer: '/header/if-match', detail }] });
  }
  const version = /^[1-9]\d{0,9}$/.test(tag[2] ?? '') ? Number(tag[2]) : undefined;
  if (tag[1] !== undefined || version === undefined) throw versionMismatch();
  return version;
}

/** What a service throws when the version in force is not the one that was asked for. */
export function versionMismatch(): PerennialError {
  return new PerennialError('precondition_failed', 'version_mismatch', 'The resource is at another version.');
}

/** If-None-Match compares weakly: `W/"3"` is `"3"`. Tags cannot hold a comma here, ours being numbers. */
function names(header: string, tag: string): boolean {
  if (header === tag) return true;
  return header.split(',').some((part) => {
    const candidate = part.trim();
    return candidate === '*' || candidate === tag || candidate === `W/${tag}`;
  });
}
