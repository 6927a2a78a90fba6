// Owns the comparison of due times with the slow way: for every customer of the CDNOW sample, at many instants,
// each kind of condition says when it flips, and each of the days that follow, looked at by itself, has to be as
// that has it. A million cases; one that differs ends the run.

import type { Calibration } from '../../../src/lifecycle/calibration.js';
import type { Condition } from '../../../src/lifecycle/conditions.js';
import { compile, type Look, type View } from '../../../src/lifecycle/predicates.js';
import { compileTimeline, type History, replayWalk } from '../../../src/lifecycle/replay.js';
import { DAY_MS, readHistories } from '../cdnow.js';
import type { Bench, Group } from '../group.js';
import { atLeast, type Row } from '../rows.js';

const CASES_MIN = 1_000_000;
const EVERY_DAYS = 18;
const SCAN_DAYS = 120;
const FIRST_MS = Date.UTC(1997, 0, 1);
const LAST_MS = Date.UTC(1998, 5, 30);
const LOOKS_MAX = 1_000;

/** The figures that the literature has for the sample, in days. */
const CALIBRATION: Calibration = {
  version: 1,
  cadence: { r: 3.7, alphaDays: 22.7 * 7, medianGapDays: 30 },
  bg: { r: 0.2426, alphaDays: 4.4136 * 7, a: 0.7929, b: 2.4259 },
  mbg: { r: 0.5248, alphaDays: 6.1831 * 7, a: 0.8914, b: 1.614 },
  spend: {},
};

const CONDITIONS: readonly Condition[] = [
  { type: 'silence', days: 45 },
  { type: 'interactionSilence', days: 45 },
  { type: 'cadenceQuantile', q: 0.75 },
  { type: 'cadenceMultiple', multiple: 2 },
  { type: 'recentOrders', days: 60, atLeast: 2 },
  { type: 'recentOrders', days: 60, lessThan: 1 },
  { type: 'recentSpend', days: 60, currency: 'USD', atLeastMinor: 3_000 },
  { type: 'recentInteractions', days: 60, lessThan: 1 },
  { type: 'drop', measure: 'orders', days: 60, by: 0.5 },
  { type: 'drop', measure: 'spend', currency: 'USD', days: 60, by: 0.5 },
  { type: 'drop', measure: 'interactions', days: 60, by: 0.5 },
  { type: 'orderProbability', model: 'bg', withinDays: 90, below: 0.3 },
  { type: 'orderProbability', model: 'mbg', withinDays: 90, below: 0.3 },
  { type: 'aliveProbability', model: 'mbg', below: 0.4 },
  { type: 'satisfaction', scale: 'nps', atMost: 6, withinDays: 30 },
  { type: 'daysInStage', stage: 'new', atLeast: 40 },
];

const RULES = [
  { stage: 'mature', when: { type: 'recentOrders' as const, days: 90, atLeast: 2 } },
  { stage: 'new', when: { type: 'orders' as const, atLeast: 1 } },
];

export const dueTimes: Group = { name: 'due-times', run };

async function run(bench: Bench): Promise<Row[]> {
  const policy = { template: 'ecommerce' as const, timeZone: 'UTC', rules: RULES, otherwise: 'prospect' };
  const timeline = compileTimeline({
    policies: [{ version: 1, effectiveFrom: null, policy }],
    calibrations: [{ ...CALIBRATION, effectiveFrom: Number.NEGATIVE_INFINITY }],
  });
  const looks = CONDITIONS.map((condition) => ({ condition, look: compile(condition) }));
  let cases = 0;
  let flips = 0;
  const startedAtMs = performance.now();
  for (const history of readHistories().map(withTouchpoints)) {
    for (let at = FIRST_MS; at <= LAST_MS; at += EVERY_DAYS * DAY_MS) {
      if (at < history.createdAt) continue;
      const { standing } = replayWalk(history, timeline, at);
      for (const { condition, look } of looks) {
        const due = flipsAfter(look, standing, at);
        const day = firstDayThatDiffers(look, standing, { at, flips: due });
        if (day !== null)
          throw new Error(`${JSON.stringify(condition)} is otherwise on day ${day}, flips at ${due}`);
        cases += 1;
        flips += due.length === 0 ? 0 : 1;
      }
    }
  }
  bench.say(
    `${flips} of ${cases} cases flip within ${SCAN_DAYS} days; ${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s`,
  );
  return [
    atLeast({
      name: 'due times equal to a scan of days, 0 differences',
      value: cases,
      unit: 'cases',
      budget: CASES_MIN,
    }),
  ];
}

/** A touchpoint ten days after every other order, with an answer after some of them. */
function withTouchpoints(history: History): History {
  const touchpoints = history.orders
    .filter((_, index) => index % 2 === 0)
    .map(({ id, at }, index) => {
      const satisfaction = index % 2 === 0 ? { scale: 'nps' as const, score: (Number(id) * 7) % 11 } : null;
      return { id, at: at + 10 * DAY_MS, satisfaction };
    });
  return { ...history, touchpoints };
}

/** Every instant within the days that are scanned at which the condition says that it flips. */
function flipsAfter(look: Look, view: View, at: number): number[] {
  const flips: number[] = [];
  view.at = at;
  look(view);
  let { holds } = view;
  for (let looks = 0; looks < LOOKS_MAX && view.until <= at + SCAN_DAYS * DAY_MS; looks += 1) {
    view.at = view.until;
    look(view);
    if (view.holds !== holds) flips.push(view.at);
    holds = view.holds;
  }
  return flips;
}

/** Looks at each day by itself; null where all of them are as the flips have it. */
function firstDayThatDiffers(
  look: Look,
  view: View,
  { at, flips }: { at: number; flips: number[] },
): number | null {
  view.at = at;
  look(view);
  const holdsNow = view.holds;
  let passed = 0;
  for (let day = 1; day <= SCAN_DAYS; day += 1) {
    view.at = at + day * DAY_MS;
    while ((flips[passed] ?? Infinity) <= view.at) passed += 1;
    look(view);
    if (view.holds !== (passed % 2 === 0 ? holdsNow : !holdsNow)) return day;
  }
  return null;
}
