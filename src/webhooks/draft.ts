// Owns what a schema cannot see of an endpoint that somebody wants: whether its url may be called, whether its
// secret is one, and what a patch makes of a row. Pure.

import { InvalidError } from '../errors.js';
import { checkUrl, type UrlPolicy } from './addresses.js';
import type { WebhookEndpointPatch } from './schemas.js';
import { signV1 } from './sign.js';
import type { EndpointRow } from './store.js';

/** The url in its normal form. Names are resolved when something is sent; what they lead to is checked then. */
export function checkedUrl(url: string, policy: UrlPolicy): string {
  const checked = checkUrl(url, policy);
  if (checked.ok) return checked.url.href;
  const { reason, detail } = checked;
  throw new InvalidError(`webhook_url_${reason}`, `The url cannot be used: ${detail}.`, {
    faults: [{ pointer: '/url', detail }],
  });
}

/** The pattern lets through what is not base64 or has too few bytes; signing once tells. */
export function checkedSecret(secret: string | undefined): string | undefined {
  if (secret === undefined) return undefined;
  try {
    signV1({ secret, id: 'check', timestampS: 0, body: '' });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const detail = 'must be `whsec_` and the base64 of 24 to 64 bytes';
    throw new InvalidError('invalid_webhook_secret', `The secret ${detail}.`, {
      faults: [{ pointer: '/secret', detail }],
    });
  }
  return secret;
}

/** Checks a patch, and answers what it makes of a row: the same row where it changes nothing. */
export function fromPatch(patch: WebhookEndpointPatch, policy: UrlPolicy): (row: EndpointRow) => EndpointRow {
  const url = patch.url === undefined ? undefined : checkedUrl(patch.url, policy);
  return (row) => {
    const changed: EndpointRow = {
      ...row,
      url: url ?? row.url,
      description: patch.description === undefined ? row.description : patch.description,
      eventTypes: patch.eventTypes === undefined ? row.eventTypes : [...patch.eventTypes],
      status: patch.status ?? row.status,
      disabledReason: patch.status === undefined ? row.disabledReason : null,
    };
    const isSame =
      changed.url === row.url &&
      changed.description === row.description &&
      changed.status === row.status &&
      changed.eventTypes.join() === row.eventTypes.join();
    return isSame ? row : changed;
  };
}
