// What is at work on customers while one of them is erased: whichever comes first, it keeps nothing of the person.

import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { Database } from '../../src/db/database.js';
import { createDuplicatesService } from '../../src/duplicates/service.js';
import { createOutboxErasure } from '../../src/outbox/erasure-service.js';
import { createTold } from '../../src/outbox/held-service.js';
import { type PreviewWalkDeps, previewDue } from '../../src/policies/preview-walk.js';
import { createPrivacyService } from '../../src/privacy/service.js';
import { runAll, show } from '../backtests/cdnow.js';
import { openShop as openTrials, post } from '../backtests/shop.js';
import { startService, type TestService } from '../helpers/service.js';
import { openShop, POLICY } from '../orders/shop.js';
import { deskOf, done, type PreviewBody } from '../policies/desk.js';
import { openRows } from '../routes/rows.js';
import { leaksOf } from './leaks.js';

const NOW = '2026-03-02T09:00:00.000Z';
const shared = await startService(t, { now: NOW });
const rows = await openRows(t, shared);

t.beforeEach(() => shared.clock.set(NOW));

/** A place at which something waits until it is let on. */
function gate() {
  let [arrive, open] = [() => {}, () => {}];
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const pass = () => {
    arrive();
    return opened;
  };
  return { arrived, pass, open };
}

/** Until it waits for a lock, or has not waited. */
async function untilWaiting(work: Promise<unknown>): Promise<void> {
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  const waiting = () =>
    rows.query(`SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
                 WHERE a.datname = current_database() AND NOT l.granted`);
  while (!isOver && (await waiting()).length === 0) await nextTurn();
}

/** The service's own erasure, which waits at the gate once each module has been asked to forget. */
function erasingThrough({ pass }: ReturnType<typeof gate>, { database, services }: TestService) {
  const { transitions } = services;
  const { erasure } = transitions;
  const eraseHosts: typeof erasure.eraseHosts = async (...given) => {
    await pass();
    return erasure.eraseHosts(...given);
  };
  const told = { ...createOutboxErasure(), ...createTold() };
  return createPrivacyService({
    ...{ ...services, database, told },
    transitions: { ...transitions, erasure: { ...erasure, eraseHosts } },
  });
}

t.test('a backtest that is asked for during an erasure begins after it', async (t) => {
  const service = await openTrials(shared, 'asked');
  const { inject, services, clock } = service;
  const owner = 'owner-of-ermintrude';
  done(await inject('PATCH', '/v1/customers/ext:crm:gone', { body: { owner } }));
  const middle = gate();
  const target = { ref: 'ext:crm:gone', expected: undefined };
  const erased = erasingThrough(middle, service).erase(service.context(), target);
  await middle.arrived;
  const asked = post(service, { horizonDays: 30, cuts: ['2026-01-15T00:00:00Z'], segmentBy: 'owner' });
  await untilWaiting(asked);
  await services.backtests.advance(clock.now());
  middle.open();
  await erased;
  const { id } = done(await asked).json();
  await runAll(service);
  t.match(await show(service, id), { status: 'done', customersDone: 4 });
  t.same(await leaksOf(rows, [owner]), []);
});

t.test('a search for duplicates that has read a person keeps no key of theirs', async (t) => {
  const { service } = await openShop(shared, 'sought');
  const { inject, database, services, clock } = service;
  const email = 'ermintrude@sought.example';
  const { id } = done(await inject('POST', '/v1/customers', { body: { email } })).json();
  clock.advance(120_000);
  const end = gate();
  const slow: Database = {
    ...database,
    write: (context, work, options) =>
      database.write(
        context,
        async (tx) => {
          const result = await work(tx);
          if (context.tenantId === service.tenant.id) await end.pass();
          return result;
        },
        options,
      ),
  };
  const { transitions } = services;
  const walked = createDuplicatesService({ database: slow, transitions }).walkDue(clock.now());
  await end.arrived;
  const erased = inject('DELETE', `/v1/customers/${id}`);
  await untilWaiting(erased);
  end.open();
  await walked;
  done(await erased);
  t.same(await leaksOf(rows, [email]), []);
});

const CUSTOMERS = 150;

/** A draft that looks at an attribute which the first of many customers has, and a preview of it that was asked for. */
async function openPreview(slug: string, note: string) {
  const { service } = await openShop(shared, slug);
  const { inject } = service;
  const items = Array.from({ length: CUSTOMERS }, (_, n) => ({
    externalIds: [{ namespace: 'crm', id: `c${n}` }],
    attributes: n === 0 ? { note } : {},
  }));
  done(await inject('POST', '/v1/customers/batch', { body: { items } }));
  const noted = { type: 'attribute', key: 'note', exists: true };
  const when = { type: 'any', of: [noted, { type: 'all', of: [noted] }] };
  const desk = deskOf(service);
  const draft = await desk.draft({ ...POLICY, rules: [{ stage: 'mature', when }, ...POLICY.rules] });
  const { id } = done(await desk.ask(draft.id, 'previews')).json();
  const shown = async (): Promise<PreviewBody> =>
    done(await inject('GET', `/v1/policy-previews/${id}`)).json();
  return { service, shown };
}

for (const when of ['once they were read', 'before the next batch', 'when it is done'] as const) {
  t.test(`a preview keeps nothing of one who is erased ${when}`, async (t) => {
    const note = `ermintrude, erased ${when}`;
    const { service, shown } = await openPreview(when.replaceAll(' ', '-'), note);
    const { database, services, clock, inject } = service;
    const erase = async () => done(await inject('DELETE', '/v1/customers/ext:crm:c0'));
    let batches = 0;
    const foresee: PreviewWalkDeps['transitions']['foresee'] = async (...given) => {
      batches += 1;
      if (batches === 2 && when === 'before the next batch') await erase();
      const read = await services.transitions.foresee(...given);
      if (batches === 1) t.match(JSON.stringify(read), note, 'it was read');
      if (batches === 1 && when === 'once they were read') await erase();
      return read;
    };
    const transitions = { ...services.transitions, foresee };
    await previewDue({ database, transitions, clock: clock.now }, clock.now());
    if (when === 'when it is done') await erase();
    t.equal(batches, 2);
    const preview = await shown();
    t.match(preview, { status: 'done', customers: CUSTOMERS, moving: 1 });
    t.match(preview.sample, [{ from: 'prospect', to: 'mature', because: { condition: { type: 'any' } } }]);
    t.same(await leaksOf(rows, [note]), []);
  });
}
