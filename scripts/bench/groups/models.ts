// Owns the measurement of the fits: the CDNOW sample, and a population of 200 thousand customers in which hardly
// any two are alike. Pure computing, in this process.

import { fitCadence } from '../../../src/lifecycle/models/cadenceFit.js';
import { DROPOUT_MODELS } from '../../../src/lifecycle/models/dropout.js';
import { fitDropout } from '../../../src/lifecycle/models/dropoutFit.js';
import type { CustomerGroup } from '../../../src/lifecycle/models/dropoutSample.js';
import { fitSpend } from '../../../src/lifecycle/models/spendFit.js';
import type { SpendGroup } from '../../../src/lifecycle/models/spendLikelihood.js';
import { CUT_MS, DAY_MS, readHistories } from '../cdnow.js';
import type { Bench, Group } from '../group.js';
import { createRandom } from '../random.js';
import { atMost, type Row } from '../rows.js';

const SAMPLE_CEILING_S = 1;
const MANY = 200_000;
const MANY_CEILING_S = 15;
/** Those who bought so long ago at most; a fraction of a day tells customers apart. */
const AGE_DAYS = 700;

export const models: Group = { name: 'models', run };

async function run(bench: Bench): Promise<Row[]> {
  const sample = sampleGroups();
  const many = manyGroups();
  const rows: Row[] = [];
  for (const model of DROPOUT_MODELS) {
    const name = `${model.toUpperCase()}/NBD fit`;
    bench.say(name);
    const few = timed(() => fitDropout(model, sample));
    const all = timed(() => fitDropout(model, many));
    rows.push(
      atMost({ name: `${name}, CDNOW (2,357 customers)`, value: few, unit: 's', budget: SAMPLE_CEILING_S }),
      atMost({ name: `${name}, 200,000 customers`, value: all, unit: 's', budget: MANY_CEILING_S }),
    );
  }
  return [...rows, ...besides(bench, { sample, many })];
}

/** What is fitted beside the models of dropout, for which no ceiling was designed. */
function besides(bench: Bench, { sample, many }: Record<'sample' | 'many', CustomerGroup[]>): Row[] {
  const inAll = `${MANY.toLocaleString('en')} customers`;
  bench.say('cadence fit');
  const cadence = [
    { name: 'cadence fit, CDNOW (2,357 customers)', value: timed(() => cadenceOf(sample)) },
    { name: `cadence fit, ${inAll}`, value: timed(() => cadenceOf(many)) },
  ];
  bench.say('gamma-gamma fit');
  const bought = sampleSpends();
  const spent = manySpends(many);
  const spend = [
    { name: 'gamma-gamma fit, CDNOW (2,357 customers)', value: timed(() => fitSpend(bought)) },
    { name: `gamma-gamma fit, ${inAll}`, value: timed(() => fitSpend(spent)) },
  ];
  return [...cadence, ...spend].map((row) => atMost({ ...row, unit: 's', budget: null }));
}

function cadenceOf(groups: readonly CustomerGroup[]): { identified: boolean } {
  const gaps = groups.map(({ repeats, spanDays, customers }) => {
    return { gaps: repeats, totalDays: spanDays, customers };
  });
  return { identified: fitCadence(gaps, null).method === 'mle' };
}

function timed(fit: () => { identified: boolean }): number {
  const startedAtMs = performance.now();
  const { identified } = fit();
  if (!identified) throw new Error('the fit has not found what the population was made with');
  return (performance.now() - startedAtMs) / 1_000;
}

function sampleGroups(): CustomerGroup[] {
  return readHistories().map(({ orders }) => {
    const days = [...new Set(orders.map((order) => order.at))].filter((at) => at <= CUT_MS);
    const first = days[0] ?? CUT_MS;
    const spanDays = ((days.at(-1) ?? first) - first) / DAY_MS;
    return { repeats: days.length - 1, spanDays, ageDays: (CUT_MS - first) / DAY_MS, customers: 1 };
  });
}

function sampleSpends(): SpendGroup[] {
  return readHistories().map(({ orders }) => {
    const byDay = new Map<number, number>();
    for (const { at, amountMinor } of orders)
      if (at <= CUT_MS) byDay.set(at, (byDay.get(at) ?? 0) + amountMinor);
    const repeats = [...byDay.values()].slice(1);
    const meanMinor = repeats.reduce((sum, amount) => sum + amount, 0) / Math.max(repeats.length, 1);
    return { repeats: repeats.length, meanMinor, customers: 1 };
  });
}

/** What the same buyers spend on a day is exponential too, around a mean of their own. */
function manySpends(many: readonly CustomerGroup[]): SpendGroup[] {
  const random = createRandom(19_980_630);
  return many.map(({ repeats, customers }) => {
    const own = 1_500 / (0.3 + random() + random() + random());
    let spent = 0;
    for (let day = 0; day < repeats; day += 1) spent -= own * Math.log(1 - random());
    return { repeats, meanMinor: repeats === 0 ? 0 : spent / repeats, customers };
  });
}

/** Buyers whose gaps are exponential at a rate of their own, and who are lost after a purchase with a chance of their own. */
function manyGroups(): CustomerGroup[] {
  const random = createRandom(19_970_101);
  return Array.from({ length: MANY }, () => {
    const ageDays = AGE_DAYS * (0.3 + 0.7 * random());
    const rate = 0.01 / (0.05 + random() ** 2 * 4);
    const loss = 0.6 * random() ** 2;
    let at = 0;
    let repeats = 0;
    for (;;) {
      const next = at - Math.log(1 - random()) / rate;
      if (next > ageDays || random() < loss) break;
      at = next;
      repeats += 1;
    }
    return { repeats, spanDays: at, ageDays, customers: 1 };
  });
}
