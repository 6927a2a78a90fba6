// Owns what the use cases of endpoints share: what they are built from, and an endpoint that must be there.

import type { Database } from '../db/database.js';
import { NotFoundError } from '../errors.js';
import type { DeliveriesService } from '../outbox/deliveries-service.js';
import type { ReplaysService } from '../outbox/replays-service.js';
import type { UrlPolicy } from './addresses.js';
import type { Keyring } from './keyring.js';
import type { SecretBox } from './secrets.js';
import type { EndpointRow } from './store.js';

export interface WebhooksDeps {
  database: Database;
  deliveries: DeliveriesService;
  replays: Pick<ReplaysService, 'start'>;
  urlPolicy: UrlPolicy;
  secrets: SecretBox;
}

export interface Endpoints extends WebhooksDeps {
  keyring: Keyring;
}

export function known(row: EndpointRow | undefined): EndpointRow {
  if (row === undefined)
    throw new NotFoundError('webhook_endpoint_not_found', 'There is no such webhook endpoint.');
  return row;
}
