// Owns the examples of the catalogue. Does not own the schemas that they fit, which a test holds them to.

import type { EventName } from './topics.js';

interface ExampleData {
  data: object;
  previous?: object;
  sequence: number | null;
}

const CUSTOMER_ID = '01890f3e-8c00-7a10-8000-0000000000c1';
const ORDER_ID = '01890f3e-8c00-7a10-8000-0000000000d1';
const TRANSITION_ID = '01890f3e-8c00-7a10-8000-0000000000f1';
const ENDPOINT_ID = '01890f3e-8c00-7a10-8000-0000000000b1';
const AT = '2026-03-02T09:30:00.000Z';
const RECORDED_AT = '2026-03-02T09:30:00.412Z';

const customer = {
  id: CUSTOMER_ID,
  kind: 'person',
  name: 'Li Na',
  email: 'li.na@example.com',
  phone: '+8613800138000',
  country: 'CN',
  channel: 'wechat',
  owner: 'chen.wei',
  tags: ['tea club', '会员'],
  externalIds: [{ namespace: 'shopify', id: '8812' }],
  attributes: { city: 'Hangzhou' },
  stage: 'mature',
  stageSince: '2026-01-11T04:05:06.000Z',
  version: 7,
  createdAt: '2025-09-01T08:00:00.000Z',
  updatedAt: RECORDED_AT,
};

const MERGE_ID = '01890f3e-8c00-7a10-8000-000000000091';
const twin = {
  id: '01890f3e-8c00-7a10-8000-0000000000c2',
  name: 'Na Li',
  email: 'lina@example.com',
  phone: null,
  externalIds: [{ namespace: 'wechat', id: 'o6_bmjrPTlm6_2sgVt7hMZOPfL2M' }],
};

const order = {
  id: ORDER_ID,
  customerId: CUSTOMER_ID,
  externalId: { namespace: 'shopify', id: '450789469' },
  status: 'placed',
  placedAt: AT,
  amountMinor: 25_800,
  refundedMinor: 0,
  currency: 'CNY',
  lines: [
    { product: 'TEA-01', name: 'Longjing, 250 g', category: 'tea', quantity: 2, unitPriceMinor: 12_900 },
  ],
  refunds: [],
  version: 1,
};

const facts = { orders: 4, purchaseDays: 4, lastOrderAt: '2025-12-20T09:30:00.000Z' };

function transition(from: string | null, to: string, cause: string, evidence: object) {
  return {
    customer: { ...customer, stage: to, stageSince: AT },
    transition: {
      id: TRANSITION_ID,
      from,
      to,
      cause,
      causeId: cause === 'order' ? ORDER_ID : null,
      effectiveAt: AT,
      recordedAt: RECORDED_AT,
      policyVersion: 1,
      calibrationVersion: 2,
      evidence: { stage: to, facts, ...evidence },
      actor: null,
      reason: null,
    },
    next:
      to === 'churned'
        ? null
        : { at: '2026-05-14T09:30:00.000Z', stage: to === 'declining' ? 'churned' : 'declining' },
  };
}

const silent = (rule: number, q: number) => ({
  rule,
  condition: { type: 'cadenceQuantile', q, holds: true },
});
const bought = { rule: 2, condition: { type: 'orders', atLeast: 3, holds: true } };

export const EXAMPLE_DATA: Record<EventName, ExampleData> = {
  'customer.created': {
    sequence: 1,
    data: {
      customer: { ...customer, stage: null, stageSince: null, version: 2, updatedAt: customer.createdAt },
    },
  },
  'customer.updated': { sequence: 12, data: { customer }, previous: { owner: 'wang.fang' } },
  'customer.stage_changed': { sequence: 9, data: transition('new', 'mature', 'order', bought) },
  'customer.declining': { sequence: 13, data: transition('mature', 'declining', 'time', silent(1, 0.75)) },
  'customer.churned': { sequence: 14, data: transition('declining', 'churned', 'time', silent(0, 0.9)) },
  'customer.recovered': { sequence: 15, data: transition('declining', 'mature', 'order', bought) },
  'customer.reactivated': { sequence: 16, data: transition('churned', 'mature', 'order', bought) },
  'customer.transition_retracted': {
    sequence: 17,
    data: {
      customer,
      retracted: {
        transitionId: TRANSITION_ID,
        from: 'mature',
        to: 'declining',
        effectiveAt: '2026-02-20T09:30:00.000Z',
        eventId: '01890f3e-8c00-7a10-8000-0000000000e0',
      },
      stage: 'mature',
      stageSince: '2026-01-11T04:05:06.000Z',
    },
  },
  'customer.merged': { sequence: 19, data: { customer, merged: twin, mergeId: MERGE_ID } },
  'customer.merge_undone': { sequence: 20, data: { customer, restored: twin, mergeId: MERGE_ID } },
  'customer.restored': {
    sequence: 4,
    data: { customer: { ...customer, ...twin, stage: 'new', version: 5 }, mergeId: MERGE_ID },
  },
  'customer.erased': {
    sequence: 21,
    data: {
      customer: {
        ...customer,
        ...{ name: null, email: null, phone: null, owner: null, externalIds: [], attributes: {} },
        ...{ version: 8, erasedAt: RECORDED_AT },
      },
    },
  },
  'order.recorded': { sequence: 8, data: { customer, order } },
  'order.updated': {
    sequence: 10,
    data: { customer, order: { ...order, amountMinor: 12_900, version: 2 } },
    previous: { amountMinor: 25_800 },
  },
  'order.cancelled': {
    sequence: 11,
    data: { customer, order: { ...order, status: 'cancelled', version: 2 } },
    previous: { status: 'placed' },
  },
  'order.refunded': {
    sequence: 11,
    data: {
      customer,
      order: {
        ...order,
        refundedMinor: 12_900,
        refunds: [{ externalId: 'refund-1', amountMinor: 12_900, refundedAt: AT, reason: 'damaged' }],
        version: 2,
      },
    },
    previous: { refundedMinor: 0 },
  },
  'touchpoint.recorded': {
    sequence: 18,
    data: {
      customer,
      touchpoint: {
        id: '01890f3e-8c00-7a10-8000-0000000000a1',
        customerId: CUSTOMER_ID,
        channel: 'phone',
        direction: 'outbound',
        kind: 'survey_answer',
        outcome: 'answered',
        actor: 'chen.wei',
        note: null,
        satisfaction: { scale: 'csat', score: 4 },
        occurredAt: AT,
        externalId: null,
        version: 1,
        createdAt: RECORDED_AT,
      },
    },
  },
  'policy.activated': {
    sequence: null,
    data: {
      policy: {
        version: 2,
        effectiveFrom: AT,
        backfill: false,
        template: 'ecommerce',
        timeZone: 'Asia/Shanghai',
        rules: [
          { stage: 'churned', when: { type: 'silence', days: 120 } },
          { stage: 'declining', when: { type: 'silence', days: 60 } },
          { stage: 'new', when: { type: 'orders', atLeast: 1 } },
        ],
        otherwise: 'prospect',
      },
    },
  },
  'webhook.endpoint_disabled': {
    sequence: null,
    data: {
      endpoint: {
        id: ENDPOINT_ID,
        url: 'https://partner.example.com/hooks',
        reason: 'The receiver answered 410 Gone.',
        disabledAt: AT,
      },
    },
  },
  ping: { sequence: null, data: { endpointId: ENDPOINT_ID } },
};
