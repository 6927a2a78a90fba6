// A tenant whose newest fit no longer identifies dropout, while the policy in force has a rule by it: decisions go on
// by the last fit that did, whoever looks is told so, and nothing new may begin to rely on it.

import pg from 'pg';
import t from 'tap';
import { createMeasuring } from '../../src/models/measure.js';
import { restartWalk } from '../../src/models/predictions-store.js';
import type { CurrentModels } from '../../src/models/schemas.js';
import { createCalibrations, type Refusal } from '../../src/policies/calibrate.js';
import type { StageCounts } from '../../src/transitions/as-of-schemas.js';
import { auditReplay } from '../helpers/audit-replay.js';
import { Chance } from '../helpers/chance.js';
import { startService } from '../helpers/service.js';
import { CUSTOMERS, drawSales, type Sale, sell } from '../models/buyers.js';
import { read, work } from '../models/shop.js';
import { deskOf, done, ordered, refusal, rulesOf } from './desk.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of those who are lost so many do not come back. That they bought once is explained by a low rate as well. */
const SILENT = 60;

const service = await startService(t, { now: '2026-01-01T00:00:00Z' });
const { services, clock, database, tenant } = service;
const desk = deskOf(service);

const when = { type: 'orderProbability', model: 'mbg', withinDays: 90, below: 0.25 } as const;
const rules = [
  { stage: 'churned', when: { type: 'all', of: [ordered(1), when] } },
  ...rulesOf(45, 60).rules.slice(1),
];
const policy = rulesOf(30, 60, { rules });
const POINTER = '/policy/rules/0/when/of/1/model';

const client = new pg.Client({ connectionString: service.databaseUrl });
await client.connect();
t.teardown(() => client.end());
const sql = async <Row>(text: string, values: unknown[] = [tenant.id]) =>
  (await client.query(text, values)).rows as Row[];

/** The worker's jobs, until nothing is left to do. */
async function runJobs(): Promise<void> {
  while ((await services.policies.recomputeDue(clock.now())).customers > 0);
  while ((await services.transitions.advanceDue(clock.now())).more);
  await work(service);
}

/** Everything that anybody was told or that the ledger has, the superseded rows with it. */
async function written() {
  const [rows] = await sql<{ ledger: string; events: number; deliveries: number }>(`
    SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM transitions t WHERE tenant_id = $1) AS ledger,
           (SELECT count(*)::int FROM events WHERE tenant_id = $1) AS events,
           (SELECT count(*)::int FROM deliveries WHERE tenant_id = $1) AS deliveries`);
  return { ...rows, counts: await stageCounts() };
}

async function stageCounts(): Promise<Record<string, number>> {
  const { stages } = await read<StageCounts>(service, '/v1/stage-counts');
  return Object.fromEntries(stages.map(({ key, customers }) => [key, customers]));
}

const current = () => read<CurrentModels>(service, '/v1/models/current');
const recomputations = async () => (await read<{ data: unknown[] }>(service, '/v1/recomputations')).data;
const findings = async (ref = 'live') => done(await desk.ask(ref, 'validate')).json();

const sales = drawSales(new Chance(8), (chance) => chance.next() > 0.25);

/** An order of everybody, but for a few who bought once and long ago. */
function comeBack(day: number): Sale[] {
  const times = new Map<number, number>();
  for (const { customer } of sales) times.set(customer, (times.get(customer) ?? 0) + 1);
  const silent = [...times].filter(([, count]) => count === 1).slice(0, SILENT);
  const isSilent = new Set(silent.map(([customer]) => customer));
  return [...times.keys()]
    .filter((customer) => !isSilent.has(customer))
    .map((customer) => ({ customer, day }));
}

let fitted: CurrentModels['mbg']['inUse'];

t.test('a policy comes into force by a model that is identified', async (t) => {
  const endpoint = { url: 'https://partner.test/hook', eventTypes: ['*'] };
  done(await service.inject('POST', '/v1/webhook-endpoints', { body: endpoint }));
  await sell(service, 'first', sales);
  await service.inject('POST', '/v1/models/fits');
  await runJobs();
  const { mbg } = await current();
  t.match(mbg, { identified: true, inUse: { calibrationVersion: 1 } });
  t.same(mbg.inUse?.parameters, mbg.parameters);
  fitted = mbg.inUse;
  done(await service.inject('PUT', '/v1/policies/live', { body: { policy } }));
  await runJobs();
  const { counts, deliveries } = await written();
  t.ok((counts.churned ?? 0) > 100, `${counts.churned} are churned by the rule`);
  t.ok((deliveries ?? 0) > 20, `partners hear of it, ${deliveries} times`);
  t.same(await findings(), { valid: true, faults: [], warnings: [] });
});

t.test('a refit that is refused moves nobody, and nobody is told of anything', async (t) => {
  clock.set('2026-01-03T00:00:00Z');
  await sell(service, 'again', comeBack(366));
  await runJobs();
  const [before, walks] = [await written(), await recomputations()];
  t.equal(before.counts.churned, SILENT);
  const refusals: Refusal[] = [];
  const calibrations = createCalibrations({
    database,
    measuring: createMeasuring({ database, offload: services.offload }),
    onVersion: (tx, { tenantId, now }) => restartWalk(tx, tenantId, now),
    onRefused: (refused) => refusals.push(refused),
    clock: clock.now,
  });
  t.same(await calibrations.fitDue(clock.now()), { fitted: 1, unchanged: 0 });
  await runJobs();
  t.same(await written(), before);
  t.same(await recomputations(), walks, 'nobody is even looked at');
  const { mbg, calibrationVersion, predictions } = await current();
  t.equal(calibrationVersion, 2);
  t.match(mbg, { identified: false, reason: 'dropout_not_identified' });
  t.notSame(mbg.parameters, fitted?.parameters, 'what was fitted is shown as it is');
  t.same(mbg.inUse, fitted);
  t.same(predictions.nextAt, null, 'predictions say what the newest orders say: nothing');
  t.match(await read(service, '/v1/customers/ext:shop:c0'), { predictions: { reason: 'not_identified' } });
  const about = { tenantId: tenant.id, calibrationVersion: 2, keptVersion: 1 };
  t.same(refusals, [{ ...about, model: 'mbg', reason: 'dropout_not_identified' }], 'whoever runs it is told');
});

t.test('whoever looks at the policy is warned, and no other may begin to rely on the model', async (t) => {
  const { valid, faults, warnings } = await findings();
  t.same([valid, faults], [true, []], 'what is in force stays so');
  t.match(warnings, [{ pointer: POINTER, detail: /\(dropout_not_identified\).* fit of version 1 until/ }]);
  t.equal(warnings.length, 1);
  const { id } = await desk.draft(policy);
  t.match(await findings(id), { valid: false, faults: [{ pointer: POINTER, detail: /no mbg fit/ }] });
  for (const step of ['activate', 'shadow', 'previews']) {
    t.same(refusal(await desk.ask(id, step)), [409, 'policy_not_sound'], step);
  }
  const body = { policy: { ...policy, timeZone: 'Asia/Shanghai' } };
  t.same(refusal(await service.inject('PUT', '/v1/policies/live', { body })), [400, 'invalid_policy']);
});

t.test('it goes on so over further refusals, of which the schedule makes no versions', async (t) => {
  const walks = await recomputations();
  clock.advance(DAY_MS);
  t.match(done(await service.inject('POST', '/v1/calibrations')).json(), { version: 3 });
  t.same(await services.policies.calibrateDue(clock.now()), { fitted: 0, unchanged: 1 });
  t.same(await recomputations(), walks);
  const { mbg, calibrationVersion } = await current();
  t.match([calibrationVersion, mbg.identified], [3, false]);
  t.same(mbg.inUse, fitted, 'from the first version still');
});

t.test('whom the rule moves meanwhile is told by which fit', async (t) => {
  clock.advance(200 * DAY_MS);
  await runJobs();
  t.equal((await stageCounts()).churned, CUSTOMERS);
  const { data } = await read<{ data: { to: string; evidence: object; calibrationVersion: number }[] }>(
    service,
    '/v1/customers/ext:shop:c0/transitions',
  );
  const churned = data.find(({ to, calibrationVersion }) => to === 'churned' && calibrationVersion === 3);
  t.match(churned?.evidence, {
    calibration: { version: 3, mbg: fitted?.parameters, keptFrom: { mbg: 1 } },
  });
});

t.test('the next fit that identifies dropout takes over', async (t) => {
  const walks = await recomputations();
  t.match(done(await service.inject('POST', '/v1/calibrations')).json(), { version: 4 });
  const { mbg } = await current();
  t.match(mbg, { identified: true, reason: null, inUse: { calibrationVersion: 4 } });
  t.same(mbg.inUse?.parameters, mbg.parameters);
  t.equal((await recomputations()).length, walks.length + 1, 'everybody is decided anew');
  await runJobs();
  t.same(await findings(), { valid: true, faults: [], warnings: [] });
  const { id } = await desk.draft(policy);
  t.match(await findings(id), { valid: true });
  const audit = { sql, url: service.databaseUrl, tenantId: tenant.id, until: clock.now() };
  t.match(await auditReplay(audit), { faults: [] }, 'the ledger is that of one replay');
});
