// Histories that are told late, taken back and decided anew: what can happen to a small shop, drawn at random, and
// how each of it is told to the service over HTTP.

import fc from 'fast-check';
import type { TestService } from '../helpers/service.js';

const CUSTOMERS_MAX = 4;
const DAY_MS = 86_400_000;

const customer = fc.nat({ max: CUSTOMERS_MAX - 1 });
const daysBack = fc.oneof(fc.constant(0), fc.nat({ max: 150 }));

const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('order' as const), customer, daysBack }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'refund' as const), order: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touchpoint' as const), customer, daysBack }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      customer,
      to: fc.constantFrom('new', 'mature', 'declining', 'churned'),
      holdDays: fc.option(fc.integer({ min: 1, max: 60 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      silentDays: fc.integer({ min: 5, max: 90 }),
      daysBack: fc.option(fc.nat({ max: 120 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('calibrate' as const, 'customer' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
);
export type Happening = typeof happening extends fc.Arbitrary<infer Told> ? Told : never;

/** Each with the time that passes before it, in milliseconds: often none but one, so that boundaries meet. */
export const story = fc.array(
  fc.tuple(happening, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 * DAY_MS }))),
  { minLength: 4, maxLength: 18 },
);

export class Storyteller {
  #customers = 0;
  #orders = 0;

  constructor(private readonly service: TestService) {}

  /** What the service refuses (a move that the graph forbids, an order cancelled twice) has not happened. */
  async tell(told: Happening): Promise<void> {
    switch (told.do) {
      case 'customer':
        return this.#send('PUT', `/v1/customers/ext:crm:${this.#customers++ % CUSTOMERS_MAX}`, {});
      case 'order':
        return this.#send('PUT', `/v1/orders/ext:shop:${this.#orders++}`, {
          customer: { externalIds: [{ namespace: 'crm', id: String(told.customer) }] },
          placedAt: this.#ago(told.daysBack),
          ...{ amountMinor: 100, currency: 'EUR', lines: [] },
        });
      case 'cancel':
        return this.#send('POST', `/v1/orders/ext:shop:${told.order % (this.#orders + 1)}/cancel`);
      case 'refund': {
        const refund = { externalId: 'all', amountMinor: 100 };
        return this.#send('POST', `/v1/orders/ext:shop:${told.order % (this.#orders + 1)}/refunds`, refund);
      }
      case 'touchpoint':
        return this.#send('POST', '/v1/touchpoints', {
          customer: `ext:crm:${told.customer}`,
          ...{ channel: 'phone', direction: 'inbound', kind: 'call', occurredAt: this.#ago(told.daysBack) },
        });
      case 'move':
        return this.#send('POST', `/v1/customers/ext:crm:${told.customer}/transitions`, {
          ...{ to: told.to, reason: 'property test' },
          holdUntil: told.holdDays === null ? null : this.#ago(-told.holdDays),
        });
      case 'policy':
        return this.#send('PUT', '/v1/policies/live', {
          policy: policyOf(told.silentDays),
          effectiveFrom: told.daysBack === null ? 'beginning' : this.#ago(told.daysBack),
        });
      case 'calibrate':
        return this.#send('POST', '/v1/calibrations');
      case 'tick':
        return this.#tick();
    }
  }

  async #tick(): Promise<void> {
    const { clock, services } = this.service;
    await services.policies.recomputeDue(clock.now());
    await services.transitions.advanceDue(clock.now());
  }

  async #send(method: 'PUT' | 'POST', url: string, body?: object): Promise<void> {
    const answer = await this.service.inject(method, url, { body });
    const isRefused = [404, 409, 422].includes(answer.statusCode);
    if (answer.statusCode >= 300 && !isRefused) throw new Error(`${method} ${url}: ${answer.body}`);
  }

  #ago(days: number): string {
    return new Date(this.service.clock.now().getTime() - days * DAY_MS).toISOString();
  }
}

function policyOf(silentDays: number) {
  return {
    ...{ template: 'ecommerce', timeZone: 'UTC', otherwise: 'prospect' },
    rules: [
      { stage: 'churned', when: { type: 'silence', days: silentDays * 2 } },
      {
        stage: 'declining',
        when: {
          type: 'any',
          of: [
            { type: 'silence', days: silentDays },
            { type: 'cadenceQuantile', q: 0.9 },
          ],
        },
      },
      { stage: 'mature', when: { type: 'orders', atLeast: 2 } },
      { stage: 'new', when: { type: 'orders', atLeast: 1 } },
    ],
  };
}
