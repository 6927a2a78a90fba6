// A service with a partner: events that are told, an endpoint with a real receiver behind it, and a worker that
// is run by hand, so that a test says when anything is sent.

import { createDeliverer } from '../../src/outbox/deliver.js';
import type { EventDraft } from '../../src/outbox/events.js';
import type { TestService } from '../helpers/service.js';
import { transportFor } from '../helpers/transport.js';

interface Teardown {
  teardown(work: () => Promise<void>): unknown;
}

export interface Told {
  type?: string;
  customerId?: string;
  sequence?: number;
  deliver?: boolean;
  data?: object;
}

/** Commits events, each at the clock's present time, and answers their ids. */
export async function tell(service: TestService, told: readonly Told[]): Promise<string[]> {
  const { outbox } = service.services;
  const context = service.context();
  const rows = outbox.prepareEvents(context, told.map(draftOf(context.now)));
  await service.database.write(context, (tx) => outbox.publish(tx, context, rows));
  return rows.map(({ id }) => id);
}

export function draftOf(now: Date) {
  return ({ type = 'policy.activated', customerId, sequence, deliver = true, data }: Told): EventDraft => ({
    draft: { type, occurredAt: now, data: data ?? { note: 'of a test' } },
    customerId: customerId ?? null,
    sequence: sequence ?? null,
    deliver,
  });
}

/** Makes an endpoint and answers its id. */
export async function endpointOf(service: TestService, url: string, more: object = {}): Promise<string> {
  const made = await service.inject('POST', '/v1/webhook-endpoints', { body: { url, ...more } });
  if (made.statusCode !== 201) throw new Error(`no endpoint: ${made.body}`);
  return made.json<{ id: string }>().id;
}

/** Sends what is due until nothing is. */
export async function deliverAll(t: Teardown, service: TestService): Promise<void> {
  const deliverer = createDeliverer({
    database: service.database,
    transport: transportFor(t),
    targets: service.services.webhooks,
    clock: service.clock.now,
    wallClock: () => new Date(),
    random: () => 0.5,
    // On a busy machine too, nothing is put off that a receiver seems too slow for.
    limits: { waitMs: 60_000 },
    onError: (error) => {
      throw error;
    },
  });
  while ((await deliverer.pump(service.clock.now())) > 0) await deliverer.settled();
  await deliverer.stop();
}

/** Takes all replays as far as they go at the clock's present time. */
export async function replayDue({ services, clock }: TestService): Promise<number> {
  let queued = 0;
  for (let more = true; more; ) {
    const result = await services.replays.advance(clock.now());
    queued += result.queued;
    more = result.more;
  }
  return queued;
}

export interface Replay {
  id: string;
  status: string;
  eventsSeen: number;
  deliveriesQueued: number;
  finishedAt: string | null;
}

export async function askForReplay(service: TestService, endpointId: string, body: object): Promise<Replay> {
  const answer = await service.inject('POST', `/v1/webhook-endpoints/${endpointId}/replays`, { body });
  if (answer.statusCode !== 202) throw new Error(answer.body);
  return answer.json();
}

export async function showReplay(service: TestService, endpointId: string, { id }: Replay): Promise<Replay> {
  return (await service.inject('GET', `/v1/webhook-endpoints/${endpointId}/replays/${id}`)).json();
}
