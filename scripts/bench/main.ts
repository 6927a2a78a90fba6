// `npm run bench`: measures what the design has budgets for. Options: names of groups to run, `--json` for one JSON
// object instead of the table, `--kills=<n>` for fewer kills than the figure that is published. A budget that is missed is a row; an answer that is no success, or anything else
// that fails, ends the run, because a figure would mean nothing.

import { parseArgs } from 'node:util';
import { type Lifetime, live } from '../lifetime.js';
import type { Group } from './group.js';
import { batch } from './groups/batch.js';
import { carryOver } from './groups/carry-over.js';
import { dueTimes } from './groups/due-times.js';
import { idleTick } from './groups/idle-tick.js';
import { install } from './groups/install.js';
import { memory } from './groups/memory.js';
import { models } from './groups/models.js';
import { replaying } from './groups/replay.js';
import { requests } from './groups/requests.js';
import { starting } from './groups/start.js';
import { tick } from './groups/tick.js';
import { WEBHOOKS } from './groups/webhooks.js';
import { type Row, writeTable } from './rows.js';

const GROUPS: readonly Group[] = [
  requests,
  batch,
  idleTick,
  tick,
  replaying,
  models,
  dueTimes,
  carryOver,
  ...WEBHOOKS,
  memory,
  starting,
  install,
];

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, kills: { type: 'string', default: '200' } },
  allowPositionals: true,
});

const known = GROUPS.map(({ name }) => name);
const isNamedBy = (asked: string) => (name: string) => name === asked || name.startsWith(`${asked}:`);
const unknown = positionals.filter((asked) => !known.some(isNamedBy(asked)));
const kills = Number(values.kills);
if (!Number.isSafeInteger(kills) || kills < 1) {
  process.stderr.write('bench: --kills must be a whole number from 1 on\n');
  process.exitCode = 2;
} else if (unknown.length > 0) {
  process.stderr.write(`bench: there is no group ${unknown.join(', ')}; there are ${known.join(', ')}\n`);
  process.exitCode = 2;
} else {
  await live(measure);
}

async function measure(lifetime: Lifetime): Promise<void> {
  const rows: Row[] = [];
  const isWanted = (name: string) =>
    positionals.length === 0 || positionals.some((asked) => isNamedBy(asked)(name));
  const groups = GROUPS.filter(({ name }) => isWanted(name));
  for (const group of groups) rows.push(...(await runAlone(group, lifetime)));
  process.stdout.write(values.json ? `${JSON.stringify({ rows })}\n` : `\n${writeTable(rows)}`);
}

/** Each group has the machine to itself: what it has opened is closed before the next one begins. */
async function runAlone({ name, run }: Group, { signal, atEnd }: Lifetime): Promise<Row[]> {
  const steps: (() => unknown)[] = [];
  const close = async () => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) await step();
  };
  atEnd(close);
  signal.throwIfAborted();
  const startedAtMs = performance.now();
  const say = (text: string) => void process.stderr.write(`bench: ${name}: ${text}\n`);
  const lifetime: Lifetime = { signal, atEnd: (step) => void steps.push(step) };
  const rows = await run({ lifetime, say, kills });
  await close();
  say(`took ${Math.round((performance.now() - startedAtMs) / 1000)} s`);
  return rows;
}
