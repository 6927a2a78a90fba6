// Owns a partner on trial: the service as a process of its own that delivers to a receiver of the test's, and an
// order that makes it tell of something.

import type { Test } from 'tap';
import { createEmptyDatabase } from '../helpers/postgres.js';
import { spawnService } from '../helpers/process.js';
import { createReceiver, type ReceivedRequest, type Receiver } from '../helpers/receiver.js';

const KEY = `pk_${'k'.repeat(30)}`;
export const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

export interface Partner {
  /** Verifies with `SECRET`. */
  receiver: Receiver;
  post<T>(path: string, body: object): Promise<T>;
  get<T>(path: string): Promise<T>;
  /** Records an order of a customer of that name, and so an event; answers the order's id. */
  order(customer: string): Promise<string>;
}

/** Only `url` and what is to be told are up to the test. */
export async function openPartner(t: Test): Promise<Partner> {
  const { url: databaseUrl } = await createEmptyDatabase(t);
  const service = spawnService(t, {
    environment: {
      DATABASE_URL: databaseUrl,
      BOOTSTRAP_API_KEY: KEY,
      WEBHOOK_ALLOW_PRIVATE: 'true',
      SECRETS_KEY: Buffer.alloc(32, 3).toString('base64'),
    },
  });
  const receiver = await createReceiver(t, { secret: SECRET });
  const base = await service.url();
  const ask = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(base + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${KEY}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  let orders = 0;
  return {
    receiver,
    post: ask,
    get: ask,
    async order(customer) {
      orders += 1;
      const { id } = await ask<{ id: string }>('/v1/orders', {
        externalId: { namespace: 'shop', id: `o-${orders}` },
        customer: { externalIds: [{ namespace: 'shop', id: customer }] },
        placedAt: '2026-01-05T10:00:00Z',
        amountMinor: 4_900,
        currency: 'EUR',
      });
      return id;
    },
  };
}

/** The first requests of events of that type, once so many have been received. */
export async function untilReceived(receiver: Receiver, type: string, count = 1): Promise<ReceivedRequest[]> {
  for (let all = 1; ; all += 1) {
    const requests = (await receiver.waitFor(all)).filter(
      ({ json }) => (json as { type?: string } | undefined)?.type === type,
    );
    if (requests.length >= count) return requests;
  }
}
