// Owns a person's move: whether the graph permits it as the customer stands now, and its becoming a fact. Does
// not own the stage that comes of it (advance.ts).

import { invalidField } from '../api/batch.js';
import type { Context } from '../context.js';
import type { Transaction } from '../db/executor.js';
import { ConflictError } from '../errors.js';
import { newId } from '../ids.js';
import type { ManualMoveFact } from '../lifecycle/facts.js';
import { permittedMoves } from '../lifecycle/stages.js';
import { type AdvanceDeps, advanceCustomers, standingNow } from './advance.js';
import { recordingTime } from './ledger.js';
import { insertMove } from './ledger-store.js';
import type { MoveInput } from './schemas.js';
import type { LockedCustomer, Standing } from './work.js';

export interface Moving {
  customer: LockedCustomer;
  input: MoveInput;
}

/** Makes the move of a locked customer. Takes effect now; throws a ConflictError that lists what is permitted. */
export async function moveIn(
  deps: AdvanceDeps,
  tx: Transaction,
  context: Context,
  { customer, input }: Moving,
): Promise<Standing> {
  const { tenantId } = context;
  const move = factOf(input, { ...context, now: recordingTime(context.now, customer) });
  const timeline = await deps.timelines.of(tx, tenantId);
  const { stage, state } = await standingNow(tx, context, { customer, timeline });
  const lifecycle = timeline.lifecycleOf(state.policyVersion);
  const permitted = permittedMoves(lifecycle, stage, state.facts.orders > 0);
  if (!permitted.includes(move.to)) throw notPermitted(stage, move.to, permitted);
  const advancements = [{ customer, moves: [move] }];
  const [, standings] = await Promise.all([
    insertMove(tx, tenantId, customer.snapshot.id, move),
    advanceCustomers(deps, tx, context, { advancements, options: { mode: 'write', deliver: true } }),
  ]);
  const standing = standings.get(customer.snapshot.id);
  if (standing === undefined) throw new Error('an advanced customer has a standing');
  return standing;
}

function factOf({ to, reason, holdUntil }: MoveInput, { actor, now }: Context): ManualMoveFact {
  const until = holdUntil == null ? null : Date.parse(holdUntil);
  if (until !== null && until <= now.getTime()) throw invalidField('/holdUntil', 'must lie in the future');
  return {
    id: newId(),
    at: now.getTime(),
    to,
    holdUntil: until,
    reason,
    actor: `${actor.kind}:${actor.id}`,
  };
}

function notPermitted(stage: string, to: string, permitted: string[]): ConflictError {
  return new ConflictError('move_not_permitted', `A customer in ${stage} cannot be moved to ${to}.`, {
    faults: [{ pointer: '/to', detail: `permitted from ${stage}: ${permitted.join(', ')}` }],
    members: { stage, permitted },
  });
}
