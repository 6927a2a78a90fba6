// A small world for property tests of the theorem: tenants on one database, replicas of the services beside
// each other, and the ledger read back in the form that two of them can be compared by.

import { v7 as uuidv7 } from 'uuid';
import { readConfig } from '../../src/config.js';
import type { Context } from '../../src/context.js';
import type { CustomerPatch } from '../../src/customers/schemas.js';
import { openDatabase } from '../../src/db/database.js';
import { ConflictError } from '../../src/errors.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import { compileTimeline, replay } from '../../src/lifecycle/replay.js';
import { createLogger } from '../../src/logger.js';
import { buildServices, type Services } from '../../src/services.js';
import { loadHistories, loadTimeline } from '../../src/transitions/history-store.js';
import { asIfFitted } from './as-if-fitted.js';
import { mergingOn } from './playground-merging.js';
import { createTestDatabase } from './postgres.js';

export interface Fact {
  kind: 'order' | 'touchpoint';
  customer: number;
  atMs: number;
  categories?: string[];
  fate?: string;
  satisfaction?: { scale: 'csat' | 'nps'; score: number } | null;
}

export interface ProfileChange {
  customer: number;
  patch: CustomerPatch;
}

export interface Playground {
  openTenant(createdAtMs: number): Promise<ReturnType<typeof tenantOn>>;
}

interface Teardown {
  teardown(work: () => unknown): void;
}

const CUSTOMERS = 3;
const AMOUNT_MINOR = 1_000;

export async function createPlayground(
  t: Teardown,
  { replicas = 1, fitted = false } = {},
): Promise<Playground> {
  const { url } = await createTestDatabase(t);
  const logger = createLogger({ level: 'silent' });
  const config = readConfig({ SECRETS_KEY: Buffer.alloc(32, 9).toString('base64') });
  const clock = () => new Date(0);
  const worlds = Array.from({ length: replicas }, () => {
    const database = openDatabase({ url, connectionsMax: 6, onError: () => undefined });
    t.teardown(() => database.close());
    const services = buildServices({ database, clock, config, logger });
    return { database, services: fitted ? asIfFitted(services) : services };
  });
  return {
    async openTenant(createdAtMs) {
      const [first] = worlds;
      if (first === undefined) throw new Error('a playground has at least one replica');
      const admin: Context = { ...contextOf('00000000-0000-0000-0000-000000000000', createdAtMs) };
      const slug = `t-${uuidv7()}`;
      const { id } = await first.services.tenants.open(admin, { slug, name: slug });
      const items = Array.from({ length: CUSTOMERS }, (_, index) => ({
        externalIds: [{ namespace: 'c', id: String(index) }],
      }));
      await first.services.customers.batch(contextOf(id, createdAtMs), items, { backfill: false });
      return tenantOn(worlds, id);
    },
  };
}

export function policyOf(knobs: { silentDays: number; timeZone: string; cadence: boolean }): Policy {
  const churned = knobs.cadence
    ? ({ type: 'cadenceQuantile', q: 0.9 } as const)
    : ({ type: 'silence', days: knobs.silentDays * 2 } as const);
  const declining = knobs.cadence
    ? ({ type: 'cadenceMultiple', multiple: 1.5 } as const)
    : ({ type: 'silence', days: knobs.silentDays } as const);
  return {
    template: 'ecommerce',
    timeZone: knobs.timeZone,
    rules: [
      { stage: 'churned', when: churned },
      { stage: 'declining', when: declining },
      { stage: 'mature', when: { type: 'orders', atLeast: 2 } },
      { stage: 'new', when: { type: 'orders', atLeast: 1 } },
    ],
    otherwise: 'prospect',
  };
}

interface World {
  database: ReturnType<typeof openDatabase>;
  services: Services;
}

function contextOf(tenantId: string, nowMs: number): Context {
  return {
    tenantId,
    actor: { kind: 'system', id: 'playground' },
    now: new Date(nowMs),
    requestId: 'playground',
  };
}

function tenantOn(worlds: World[], tenantId: string) {
  const world = (replica = 0): World => {
    const chosen = worlds[replica % worlds.length];
    if (chosen === undefined) throw new Error('a playground has at least one replica');
    return chosen;
  };
  const { database } = world();
  const refOf = (customer: number) => ({ kind: 'external', namespace: 'c', id: String(customer) }) as const;

  async function tellOrder({ orders }: Services, fact: Fact, nowMs: number): Promise<void> {
    const context = contextOf(tenantId, nowMs);
    const externalId = uuidv7();
    const input = (placedAtMs: number, status: 'placed' | 'pending') => ({
      customer: { ref: `ext:c:${fact.customer}` },
      namespace: 'o',
      externalId,
      status,
      placedAt: new Date(placedAtMs),
      amountMinor: AMOUNT_MINOR,
      currency: 'EUR',
      lines: (fact.categories ?? []).map((category) => ({
        product: 'p',
        category,
        quantity: 1,
        unitPriceMinor: 1,
      })),
      refunds: [],
      sourceUpdatedAt: null,
    });
    const record = { how: 'record', backfill: false } as const;
    const replace = { how: 'replace', backfill: false } as const;
    const ref = { kind: 'external', namespace: 'o', id: externalId } as const;
    const refund = (amountMinor: number) =>
      orders.refund(
        context,
        { ref, expected: undefined },
        { externalId: 'r', amountMinor, refundedAt: context.now.toISOString() },
      );
    // What becomes of an order is part of the fact: told at once, so that both tenants know the same in the end.
    if (fact.fate === 'replaced')
      await orders.save(context, [input(fact.atMs - 3_600_000, 'placed')], record);
    else
      await orders.save(context, [input(fact.atMs, fact.fate === 'pending' ? 'pending' : 'placed')], record);
    if (fact.fate === 'replaced') await orders.save(context, [input(fact.atMs, 'placed')], replace);
    if (fact.fate === 'cancelled') await orders.cancel(context, { ref, expected: undefined });
    if (fact.fate === 'refunded') await refund(AMOUNT_MINOR);
    if (fact.fate === 'partly refunded') await refund(AMOUNT_MINOR / 4);
  }

  return {
    id: tenantId,
    /** One replica as it is, and a context of this tenant, for what the playground has no words for. */
    world,
    contextAt: (nowMs: number): Context => contextOf(tenantId, nowMs),
    async tell(fact: Fact, nowMs: number, replica = 0): Promise<void> {
      const { services } = world(replica);
      if (fact.kind === 'order') return tellOrder(services, fact, nowMs);
      const occurredAt = new Date(fact.atMs).toISOString();
      const customer = `ext:c:${fact.customer}`;
      const { satisfaction = null } = fact;
      const kind = satisfaction === null ? 'call' : 'survey_answer';
      const call = {
        customer,
        channel: 'phone',
        direction: 'inbound',
        kind,
        satisfaction,
        occurredAt,
      } as const;
      await services.touchpoints.record(contextOf(tenantId, nowMs), [call], { backfill: false });
    },
    /** Changes what the profile says from now on. */
    async profile({ customer, patch }: ProfileChange, nowMs: number): Promise<void> {
      const target = { ref: `ext:c:${customer}`, expected: undefined };
      await world().services.customers.patch(contextOf(tenantId, nowMs), target, patch);
    },
    async tick(nowMs: number, replica = 0): Promise<void> {
      const { services } = world(replica);
      await services.policies.recomputeDue(new Date(nowMs));
      await services.transitions.advanceDue(new Date(nowMs));
    },
    calibrate: (nowMs: number) => world().services.policies.calibrate(contextOf(tenantId, nowMs)),
    activate: (policy: Policy, effectiveFromMs: number | null, nowMs: number) =>
      world().services.policies.activate(contextOf(tenantId, nowMs), {
        policy,
        effectiveFrom: effectiveFromMs === null ? null : new Date(effectiveFromMs),
        backfill: false,
        expected: undefined,
      }),
    async move(
      move: { customer: number; to: string; holdDays: number | null },
      nowMs: number,
    ): Promise<void> {
      const holdUntil =
        move.holdDays === null ? null : new Date(nowMs + move.holdDays * 86_400_000).toISOString();
      try {
        const input = { to: move.to, reason: 'property test', holdUntil };
        await world().services.transitions.move(contextOf(tenantId, nowMs), refOf(move.customer), input);
      } catch (error) {
        // The graph forbids some moves; a refused one is no fact.
        if (!(error instanceof ConflictError)) throw error;
      }
    },
    ...mergingOn(world(), (nowMs) => contextOf(tenantId, nowMs)),
    /** The ledger in force, without ids and times of recording. */
    async ledger() {
      const rows = await database.read(tenantId, (executor) =>
        executor.rows<Record<string, unknown>>({
          text: `SELECT i.value AS customer, (extract(epoch from effective_at) * 1000)::bigint AS at,
                        from_stage AS "from", to_stage AS "to", cause, policy_version AS policy
                   FROM transitions JOIN customer_identities i USING (tenant_id, customer_id)
                  WHERE tenant_id = $1 AND superseded_at IS NULL ORDER BY i.value, effective_at`,
          values: [tenantId],
        }),
      );
      return rows;
    },
    /** What one replay of the recorded facts gives. */
    async replayed(untilMs: number) {
      const ids = await database.read(tenantId, (executor) =>
        executor.rows<{ id: string; name: string; created: number }>({
          text: `SELECT c.id, i.value AS name, (extract(epoch from c.created_at) * 1000)::bigint AS created
                   FROM customers c JOIN customer_identities i ON i.tenant_id = c.tenant_id AND i.customer_id = c.id
                  WHERE c.tenant_id = $1 ORDER BY i.value`,
          values: [tenantId],
        }),
      );
      return database.write(contextOf(tenantId, untilMs), async (tx) => {
        const timeline = compileTimeline(await loadTimeline(tx, tenantId));
        const histories = await loadHistories(
          tx,
          tenantId,
          ids.map(({ id }) => id),
        );
        return ids.flatMap(({ id, name, created }) => {
          const history = {
            createdAt: created,
            orders: histories.orders.get(id) ?? [],
            touchpoints: histories.touchpoints.get(id) ?? [],
            moves: histories.moves.get(id) ?? [],
            changes: histories.changes.get(id) ?? [],
          };
          return replay(history, timeline, untilMs).transitions.map(
            ({ effectiveAt, from, to, cause, policyVersion }) => ({
              ...{ customer: name, at: effectiveAt, from, to, cause, policy: policyVersion },
            }),
          );
        });
      });
    },
    async standings() {
      return database.read(tenantId, (executor) =>
        executor.rows<{ customer: string; stage: string; since: number; reviewAt: number | null }>({
          text: `SELECT i.value AS customer, stage, (extract(epoch from stage_since) * 1000)::bigint AS since,
                        (extract(epoch from review_at) * 1000)::bigint AS "reviewAt"
                   FROM customer_lifecycles JOIN customer_identities i USING (tenant_id, customer_id)
                  WHERE tenant_id = $1 ORDER BY i.value`,
          values: [tenantId],
        }),
      );
    },
    async standingOf(customer: string) {
      const standing = (await this.standings()).find((row) => row.customer === customer);
      if (standing === undefined) throw new Error(`no customer ${customer}`);
      return standing;
    },
  };
}
