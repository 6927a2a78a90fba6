// A tenant whose customers are looked back at over HTTP: what it is told, and what is asked of its past.

import { startService, type TestService } from '../helpers/service.js';

interface Teardown {
  teardown(work: () => unknown): void;
}

export const START = '2026-03-01T00:00:00.000Z';

export const policy = {
  template: 'ecommerce',
  timeZone: 'UTC',
  rules: [
    { stage: 'churned', when: { type: 'silence', days: 20 } },
    { stage: 'declining', when: { type: 'silence', days: 10 } },
    { stage: 'mature', when: { type: 'orders', atLeast: 2 } },
    { stage: 'new', when: { type: 'orders', atLeast: 1 } },
  ],
  otherwise: 'prospect',
};

export async function startLookingBack(t: Teardown) {
  const shared = await startService(t, { now: START });
  return {
    shared,
    /** A tenant of its own, on the clock's first day. */
    async open(slug: string) {
      shared.clock.set(START);
      const service = await shared.forTenant(slug);
      const body = { policy, effectiveFrom: 'beginning' };
      const answer = await service.inject('PUT', '/v1/policies/live', { body });
      if (answer.statusCode !== 200) throw new Error(answer.body);
      return lookingBack(service);
    },
  };
}

type Params = Record<string, string>;
const search = (params: Params) => new URLSearchParams(params).toString();

function lookingBack(service: TestService) {
  const get = (path: string, params: Params = {}, headers: Record<string, string> = {}) =>
    service.inject('GET', `${path}${path.includes('?') ? '&' : '?'}${search(params)}`, { headers });
  return {
    ...{ service, clock: service.clock, get },
    async customer(id: string): Promise<{ id: string }> {
      return (await service.inject('PUT', `/v1/customers/ext:crm:${id}`, { body: { name: id } })).json();
    },
    order: (customer: string, id: string, placedAt: string) =>
      service.inject('PUT', `/v1/orders/ext:shop:${id}`, {
        body: { customer: `ext:crm:${customer}`, placedAt, amountMinor: 100, currency: 'EUR', lines: [] },
      }),
    async stageOf(customer: string, params: Params = {}) {
      return (await get(`/v1/customers/ext:crm:${customer}/stage`, params)).json();
    },
    async listed(params: Params): Promise<[name: string, stage: string, since: string][]> {
      const { data } = (await get('/v1/customers', params)).json();
      return data.map((one: Record<string, string>) => [one.name, one.stage, one.stageSince]);
    },
    async namesListed(params: Params): Promise<string[]> {
      return (await this.listed(params)).map(([name]) => name);
    },
    /** The stages that somebody is in, and the total. */
    async counted(params: Params = {}): Promise<Record<string, number>> {
      const { stages, total } = (await get('/v1/stage-counts', params)).json();
      const counts = stages.map(({ key, customers }: Counted) => [key, customers]);
      return { total, ...withSome(Object.fromEntries(counts)) };
    },
  };
}

interface Counted {
  key: string;
  customers: number;
}

export function withSome(customers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(customers).filter(([, count]) => count > 0));
}
