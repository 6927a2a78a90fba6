// A shop of four customers to try policies on.

import type { TestService } from '../helpers/service.js';
import { orderOf, policyOf } from '../routes/things.js';
import { activate } from './cdnow.js';

export const NOW = '2026-03-02T09:00:00.000Z';
export const BODY = { horizonDays: 30, cuts: ['2026-01-15T00:00:00Z'] };

export async function post(
  service: TestService,
  body: unknown,
  policy: string | number = 'live',
  headers = {},
) {
  return service.inject('POST', `/v1/policies/${policy}/backtests`, { body, headers });
}

export async function openShop(shared: TestService, slug: string): Promise<TestService> {
  const service = await shared.forTenant(slug);
  const people = [
    { id: 'gone', channel: 'web', attributes: { tier: 'gold', size: 3 }, days: ['2025-10-01', '2025-11-01'] },
    { id: 'back', channel: 'shop', attributes: { tier: 'tin' }, days: ['2025-11-01', '2026-01-20'] },
    { id: 'here', channel: 'web', attributes: {}, days: ['2026-01-10', '2026-02-01'] },
    { id: 'late', channel: 'web', attributes: { tier: 'gold' }, days: ['2026-02-10'] },
  ];
  for (const { id, channel, attributes, days } of people) {
    const body = { externalIds: [{ namespace: 'crm', id }], channel, attributes };
    await service.inject('POST', '/v1/customers', { body });
    for (const day of days) {
      const order = orderOf(`ext:crm:${id}`, `${id}-${day}`, new Date(`${day}T12:00:00Z`));
      await service.inject('POST', '/v1/orders', { body: order });
    }
  }
  await activate(service, policyOf(20));
  return service;
}
