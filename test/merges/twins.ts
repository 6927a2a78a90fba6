// A tenant in which one person is two customers.

import type { TestService } from '../helpers/service.js';
import { openShop, orderOf, type Shop } from '../orders/shop.js';

export async function twins(
  shared: TestService,
  slug: string,
): Promise<{ shop: Shop; ann: string; anna: string }> {
  const shop = await openShop(shared, slug);
  const put = async (name: string, body: object) =>
    (await shop.service.inject('PUT', `/v1/customers/ext:crm:${name}`, { body })).json().id;
  const ann = await put('ann', {
    ...{ name: 'Ann', email: 'ann@example.com', owner: 'kim', tags: ['vip'] },
    attributes: { tier: 'gold', city: 'Bonn' },
  });
  shared.clock.advance(1_000);
  const anna = await put('anna', {
    ...{ name: 'Anna', email: 'anna@example.com', phone: '+4930231250', channel: 'web', tags: ['new'] },
    attributes: { tier: 'silver', size: 'M' },
  });
  await shop.post(orderOf('ann', 'o1', '2025-09-01'));
  await shop.post(orderOf('anna', 'o2', '2025-10-01'));
  await shop.post(orderOf('anna', 'o3', '2026-02-20'));
  const touch = { channel: 'phone', direction: 'inbound', kind: 'call' };
  await shop.service.inject('POST', '/v1/touchpoints', { body: { customer: anna, ...touch } });
  return { shop, ann, anna };
}

export const merge = ({ service }: Shop, ref: string, from: string, more: object = {}) =>
  service.inject('POST', `/v1/customers/${ref}/merges`, { body: { from, ...more } });
export const undo = ({ service }: Shop, ref: string, mergeId: string, body?: object) =>
  service.inject('POST', `/v1/customers/${ref}/merges/${mergeId}/undo`, { body });
