// Owns what a schema cannot see of an endpoint that somebody wants: whether its url may be called, whether its
// secret, headers and filter are such, and what a patch makes of a row. Pure.

import { isDeepStrictEqual } from 'node:util';
import { pointerToken } from '../api/pointer.js';
import { type Fault, InvalidError, PerennialError } from '../errors.js';
import { filterFaults } from '../filters/check.js';
import { compileFilter } from '../filters/compile.js';
import type { Filter } from '../filters/fields.js';
import { checkUrl, type UrlPolicy } from './addresses.js';
import {
  EVENT_TYPES_DEFAULT,
  HEADERS_MAX,
  METADATA_MAX,
  type WebhookEndpointInput,
  type WebhookEndpointPatch,
} from './schemas.js';
import { isReservedHeader, signV1 } from './sign.js';
import type { EndpointRow } from './store.js';

/** What is asked for and says nothing of secrets: the same for a new endpoint as for a change of one. */
type Wanted = Pick<
  EndpointRow,
  | 'url'
  | 'description'
  | 'eventTypes'
  | 'filter'
  | 'filterPath'
  | 'ordering'
  | 'rateLimitPerS'
  | 'headers'
  | 'metadata'
> & { status: 'active' | 'paused' };

/** The fields of a new endpoint. */
export function fromInput(input: WebhookEndpointInput, policy: UrlPolicy): Wanted {
  return {
    url: checkedUrl(input.url, policy),
    description: input.description ?? null,
    eventTypes: [...(input.eventTypes ?? EVENT_TYPES_DEFAULT)],
    ...checkedFilter(input.filter ?? null),
    ordering: input.ordering ?? 'none',
    rateLimitPerS: input.rateLimitPerS ?? null,
    headers: checkedHeaders(input.headers ?? {}),
    metadata: input.metadata ?? {},
    status: input.status ?? 'active',
  };
}

/** Checks a patch, and answers what it makes of a row: the same row where it changes nothing. */
export function fromPatch(patch: WebhookEndpointPatch, policy: UrlPolicy): (row: EndpointRow) => EndpointRow {
  const url = patch.url === undefined ? undefined : checkedUrl(patch.url, policy);
  const filter = patch.filter === undefined ? {} : checkedFilter(patch.filter);
  const headers = checkedHeaders(patch.headers ?? {});
  return (row) => {
    const changed: EndpointRow = {
      ...row,
      ...filter,
      url: url ?? row.url,
      description: patch.description === undefined ? row.description : patch.description,
      eventTypes: patch.eventTypes === undefined ? row.eventTypes : [...patch.eventTypes],
      ordering: patch.ordering ?? row.ordering,
      rateLimitPerS: patch.rateLimitPerS === undefined ? row.rateLimitPerS : patch.rateLimitPerS,
      headers: patch.headers === null ? {} : merged(row.headers, headers),
      metadata: patch.metadata === null ? {} : merged(row.metadata, patch.metadata ?? {}),
      status: patch.status ?? row.status,
      disabledReason: patch.status === undefined ? row.disabledReason : null,
      disabledAt: patch.status === undefined ? row.disabledAt : null,
    };
    checkSize('headers', changed.headers, HEADERS_MAX);
    checkSize('metadata', changed.metadata, METADATA_MAX);
    // The path is another text of the same filter.
    const said = ({ filterPath: _, ...rest }: EndpointRow) => rest;
    return isDeepStrictEqual(said(changed), said(row)) ? row : changed;
  };
}

/** The url in its normal form. Names are resolved when something is sent; what they lead to is checked then. */
function checkedUrl(url: string, policy: UrlPolicy): string {
  const checked = checkUrl(url, policy);
  if (checked.ok) return checked.url.href;
  const { reason, detail } = checked;
  throw new InvalidError(`webhook_url_${reason}`, `The url cannot be used: ${detail}.`, {
    faults: [{ pointer: '/url', detail }],
  });
}

/** The pattern lets through what is not base64 or has too few bytes; signing once tells. */
export function checkedSecret({ secret, signing }: WebhookEndpointInput): string | undefined {
  if (secret === undefined) return undefined;
  if (signing === 'v1a') throw invalidSecret('cannot be brought along for v1a: one is made');
  try {
    signV1({ secret, id: 'check', timestampS: 0, body: '' });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidSecret('must be `whsec_` and the base64 of 24 to 64 bytes');
  }
  return secret;
}

function invalidSecret(detail: string): InvalidError {
  return new InvalidError('invalid_webhook_secret', `The secret ${detail}.`, {
    faults: [{ pointer: '/secret', detail }],
  });
}

function checkedFilter(filter: Filter | null): Pick<EndpointRow, 'filter' | 'filterPath'> {
  if (filter === null) return { filter: null, filterPath: null };
  const faults = filterFaults(filter).map(({ pointer, detail }) => ({
    pointer: `/filter${pointer}`,
    detail,
  }));
  const [first] = faults;
  if (first === undefined) return { filter, filterPath: compileFilter(filter) };
  throw new PerennialError('unprocessable', 'invalid_filter', `${first.pointer} ${first.detail}.`, {
    faults,
  });
}

/** Ours say what no endpoint's own may: that this is a replay, for one. */
const OWN_PREFIX = 'perennial-';

/** Names in lower case, as they are sent. */
function checkedHeaders<Value extends string | null>(headers: Record<string, Value>): Record<string, Value> {
  const checked = new Map<string, Value>();
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    const pointer = `/headers/${pointerToken(name)}`;
    if (isReservedHeader(lower) || lower.startsWith(OWN_PREFIX)) {
      faults.push({ pointer, detail: 'is not for an endpoint to set' });
    } else if (checked.has(lower)) faults.push({ pointer, detail: 'is given twice' });
    checked.set(lower, value);
  }
  const [first] = faults;
  if (first === undefined) return Object.fromEntries(checked) as Record<string, Value>;
  throw new InvalidError('invalid_webhook_header', `The header at ${first.pointer} ${first.detail}.`, {
    faults: faults.slice(0, HEADERS_MAX),
  });
}

function merged(
  before: Record<string, string>,
  patch: Record<string, string | null>,
): Record<string, string> {
  const entries = Object.entries({ ...before, ...patch });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

function checkSize(field: 'headers' | 'metadata', value: object, max: number): void {
  if (Object.keys(value).length <= max) return;
  const detail = `must not come to more than ${max} fields`;
  throw new InvalidError('too_many_fields', `/${field} ${detail}.`, {
    faults: [{ pointer: `/${field}`, detail }],
  });
}
