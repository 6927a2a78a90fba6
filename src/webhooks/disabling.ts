// Owns what happens to an endpoint that the service gives up, and to one that is made active again after that.
// Does not own how it is found out (outbox/health.ts, a receiver's 410).

import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { PerennialError } from '../errors.js';
import type { Disabling } from '../outbox/claim.js';
import { prepareEvents } from '../outbox/events.js';
import type { ReplaysService } from '../outbox/replays-service.js';
import { disableEndpoints } from './disabling-store.js';
import { type EndpointRow, forgetHealth } from './store.js';

const REASONS: Record<Disabling['reason'], string> = {
  gone: 'The receiver answered 410 Gone.',
  failing: 'No delivery has succeeded for 5 days.',
};

/** Disables endpoints and tells the others. All of it is sent before anything is waited for. */
export async function disable(
  tx: Transaction,
  context: Context,
  endpoints: readonly Disabling[],
): Promise<void> {
  if (endpoints.length === 0) return;
  const { tenantId, now } = context;
  const disabledAt = now.toISOString();
  const events = prepareEvents(
    context,
    endpoints.map(({ id, reason }) => {
      const endpoint = { id, url: '', reason: REASONS[reason], disabledAt };
      const draft = { type: 'webhook.endpoint_disabled', occurredAt: now, data: { endpoint } };
      return { draft, customerId: null, sequence: null, deliver: true };
    }),
  );
  const rows = endpoints.flatMap(({ id, reason }, index) => {
    const event = events[index];
    return event === undefined ? [] : [{ id, reason: REASONS[reason], event }];
  });
  tx.announce('deliveries');
  await disableEndpoints(tx, tenantId, { rows, now });
}

/**
 * Requests may have been under way, with their clocks read, when the endpoint was disabled, and others are now:
 * their events were not queued, though they were recorded before the one instant, or after the other.
 */
const IN_FLIGHT_MS = 60_000;

export interface Reviving {
  row: EndpointRow;
  resendMissed: boolean | undefined;
  replays: Pick<ReplaysService, 'start'>;
}

/** A disabled endpoint is to be disabled no longer: whoever asks for it has to say what becomes of what it missed. */
export async function revive(tx: Transaction, context: Context, reviving: Reviving): Promise<void> {
  const { row, resendMissed, replays } = reviving;
  const { tenantId, id: endpointId } = row;
  if (resendMissed === undefined) throw resendUnsaid();
  const failingSince = await forgetHealth(tx, { tenantId, id: endpointId });
  const disabledAt = row.disabledAt ?? row.updatedAt;
  if (!resendMissed) return;
  const { now } = context;
  // What had been queued and was given up, and what was not queued any more: no event is in both.
  // What brought it down had ended by then, and by a success beside it the failing may have been forgotten.
  const downFrom = new Date(disabledAt.getTime() - IN_FLIGHT_MS);
  const failedFrom = failingSince !== null && failingSince < downFrom ? failingSince : downFrom;
  const from = new Date(disabledAt.getTime() - IN_FLIGHT_MS);
  const to = new Date(now.getTime() + IN_FLIGHT_MS);
  await replays.start(tx, context, { endpointId, scope: 'failed', from: failedFrom, to });
  await replays.start(tx, context, { endpointId, scope: 'missed', from, to });
}

function resendUnsaid(): PerennialError {
  const detail = 'must say whether what the endpoint missed while it was disabled is sent now';
  return new PerennialError('unprocessable', 'resend_missed_required', `The field resendMissed ${detail}.`, {
    faults: [{ pointer: '/resendMissed', detail }],
  });
}
