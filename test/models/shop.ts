// A shop whose customers are those of CDNOW, for the tests of the models: real orders, published figures.

import type { TestService } from '../helpers/service.js';
import { readPurchases } from '../lifecycle/cdnow.js';

const BATCH = 1_000;

/** The orders up to a day, inclusive, in the past of the service's clock. */
export async function sellCdnow(service: TestService, until: string): Promise<void> {
  const end = Date.parse(`${until}T23:59:59Z`);
  const orders = [...readPurchases()].flatMap(([customer, placed]) =>
    placed.filter(({ at }) => at <= end).map((order) => ({ customer, ...order })),
  );
  for (let from = 0; from < orders.length; from += BATCH) {
    const items = orders.slice(from, from + BATCH).map(({ customer, id, at, currency, amountMinor }) => ({
      customer: { externalIds: [{ namespace: 'cdnow', id: customer }] },
      externalId: { namespace: 'cdnow', id },
      placedAt: new Date(at).toISOString(),
      ...{ amountMinor, currency },
    }));
    const body = { items, backfill: true };
    const answer = await service.inject('POST', '/v1/orders/batch', { body });
    const failed = answer.json().results?.filter(({ status }: { status: number }) => status >= 300);
    if (answer.statusCode !== 207 || failed.length > 0) throw new Error(answer.body.slice(0, 500));
  }
}

/** Runs what the jobs would, until nothing is left to do. */
export async function work({ services, clock }: TestService): Promise<void> {
  while ((await services.models.fitDue(clock.now())).fitted > 0);
  while ((await services.models.predictDue(clock.now())).customers > 0);
}

export async function read<T>(service: TestService, url: string, status = 200): Promise<T> {
  const answer = await service.inject('GET', url);
  if (answer.statusCode !== status) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
  return answer.json<T>();
}
