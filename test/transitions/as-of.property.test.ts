// Whatever is recorded late, taken back or decided anew: what the past is said to have been is what every row of
// the ledger says, looked at one by one, and what was known then is what was answered then.

import { deepStrictEqual as same } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Chance } from '../helpers/chance.js';
import { startService, type TestService } from '../helpers/service.js';
import { type Instants, LedgerOracle, readLedger } from './ledger-oracle.js';
import { withSome } from './looking-back.js';
import { Storyteller, story } from './storyteller.js';

const START = Date.parse('2025-06-01T00:00:00.000Z');
const DAY_MS = 86_400_000;
const STORIES = 25;
const QUESTIONS = 12;

const shared = await startService(t, { now: new Date(START) });
let opened = 0;
t.setTimeout(240_000);

type Stages = Record<string, { stage: string; since: string }>;
interface Answer {
  stages: Stages;
  counts: Record<string, number>;
}

t.test('what was known at any time is what was answered at that time', async (t) => {
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(story, async (happenings) => {
      const service = await open();
      const teller = new Storyteller(service);
      const given: { at: string; answer: Answer; ones: Stages }[] = [];
      for (const [happening, waitMs] of happenings) {
        service.clock.advance(waitMs);
        await teller.tell(happening);
        const answer = await answerOf(service, {});
        const ones = await profilesOf(service, Object.keys(answer.stages));
        given.push({ at: service.clock.now().toISOString(), answer, ones });
      }
      service.clock.advance(1);
      for (const { at, answer, ones } of given) {
        const instants = { asOf: at, knownAt: at };
        same(await answerOf(service, instants), answer, at);
        for (const [id, one] of Object.entries(ones)) {
          const { stage, since } = await get(service, `/v1/customers/${id}/stage`, instants);
          same({ stage, since }, one, `${id} at ${at}`);
        }
        answers += 1;
      }
    }),
    { numRuns: STORIES },
  );
  t.ok(answers > STORIES, `${answers} answers were had again`);
});

t.test('lists, stages, counts and series say what the rows say, at any instants', async (t) => {
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(story, fc.integer(), async (happenings, seed) => {
      const service = await open();
      const teller = new Storyteller(service);
      for (const [happening, waitMs] of happenings) {
        service.clock.advance(waitMs);
        await teller.tell(happening);
      }
      service.clock.advance(1);
      const oracle = new LedgerOracle(await readLedger(service));
      const chance = new Chance(seed);
      for (let question = 0; question < QUESTIONS; question += 1) {
        const instants = drawn(chance, oracle, service.clock.now().getTime());
        await assertPast(service, oracle, instants);
        await assertSeries(service, oracle, chance, instants);
        asked += 1;
      }
    }),
    { numRuns: STORIES },
  );
  t.equal(asked, STORIES * QUESTIONS);
});

async function open(): Promise<TestService> {
  shared.clock.set(new Date(START));
  opened += 1;
  return shared.forTenant(`story-${opened}`);
}

async function assertPast(service: TestService, oracle: LedgerOracle, instants: Instants): Promise<void> {
  const query = isoOf(instants);
  const what = JSON.stringify(query);
  const stages = oracle.stages(instants);
  const counts = oracle.counts(instants);
  same(await answerOf(service, query), { stages: Object.fromEntries(stages), counts }, what);
  for (const stage of ['prospect', 'new', 'mature', 'declining', 'churned']) {
    const inIt = [...stages].filter(([, one]) => one.stage === stage);
    same(await listOf(service, { ...query, stage }), Object.fromEntries(inIt), `${stage} ${what}`);
  }
  const everybody = Object.keys(await listOf(service, {}));
  for (const id of everybody) {
    const shown = await get(service, `/v1/customers/${id}/stage`, query);
    const { known, stage, since } = shown;
    const idOf = (row: 'transition' | 'previous' | 'next') =>
      (shown[row] as { id: string } | null)?.id ?? null;
    const rows = { transition: idOf('transition'), previous: idOf('previous'), next: idOf('next') };
    same({ known, stage, since, ...rows }, oracle.around(id, instants), `${id} ${what}`);
  }
}

async function assertSeries(
  service: TestService,
  oracle: LedgerOracle,
  chance: Chance,
  { asOf, knownAt }: Instants,
): Promise<void> {
  const step = chance.pick(['day', 'week', 'month'] as const);
  // Some point is the instant itself, which is often one at which something came into effect.
  const from = asOf - chance.below(50) * DAY_MS;
  const to = Math.min(from + 120 * DAY_MS, service.clock.now().getTime());
  const query = {
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), step },
    knownAt: new Date(knownAt).toISOString(),
  };
  const { series } = await get(service, '/v1/stage-counts', query);
  const points = series as { at: string; total: number; customers: Record<string, number> }[];
  for (const { at, total, customers } of points) {
    const counts = oracle.counts({ asOf: Date.parse(at), knownAt });
    same(withSome(customers), counts, `${at} of ${JSON.stringify(query)}`);
    same(
      total,
      Object.values(counts).reduce((sum, each) => sum + each, 0),
    );
  }
}

/** At, just before or just after an instant at which the answer changes, or at any other. */
function drawn(chance: Chance, oracle: LedgerOracle, now: number): Instants {
  const near = (instants: number[]) => {
    if (instants.length === 0 || chance.percent(15)) return START - DAY_MS + chance.below(now - START);
    return chance.pick(instants) + chance.below(3) - 1;
  };
  return { asOf: Math.min(near(oracle.effective), now), knownAt: Math.min(near(oracle.recorded), now) };
}

function isoOf({ asOf, knownAt }: Instants) {
  return { asOf: new Date(asOf).toISOString(), knownAt: new Date(knownAt).toISOString() };
}

async function get(service: TestService, path: string, query: Record<string, string>) {
  const answer = await service.inject('GET', `${path}?${new URLSearchParams(query)}`);
  if (answer.statusCode !== 200) throw new Error(`${path} ${JSON.stringify(query)}: ${answer.body}`);
  return answer.json<Record<string, unknown>>();
}

async function answerOf(service: TestService, query: Record<string, string>): Promise<Answer> {
  const { stages } = await get(service, '/v1/stage-counts', query);
  const counts = (stages as { key: string; customers: number }[]).map(({ key, customers }) => [
    key,
    customers,
  ]);
  return { stages: await listOf(service, query), counts: withSome(Object.fromEntries(counts)) };
}

/** All pages, of two each. */
async function listOf(service: TestService, query: Record<string, string>): Promise<Stages> {
  const found: Stages = {};
  let cursor: string | null = null;
  do {
    const more: Record<string, string> = cursor === null ? {} : { cursor };
    const page = await get(service, '/v1/customers', { ...query, ...more, limit: '2' });
    for (const { id, stage, stageSince } of page.data as Record<'id' | 'stage' | 'stageSince', string>[]) {
      found[id] = { stage, since: stageSince };
    }
    cursor = page.nextCursor as string | null;
  } while (cursor !== null);
  return found;
}

async function profilesOf(service: TestService, ids: string[]): Promise<Stages> {
  const profiles = ids.map(async (id) => {
    const { stage, stageSince } = await get(service, `/v1/customers/${id}`, {});
    return [id, { stage, since: stageSince }];
  });
  return Object.fromEntries(await Promise.all(profiles));
}
